"""JSON objects: requests, bodies of requests, event batches, or rows."""

from collections.abc import Sequence
from typing import NamedTuple

from idsync_cli.convert.batches import MEMBERS as BATCH
from idsync_cli.convert.batches import batch_of
from idsync_cli.convert.columns import Columns, RowKind
from idsync_cli.convert.forms import check_request
from idsync_cli.convert.lines import CannotUse, decoded, line_of, members_of, on_one_line
from idsync_cli.core.identity import Identifier

_ANSWER = {"seq", "status"}


class FoundRequest(NamedTuple):
    """What an object comes to: a line, what of it could not be used, and a row's identifiers."""

    line: str
    left_out: Sequence[str] = ()
    identifiers: Sequence[Identifier] = ()


def request_of(text: str, columns: Columns, default: RowKind) -> FoundRequest:
    """The request line of an object.

    Raises:
        CannotUse: it makes none.
    """
    value = decoded(text)
    if not isinstance(value, dict):
        raise CannotUse("not a JSON object")
    if value.get("type") == "batch" or ("type" not in value and BATCH & value.keys()):
        return FoundRequest(*batch_of(text, value))
    if "identity_changes" in value or "known_identities" in value:
        if "type" in value:
            line = on_one_line(text)
            check_request(text, value)
            return FoundRequest(line)
        is_change = "identity_changes" in value
        kind = RowKind.MODIFY if is_change else default
        line = line_of({"type": f'"{kind}"', **members_of(text)})
        check_request(text, value, kind.value)
        return FoundRequest(line)
    if "identities" in value:
        raise CannotUse("a profile, not a request")
    if value.keys() >= _ANSWER:
        raise CannotUse("an answer, not a request")
    if value.get("type") in ("alias", "erase"):
        check_request(text, value)
        return FoundRequest(on_one_line(text))
    made = columns.request_of(value.items())
    return FoundRequest(made.line, (), made.identifiers)
