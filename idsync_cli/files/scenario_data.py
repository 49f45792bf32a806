"""What scenarios say of section 9: batches as steps, and what profiles have at the end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idsync_cli.core.codes import RequestKind
from idsync_cli.core.identity import Identifier
from idsync_cli.files.yaml_tree import Faults, Node
from idsync_cli.wire import Json, moment_of, tracked

TRACK = "track"
"""The step that is a batch in a few words, as `idsync track` is."""

_TRACKED = ("event", "event_type", "data", "attributes", "delete_attributes")
_MEMBERS = ("scope", "workspace", "mpid")
_OF_DATA = ("identities", "attributes", "events", "audiences", "status_messages")


@dataclass(frozen=True, slots=True)
class ExpectedProfile:
    """What a profile must have at the end; what is None is not asked for.

    `events` has their names, or None for one without, in the order of their times; `audiences` the
    names of all that it is in. `written` has the node of the file for each of these.
    """

    identifiers: frozenset[Identifier] | None
    attributes: Mapping[str, Any] | None = None
    events: tuple[str | None, ...] | None = None
    status_messages: tuple[str, ...] | None = None
    audiences: tuple[str, ...] | None = None
    written: Mapping[str, Node] = field(default_factory=dict, compare=False, repr=False)


WHOLE_LINES = (RequestKind.BATCH, RequestKind.ALIAS)
"""The steps that are written as the line would be."""


def line_of(kind: str, node: Node) -> Json:
    """A step that is written as the line would be."""
    return {"type": kind} | dict(node.as_json())


def track_of(faults: Faults, node: Node) -> Json:
    """A step `track`: an event, attributes, and identifiers by their types."""
    given = {key: each.as_json() for key, each in (node.mapping or {}).items()}
    words = {key: given.pop(key) for key in _TRACKED if given.get(key) is not None}
    members = {key: given.pop(key) for key in _MEMBERS if key in given}
    for key, kind, what in (
        ("event", str, "text"),
        ("event_type", str, "text"),
        ("data", dict, "a mapping"),
        ("attributes", dict, "a mapping"),
        ("delete_attributes", list, "a list"),
    ):
        if key in words and not isinstance(words[key], kind):
            each = (node.mapping or {})[key]
            faults.add(each.position, f"{key} is {each.described()}, but must be {what}")
            return {}
    deleted = words.pop("delete_attributes", None)
    return tracked(given, **words, deleted=deleted) | members


def clock_of(faults: Faults, node: Node) -> int | None:
    """A scenario's clock: a time in ISO 8601, or in milliseconds since 1970."""
    found = moment_of(node.value) if isinstance(node.value, str) else None
    if found is None:
        faults.add(
            node.position,
            f"now is {node.described()}, but must be a time such as 2026-01-31T12:00:00Z, or in "
            "milliseconds since 1970",
        )
    return found


def says_more(entries: Mapping[str, Node]) -> bool:
    """Whether what stands under a profile is more than its identifiers."""
    return any(key in entries for key in _OF_DATA)


def expected_profile(
    faults: Faults, node: Node, what: str, identifiers: frozenset[Identifier] | None
) -> ExpectedProfile:
    """What is expected of a profile, whose identifiers have been read."""
    entries = faults.entries(node, _OF_DATA, what)
    attributes, events = entries.get("attributes"), entries.get("events")
    messages, audiences = entries.get("status_messages"), entries.get("audiences")
    return ExpectedProfile(
        identifiers,
        None if attributes is None else _mapping(faults, attributes),
        None if events is None else tuple(_text(faults, each) for each in faults.items(events)),
        _texts(faults, messages, "no message"),
        _texts(faults, audiences, "no name"),
        entries,
    )


def _mapping(faults: Faults, node: Node) -> Mapping[str, Any]:
    return {key: each.as_json() for key, each in faults.entries(node, None, "attributes").items()}


def _texts(faults: Faults, node: Node | None, what: str) -> tuple[str, ...] | None:
    """A list of texts; `what` says what an empty value is not."""
    if node is None:
        return None
    items = faults.items(node)
    for each in items:
        if each.value is None:
            faults.add(each.position, f"an empty value is {what}")
    return tuple(_text(faults, each) or "" for each in items)


def _text(faults: Faults, node: Node) -> str | None:
    if node.value is None or isinstance(node.value, str):
        return node.value
    faults.add(node.position, f"{node.described()} is not text; put it between quotes")
    return None
