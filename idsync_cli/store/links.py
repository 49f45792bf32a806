"""What graphs ask of a store: which profiles hold, or once held, which identifiers.

Profiles go by their `created_seq` here, and identifiers by numbers that a store gives them, so that
a walk from one to the next reads no value. As with `Inspection`, the answers are defined here by
what every store tells (`Questions`), all of which is read at the start, and a store that may grow
has queries for them. `tests/test_store_links.py` compares them.
"""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Change
from idsync_cli.core.erasure import ERASED_VALUE
from idsync_cli.core.identity import Identifier
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.store.questions import Questions


class LinkRow(NamedTuple):
    """A profile that holds an identifier, or held it until the request `removed_seq`."""

    created_seq: int
    identifier_id: int
    added_seq: int
    removed_seq: int | None


class _Placed(NamedTuple):
    """A link, and where in its request it was made."""

    row: LinkRow
    place: int


class Links:
    """Who holds what, and held it, in one transaction; both now and once, the newest first.

    It is valid until something is changed, or the transaction ends: so are the numbers of
    identifiers. One whose value was erased has a number, too; whether two links lead to the same
    such one need not be known. Any method may raise StoreFault: the store cannot be used.
    """

    def __init__(self, questions: Questions) -> None:
        self._profiles: dict[int, tuple[str, ProfileView]] = {}
        self._identifiers: list[tuple[str, Identifier]] = []
        self._numbers: dict[tuple[str, Identifier], int] = {}
        self._held: list[_Placed] = []
        self._past: list[_Placed] = []
        self._read(questions)

    def of_profile(self, created_seq: int, most: int) -> list[LinkRow]:
        """What a profile holds, then what it once held, each by when it came; at most so many."""
        held, past = self._of(lambda row: row.created_seq == created_seq)
        return [*_rows(held), *_rows(past)][:most]

    def of_identifier(self, number: int, most: int) -> list[LinkRow]:
        """Who holds an identifier, by age, then who once held it, by when it came."""
        held, past = self._of(lambda row: row.identifier_id == number)
        by_age = sorted(_rows(held), key=lambda row: -row.created_seq)
        return [*by_age, *_rows(past)][:most]

    def between(self, profiles: Collection[int], identifiers: Collection[int]) -> list[LinkRow]:
        """Which of some profiles hold, or once held, which of some identifiers; in no order."""
        held, past = self._of(
            lambda row: row.created_seq in profiles and row.identifier_id in identifiers
        )
        return [*_rows(held), *_rows(past)]

    def count_identifiers_of(self, profiles: Collection[int]) -> int:
        """How many identifiers some profiles hold or once held, each counted once."""
        held, past = self._of(lambda row: row.created_seq in profiles)
        return len({each.row.identifier_id for each in (*held, *past)})

    def count_profiles_with(self, identifiers: Collection[int]) -> int:
        """How many profiles hold or once held one of some identifiers, each counted once."""
        held, past = self._of(lambda row: row.identifier_id in identifiers)
        return len({each.row.created_seq for each in (*held, *past)})

    def newest_profiles(self, scope: str, most: int) -> list[int]:
        """The newest profiles of a scope, at most so many, the oldest of them first."""
        numbers = [seq for seq, (its, _) in self._profiles.items() if its == scope]
        return sorted(numbers)[max(0, len(numbers) - most) :]

    def profile(self, created_seq: int) -> tuple[str, ProfileView] | None:
        """A profile without what it holds, with its scope; None if it was erased."""
        return self._profiles.get(created_seq)

    def identifier(self, number: int) -> tuple[str, Identifier]:
        """The identifier of a number, with the scope in which it is one."""
        return self._identifiers[number]

    def numbers_of(self, identifier: Identifier, scope: str | None = None) -> list[int]:
        """The numbers of an identifier that somebody holds or once held, in one scope or in all.

        There is one for each scope at most; they come in no order.
        """
        return [
            number
            for (its, each), number in self._numbers.items()
            if each == identifier and scope in (None, its)
        ]

    def _read(self, questions: Questions) -> None:
        everybody = {each.mpid: (scope, each) for scope, each in questions.profiles({})}
        for scope, each in everybody.values():
            view = ProfileView(
                each.mpid, each.created_seq, each.source_mpid, each.was_known, each.types
            )
            self._profiles[each.created_seq] = scope, view
        came: dict[tuple[int, Identifier], tuple[int, int]] = {}
        seq = place = 0
        for entry in questions.history():
            place = place + 1 if entry.seq == seq else 1
            seq, change = entry.seq, entry.change
            if not isinstance(change, Change):
                continue
            scope, profile = everybody[change.mpid]
            which = change.mpid, change.identifier
            if change.op is Op.ADD:
                came[which] = seq, place
            else:
                added, its_place = came.pop(which, (profile.created_seq, 0))
                row = self._row(scope, profile, change.identifier, added, seq)
                self._past.append(_Placed(row, its_place))
        for scope, profile in everybody.values():
            for number, identifier in enumerate(profile.identifiers, start=1):
                without_history = profile.created_seq, number
                added, its_place = came.get((profile.mpid, identifier), without_history)
                row = self._row(scope, profile, identifier, added, None)
                self._held.append(_Placed(row, its_place))

    def _row(
        self, scope: str, profile: Profile, identifier: Identifier, added: int, removed: int | None
    ) -> LinkRow:
        where, new = (scope, identifier), len(self._identifiers)
        number = new if identifier.value == ERASED_VALUE else self._numbers.setdefault(where, new)
        if number == new:
            self._identifiers.append(where)
        return LinkRow(profile.created_seq, number, added, removed)

    def _of(self, accepts: Callable[[LinkRow], bool]) -> tuple[list[_Placed], list[_Placed]]:
        held, past = (
            [each for each in its if accepts(each.row)] for its in (self._held, self._past)
        )
        return held, past


def _rows(placed: Iterable[_Placed]) -> list[LinkRow]:
    """The links, the last that was made first."""
    newest = sorted(placed, key=lambda each: (each.row.added_seq, each.place), reverse=True)
    return [each.row for each in newest]
