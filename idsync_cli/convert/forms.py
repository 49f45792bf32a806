"""Requests that stand in a file already: those that no configuration could answer are told of."""

from collections.abc import Mapping
from typing import Any

from idsync_cli import wire
from idsync_cli.convert.lines import CannotUse
from idsync_cli.core.codes import ErrorCode
from idsync_cli.core.config.rules import Organization, ScopeRules
from idsync_cli.core.config.strategy import PRESETS

_ANY = Organization(None, {"any": ScopeRules(PRESETS["best_match"].strategy, ())}, {})
_READER = wire.Reader(_ANY)
_WHERE = ("scope", "workspace")


def check_request(text: str, value: Mapping[str, Any], kind: str | None = None) -> None:
    """Check what holds for a request under every configuration; `kind` is its type if it has none.

    A request that names nobody is one, and its answer tells so.

    Raises:
        CannotUse: a replay would refuse it, whatever its scope.
    """
    if _fault_of(value, kind) is not None:
        as_written = wire.read_again(text.encode("utf-8"))
        raise CannotUse(_fault_of(as_written or value, kind) or "")


def _fault_of(value: Mapping[str, Any], kind: str | None) -> str | None:
    asked = {name: each for name, each in value.items() if name not in _WHERE}
    asked |= {name: value[name] for name in _WHERE if not wire.is_text(value.get(name, ""))}
    if kind is not None:
        asked["type"] = kind
    reading = _READER.read(asked)
    refusal = reading.refusal or reading.late_refusal
    if refusal is None or refusal.code is ErrorCode.NO_IDENTITIES:
        return None
    return refusal.message
