"""Event batches as mParticle forwards them: they stay batches, of the type `batch` (section 12).

The MPID becomes that of a recorded response, for it is another system's answer. Identities that
come as a list become an object; of several values of one type the latest is taken.
"""

import json
from collections.abc import Mapping
from typing import Any

from idsync_cli.convert.lines import CannotUse, line_of, members_of
from idsync_cli.core.identity import TYPES_BY_NAME, mpid_rule, parse_mpid
from idsync_cli.errors import quoted

MEMBERS = {"events", "user_identities", "device_info", "mp_deviceid", "batch_id"}
"""The members by which a batch is told from other objects."""


def batch_of(text: str, batch: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The line of a batch that is decoded, and what of it could not be used.

    Raises:
        CannotUse: it makes none.
    """
    members = members_of(text)
    left_out: list[str] = []
    identities = batch.get("user_identities")
    if isinstance(identities, list):
        found, left_out = _latest(identities)
        members["user_identities"] = json.dumps(found)
        identities = found
    mpid = batch.get("mpid")
    members.pop("mpid", None)
    line = {"type": '"batch"', **{name: each for name, each in members.items() if name != "type"}}
    if mpid not in (None, "", 0, "0"):
        if parse_mpid(mpid) is None:
            written = quoted(mpid if isinstance(mpid, str) else json.dumps(mpid))
            raise CannotUse(f"mpid is {written}, but must be an MPID{mpid_rule(mpid)}")
        line["response"] = json.dumps({"mpid": str(mpid)})
    if not _names_anybody(batch, identities):
        raise CannotUse("no identifier besides its MPID" if "response" in line else "no identifier")
    return line_of(line), left_out


def _latest(identities: list[Any]) -> tuple[dict[str, Any], list[str]]:
    """Identities of a list by their types, the latest of each; and what was left out."""
    found: dict[str, tuple[float, str, Any]] = {}
    left_out: list[str] = []
    for each in identities:
        if not isinstance(each, dict) or not isinstance(each.get("identity_type"), str):
            raise CannotUse("user_identities holds something other than identities")
        name, value = each["identity_type"], each.get("identity")
        time = each.get("timestamp_unixtime_ms")
        when = time if isinstance(time, int | float) and not isinstance(time, bool) else 0
        kind = str(TYPES_BY_NAME.get(name, name))
        if value in (None, ""):
            continue
        there = found.get(kind)
        if there is not None and there[2] != value:
            older = there[2] if when >= there[0] else value
            left_out.append(f"{kind} {quoted(older)} is overridden by a later one")
        if there is None or when >= there[0]:
            found[kind] = (when, name, value)
    return {name: value for _, name, value in found.values()}, left_out


def _names_anybody(batch: Mapping[str, Any], identities: object) -> bool:
    device = batch.get("device_info")
    named = {name: each for name, each in _items(device) if name in TYPES_BY_NAME}
    values = [*named.values(), *(each for _, each in _items(identities)), batch.get("mp_deviceid")]
    return any(each not in (None, "", 0, False) for each in values)


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []
