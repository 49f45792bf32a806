"""Columns of a table, and members of objects like rows: which of them make up a request.

A column is a type if it bears one of its names; every other name has to be said (`--map`). A name
that is merely near, as by another case or with spaces, is suggested and never taken.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from idsync_cli.convert.lines import CannotUse, line_of
from idsync_cli.convert.report import UnusedColumn
from idsync_cli.core.codes import RequestKind
from idsync_cli.core.everyday_names import meant_by
from idsync_cli.core.identity import (
    TYPES_BY_NAME,
    Identifier,
    IdentityType,
    mpid_rule,
    parse_mpid,
    value_fault,
)
from idsync_cli.errors import Hint, UsageFault, did_you_mean, nearest, quoted
from idsync_cli.nearest import nearest_words


class RowKind(StrEnum):
    """The kinds of request that a row can be."""

    IDENTIFY = RequestKind.IDENTIFY.value
    LOGIN = RequestKind.LOGIN.value
    LOGOUT = RequestKind.LOGOUT.value
    SEARCH = RequestKind.SEARCH.value
    MODIFY = RequestKind.MODIFY.value


class RequestColumn(StrEnum):
    """The columns that are no identifiers."""

    TYPE = "type"
    SCOPE = "scope"
    WORKSPACE = "workspace"
    LABEL = "label"
    MPID = "mpid"
    PREVIOUS_MPID = "previous_mpid"
    REQUEST_ID = "request_id"
    REQUEST_TIMESTAMP_MS = "request_timestamp_ms"
    SOURCE_REQUEST_ID = "source_request_id"
    ENVIRONMENT = "environment"


Target = IdentityType | RequestColumn | None
"""What a column is; None where it is left out."""

_MEMBERS = {each.value: each for each in RequestColumn}
NAMES = (*TYPES_BY_NAME, *_MEMBERS)
_TEXTS = (
    RequestColumn.SCOPE,
    RequestColumn.WORKSPACE,
    RequestColumn.LABEL,
    RequestColumn.REQUEST_ID,
    RequestColumn.SOURCE_REQUEST_ID,
    RequestColumn.ENVIRONMENT,
)
_MOST_UNUSED = 100
_MOST_NAMED = 10


class MadeRequest(NamedTuple):
    """A request line, and the identifiers in it."""

    line: str
    identifiers: Sequence[Identifier]


class Columns:
    """What each column is, by its own name or by what was said of it; and which were not used."""

    def __init__(self, said: Mapping[str, Target], default: RowKind) -> None:
        self._said = said
        self._default = default
        self._unused: dict[str, UnusedColumn] = {}
        self._met: set[str] = set()

    @property
    def unused(self) -> tuple[UnusedColumn, ...]:
        """The columns that hold something and could not be used."""
        return tuple(self._unused.values())

    def target_of(self, name: str) -> Target:
        """What a column is."""
        if name in self._said:
            return self._said[name]
        return TYPES_BY_NAME.get(name) or _MEMBERS.get(name)

    def check_said(self) -> None:
        """See whether each column of which something was said was a member of some row.

        Raises:
            UsageFault: one was not.
        """
        for name in self._said:
            if name not in self._met:
                raise UsageFault(f"no row has a member {quoted(name)}, so mapping it has no effect")

    def check(self, file: str, names: Sequence[str]) -> None:
        """Check the columns of a table, whose header names them.

        Raises:
            UsageFault: something was said of one that is not there, two are the same, or none is
                an identifier.
        """
        for name in self._said:
            if name not in names:
                raise UsageFault(f"no column is called {quoted(name)}{nearest(name, names)}")
        seen: dict[Target, str] = {}
        for name in names:
            target = self.target_of(name)
            if target is not None and target in seen:
                if seen[target] == name:
                    raise UsageFault(
                        f"two columns are called {quoted(name)}; give one another name in the file"
                    )
                raise UsageFault(
                    f"the columns {quoted(seen[target])} and {quoted(name)} are both {target}",
                    hint=Hint.LEAVE_OUT_COLUMN,
                    argument=f"{name}=",
                )
            seen[target] = name
        if not any(isinstance(each, IdentityType) for each in seen):
            raise self._no_identifiers(file, names)

    def request_of(self, row: Iterable[tuple[str, object]]) -> MadeRequest:
        """The request of a row: of its columns with what stands in them.

        Raises:
            CannotUse: it makes none.
        """
        given: dict[RequestColumn, str] = {}
        identities: dict[IdentityType, str] = {}
        for name, value in row:
            if value is None or value == "":
                if name in self._said:
                    self._met.add(name)
                continue
            target = self.target_of(name)
            if name in self._said:
                self._met.add(name)
            if target is None:
                self._pass_over(name)
            elif not isinstance(value, str):
                raise CannotUse(f"{name} is {quoted(json.dumps(value))}, but must be text")
            elif isinstance(target, RequestColumn):
                given[target] = value
            elif target in identities:
                raise CannotUse(f"two values of {target}")
            else:
                fault = value_fault(value)
                if fault:
                    raise CannotUse(f"the value {quoted(value)} of {target} {fault}")
                identities[target] = value
        if not identities:
            raise CannotUse("no identifier")
        members = self._members_of(given)
        members["known_identities"] = json.dumps(
            {kind.value: value for kind, value in identities.items()}
        )
        held = [Identifier(kind, value) for kind, value in identities.items()]
        return MadeRequest(line_of(members), held)

    def _members_of(self, given: Mapping[RequestColumn, str]) -> dict[str, str]:
        kind = given.get(RequestColumn.TYPE, self._default.value)
        if kind not in set(RowKind):
            raise CannotUse(f"type is {quoted(kind)}, but must be one of {', '.join(RowKind)}")
        if kind == RowKind.MODIFY and given.get(RequestColumn.MPID, "0") == "0":
            raise CannotUse("no mpid; a modify names the profile to change")
        members = {"type": json.dumps(str(kind))}
        for name in _TEXTS:
            if name in given:
                members[name.value] = json.dumps(given[name])
        time = given.get(RequestColumn.REQUEST_TIMESTAMP_MS)
        if time is not None:
            if not re.fullmatch(r"-?[0-9]{1,19}", time, re.ASCII):
                raise CannotUse(f"request_timestamp_ms is {quoted(time)}, but must be milliseconds")
            members["request_timestamp_ms"] = str(int(time))
        for name in (RequestColumn.MPID, RequestColumn.PREVIOUS_MPID):
            mpid = given.get(name)
            if mpid is None or mpid == "0":
                continue
            if parse_mpid(mpid) is None:
                raise CannotUse(f"{name} is {quoted(mpid)}, but must be an MPID{mpid_rule(mpid)}")
            if name is RequestColumn.MPID and kind != RowKind.MODIFY:
                members["response"] = json.dumps({"mpid": mpid})
            else:
                members[name.value] = json.dumps(mpid)
        return members

    def _no_identifiers(self, file: str, names: Sequence[str]) -> UsageFault:
        """What is said of a header that names no identifier, with what its columns may be."""
        may_be = {name: guess for name in names if name not in self._said and (guess := near(name))}
        told = [f"{quoted(name)} may be {guess}" for name, guess in may_be.items()]
        listed = ", ".join(map(quoted, names[:_MOST_NAMED]))
        if len(names) > _MOST_NAMED:
            listed += ", …"
        guess = f"; {', '.join(told[:_MOST_NAMED])}" if told else ""
        name, target = next(iter(may_be.items()), (names[0] if names else "COLUMN", "TYPE"))
        return UsageFault(
            f"no column of {quoted(file)} is an identity type; its first line names {listed}"
            f"{guess}",
            hint=Hint.MAP_COLUMN,
            argument=f"{name}={target}",
        )

    def _pass_over(self, name: str) -> None:
        if name not in self._said and name not in self._unused and len(self._unused) < _MOST_UNUSED:
            self._unused[name] = UnusedColumn(name, near(name))


def near(name: str) -> str | None:
    """The name that may be meant by a column's, however it is written, or by what it means."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    plain = re.sub(r"[\W_]+", "_", words.strip().lower()).strip("_")
    for candidate in (plain, plain.replace("_", "")):
        if candidate in NAMES:
            return candidate
    close = [*meant_by(name), *nearest_words(plain, _MEMBERS)]
    return close[0] if close else None


def _near_target(word: str) -> str:
    near = [*meant_by(word), *nearest_words(word, _MEMBERS)]
    return did_you_mean(list(dict.fromkeys(near)))


def said_of(option: Sequence[str]) -> dict[str, Target]:
    """What `--map` says: names of columns, each with what it is.

    Raises:
        UsageFault: it cannot be read, names nothing that is known, or says two things of one.
    """
    said: dict[str, Target] = {}
    for each in option:
        name, equals, target = each.rpartition("=")
        if not equals or not name:
            example = "'Customer ID=customer_id'"
            raise UsageFault(f"{quoted(each)} is not COLUMN=TYPE, such as {example}")
        if name in said:
            raise UsageFault(f"the column {quoted(name)} is given twice; give it once")
        member = TYPES_BY_NAME.get(target) or _MEMBERS.get(target)
        if target and member is None:
            raise UsageFault(f"unknown identity type {quoted(target)}{_near_target(target)}")
        said[name] = member
    return said
