"""A batch written out again, with what its profile knows: as a connected output gets it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from idsync_cli.core.identity import TYPE_ORDER, Identifier
from idsync_cli.wire.decoding import Json
from idsync_cli.wire.records import on_one_line

_EVENTS: Final = "events"
_OURS: Final = frozenset(
    ("seq", "mpid", "user_identities", "user_attributes", "audience_memberships")
)


def enriched_line(
    seq: int,
    mpid: int,
    batch: Json,
    events: Sequence[str],
    identifiers: Sequence[Identifier],
    attributes: Mapping[str, Any],
    audiences: Sequence[tuple[int, str]],
) -> bytes:
    """The line of a batch, in ASCII, with its line feed; `events` are its events as they came.

    In place of its identities and attributes stand all that the profile has: identities as a list,
    of a type the last added first. `audiences` are those that the profile is in, by id and name.
    """
    last_first = [*reversed(identifiers)]
    last_first.sort(key=lambda each: TYPE_ORDER[each.type])
    identities = [{"identity_type": each.type.value, "identity": each.value} for each in last_first]
    members = {"seq": str(seq), "mpid": f'"{mpid}"'}
    for name, value in batch.items():
        if name == _EVENTS and value is not None:
            members[name] = f"[{', '.join(map(on_one_line, events))}]"
        elif name not in _OURS:
            members[name] = json.dumps(value)
    members["user_identities"] = json.dumps(identities)
    members["user_attributes"] = json.dumps(dict(attributes))
    members["audience_memberships"] = json.dumps(
        [{"audience_id": number, "audience_name": name} for number, name in audiences]
    )
    its = ", ".join(f"{json.dumps(name)}: {text}" for name, text in members.items())
    return f"{{{its}}}\n".encode("ascii")


def moment_of_batch(batch: Json) -> int | None:
    """The own time of a batch that was taken, in milliseconds since 1970; None if it has none."""
    for name in ("timestamp_unixtime_ms", "request_timestamp_ms"):
        value = batch.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return int(value)
    return None
