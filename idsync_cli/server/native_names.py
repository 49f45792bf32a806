"""What is wrong with an upload of a native SDK, in the SDK's own names (section 10)."""

import re
from collections.abc import Mapping
from typing import Any, Final

from idsync_cli.core.decision import Refusal
from idsync_cli.errors import quoted
from idsync_cli.server.native import MEMBERS, PRODUCT_ACTION, names_in

_MEMBER: Final = re.compile(r"[a-z_]+")
_EVENT: Final = re.compile(r"\[(\d+)\](?:\.event_type|\.data(?:\.(\w+)(?:\.(\w+))?)?)?")
_NOTHING: Final = "no identifiers given; "
_TWO_VALUES: Final = " have two values of "
_ACTION: Final = "product_action"


def in_its_names(refusal: Refusal, upload: Mapping[str, Any]) -> Refusal:
    """The refusal of the batch that an upload was read as, told of the upload.

    A message begins with the place at fault, but of a name that is none, which stands before it.
    """
    message = refusal.message
    head = f"the name {quoted(refusal.word)} in "
    if message.startswith(_NOTHING):
        message = f"{_NOTHING}name at least one in ui or di, or give the mpid"
    elif message.startswith(head):
        message = head + _renamed(message.removeprefix(head), upload)
    elif _TWO_VALUES in message:
        message = " and ".join(_renamed(each, upload) for each in message.split(" and ", 1))
    else:
        message = _renamed(message, upload)
    return Refusal(refusal.code, message)


def _renamed(text: str, upload: Mapping[str, Any]) -> str:
    """A text, with the place that it begins with as it is called there."""
    found = _MEMBER.match(text)
    name = _OF_MEMBERS.get(found[0]) if found else None
    if found is None or name is None:
        return text
    rest = text[found.end() :]
    in_event = _EVENT.match(rest) if found[0] == "events" else None
    if in_event is not None:
        rest = _path_in(in_event, upload) + rest[in_event.end() :]
    return name + rest


def _path_in(found: re.Match[str], upload: Mapping[str, Any]) -> str:
    """Where in a message of the upload something is."""
    index, member, inner = found.groups()
    path = f"[{index}]"
    if member is None:
        return f"{path}.dt" if found[0].endswith(".event_type") else path
    theirs = _inverted(names_in(upload["msgs"][int(index)]["dt"]))
    path += f".{theirs.get(member, member)}"
    if inner is None:
        return path
    return f"{path}.{_OF_ACTIONS.get(inner, inner) if member == _ACTION else inner}"


def _inverted(names: Mapping[str, str]) -> dict[str, str]:
    return {ours: theirs for theirs, ours in names.items()}


_OF_MEMBERS: Final = _inverted(MEMBERS)
_OF_ACTIONS: Final = _inverted(PRODUCT_ACTION)
