"""Section 9 of docs/specification.md as part of the brute-force model: erasures.

Written from the specification alone; importing nothing of the package. It keeps every change that
was ever made, with whom the request was answered, and looks at all of them.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

Json = dict[str, Any]
Pair = tuple[str, str | None]


@dataclass(frozen=True)
class Entry:
    """A change of an identity record; `answer` is None where that profile was erased.

    A value that was erased is None.
    """

    seq: int
    op: str
    mpid: int
    type: str
    value: str | None
    scope: str
    answer: int | None

    @property
    def pair(self) -> Pair:
        return self.type, self.value


class Erasures:
    """The history, and who was erased: by MPID, with what is kept of it."""

    def __init__(self) -> None:
        self.history: list[Entry] = []
        self.erased: dict[int, Json] = {}

    def note(self, seq: int, scope: str, answer: int, changes: Iterable[Json]) -> None:
        """Keep what a request changed, or an import brought."""
        for each in changes:
            of = int(each["mpid"]), each["identity_type"], each["value"]
            entry = Entry(seq, each["op"], *of, scope, answer)
            insort(self.history, entry, key=lambda entry: entry.seq)

    def lost(
        self, mpid: int, scope: str, held: Iterable[Pair], others: Iterable[Pair]
    ) -> set[Pair]:
        """What the profile holds or held, and no other profile of the scope holds now."""
        ever = {*held, *(each.pair for each in self.history if each.mpid == mpid)}
        return {pair for pair in ever - {*others} if pair[1] is not None}

    def report(
        self, mpid: int, held: list[Pair], lost: set[Pair], sources: Mapping[int, int | None]
    ) -> Json:
        """What an answer says of identifiers and the history, and whom it names."""
        taken = {
            each.mpid
            for each in self.history
            if each.op == "remove" and each.mpid != mpid and each.answer == mpid
        }
        made = [other for other, source in sources.items() if source == mpid]
        return {
            "identifiers": len(held),
            "values": len(lost),
            "history": sum(each.mpid == mpid for each in self.history),
            "made_from_it": [str(each) for each in sorted(made)],
            "taken_from": [str(each) for each in sorted(taken)],
        }

    def erase(self, mpid: int, scope: str, lost: set[Pair], kept: Json) -> None:
        """Remove its entries, and what is lost from those of others."""
        left = []
        for each in self.history:
            if each.mpid != mpid:
                is_lost = each.scope == scope and each.pair in lost
                value = None if is_lost else each.value
                answer = None if each.answer == mpid else each.answer
                left.append(replace(each, value=value, answer=answer))
        self.history = left
        self.erased[mpid] = kept

    def taken(self) -> set[int]:
        """The numbers under which anything was changed or erased."""
        return {each.seq for each in self.history} | {each["seq"] for each in self.erased.values()}

    def lines(self) -> list[Json]:
        """Lines of an export, but for the time."""
        found = [
            {"record": "erasure", "mpid": str(mpid)} | kept for mpid, kept in self.erased.items()
        ]
        return sorted(found, key=lambda line: line["seq"])
