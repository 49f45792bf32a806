"""An event batch from a few words, for those who write none: `idsync track` (section 9)."""

from collections.abc import Mapping, Sequence
from typing import Any

from idsync_cli.wire.decoding import Json

CUSTOM_EVENT = "custom_event"
"""The type of an event of which nothing else is said."""


def tracked(
    identities: Mapping[str, Any],
    *,
    event: str | None = None,
    event_type: str | None = None,
    data: Json | None = None,
    attributes: Mapping[str, Any] | None = None,
    deleted: Sequence[str] | None = None,
) -> Json:
    """A batch with one event at most, as a line of JSON would hold it; its profile is left open.

    The event's name goes to where its type has it: of a commerce_event it is the product action, of
    a screen_view the screen.
    """
    batch: Json = {"type": "batch", "user_identities": dict(identities)}
    if attributes:
        batch["user_attributes"] = dict(attributes)
    if deleted:
        batch["deleted_user_attributes"] = list(deleted)
    if event is not None or event_type is not None or data is not None:
        kind = CUSTOM_EVENT if event_type is None else event_type
        batch["events"] = [{"event_type": kind, "data": _named(kind, event, data or {})}]
    return batch


def _named(event_type: str, name: str | None, data: Json) -> Json:
    if name is None:
        return data
    if event_type == "commerce_event":
        action = data.get("product_action")
        return data | {"product_action": (action or {}) | {"action": name}}
    return data | {"screen_name" if event_type == "screen_view" else "event_name": name}
