"""What is asserted of statistics: a number in them, held against another (section 12)."""

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from idsync_cli.errors import UsageFault, nearest, printable, quoted

_OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_FORM = re.compile(r"\s*(\S.*?)\s*(<=|>=|==|!=|<|>)\s*(-?[0-9]+(?:\.[0-9]+)?)\s*", re.ASCII)
_SCOPES = "scopes"
_ADDED_UP = ("profiles", "known", "anonymous", "orphaned", "identifiers", "types", "several_logins")
"""The numbers of scopes whose sum means something."""


class Assertion(NamedTuple):
    """That the number of a name stands in a relation to another."""

    name: str
    relation: str
    number: float
    text: str

    def found_in(self, document: Mapping[str, Any]) -> float:
        """The number that its name leads to; of a list, how many it has.

        Raises:
            UsageFault: it leads to none.
        """
        found = _value(document, self.name)
        if found is _NOT_THERE and self.name.split(".")[0] in _ADDED_UP:
            its = [_value(scope, self.name) for scope in document[_SCOPES].values()]
            numbers = [each for each in its if each is not _NOT_THERE]
            if numbers and None not in numbers:
                return sum(self._number(each) for each in numbers)
            if numbers or not its:
                found = None if numbers else 0  # there is no scope to have any
        if found is _NOT_THERE:
            raise UsageFault(
                f"--assert {quoted(self.text)}: there is no {quoted(self.name)} in the statistics"
                f"{self._hint(document)}"
            )
        return self._number(found)

    def _hint(self, document: Mapping[str, Any]) -> str:
        scopes = document[_SCOPES]
        for scope, each in scopes.items():
            if self.name in each:
                return (
                    f"; name it with its scope, such as {printable(f'scopes.{scope}.{self.name}')}"
                )
        names = [f"{_SCOPES}.{scope}.{name}" for scope, each in scopes.items() for name in each]
        hint = nearest(self.name, [*document, *_ADDED_UP, *names])
        return hint or "; for all names, run: idsync stats --json"

    def _number(self, found: Any) -> float:
        if found is None:
            raise UsageFault(
                f"--assert {quoted(self.text)}: {quoted(self.name)} needs --deep, which reads the "
                "whole store"
            )
        if isinstance(found, list):
            return len(found)
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise UsageFault(
                f"--assert {quoted(self.text)}: {quoted(self.name)} is not a number; name a "
                "number in it, after a dot"
            )
        return found

    def holds(self, found: float) -> bool:
        """Whether a number is as is asserted."""
        return _OPERATORS[self.relation](found, self.number)


_NOT_THERE: Final = object()


def assertion_in(text: str) -> Assertion:
    """Read `NAME OP N`.

    Raises:
        UsageFault: it is not of that form.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageFault(
            f"--assert {quoted(text)} is not NAME OP N, such as 'orphaned == 0'; OP is one of "
            f"{' '.join(_OPERATORS)}"
        )
    name, relation, number = match.groups()
    return Assertion(name, relation, float(number), text)


def _value(document: Any, path: str) -> Any:
    """What a path leads to; a name in it may have dots itself."""
    if not isinstance(document, Mapping):
        return _NOT_THERE
    if path in document:
        return document[path]
    for name, value in document.items():
        if path.startswith(f"{name}."):
            if value is None:
                return None
            found = _value(value, path[len(name) + 1 :])
            if found is not _NOT_THERE:
                return found
    return _NOT_THERE
