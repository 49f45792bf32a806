"""Questions about single profiles, answered by what every store tells (`Questions`).

The answers are defined here in plain Python, which reads all of a store: enough for one that is
small. A store that may grow derives from it, answers by its own queries, and reads no more than is
asked for. `tests/test_store_inspection.py` compares the answers.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from idsync_cli.core.codes import Op
from idsync_cli.core.decision import Change
from idsync_cli.core.identity import Identifier, IdentityType
from idsync_cli.core.profile import Profile, ProfileView
from idsync_cli.store.causes import Act, Arrival, cause_of
from idsync_cli.store.questions import Questions
from idsync_cli.store.values import HistoryEntry

MOST_MPIDS = 10
"""How many MPIDs between two numbers are told."""


class Inspection:
    """Questions about single profiles and identifiers, in one transaction.

    It is valid until something is changed, or the transaction ends. Any method may raise
    StoreFault: the store cannot be used.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    def view(self, mpid: int) -> tuple[str, ProfileView] | None:
        """The profile that has the MPID, without what it holds, with its scope."""
        found = self._questions.find(mpid)
        return None if found is None else (found[0], _view(found[1]))

    def newest(self, limit: int) -> list[tuple[str, ProfileView]]:
        """The newest profiles with their scopes, the last first, at most `limit`."""
        everybody = [(scope, _view(each)) for scope, each in self._questions.profiles({})]
        return everybody[::-1][:limit]

    def mpids_between(self, least: int, most: int) -> list[int]:
        """The MPIDs of profiles from one number to another, ascending: the first MOST_MPIDS."""
        mpids = sorted(each.mpid for _, each in self._questions.profiles({}))
        return [mpid for mpid in mpids if least <= mpid <= most][:MOST_MPIDS]

    def holders(
        self, scope: str, identifier: Identifier, limit: int | None = None
    ) -> list[ProfileView]:
        """The profiles of a scope that hold exactly this identifier, oldest first."""
        return [_view(each) for each in self._questions.holding(scope, identifier)][:limit]

    def count_holders(self, scope: str, identifier: Identifier) -> int:
        """How many profiles of a scope hold exactly this identifier."""
        return len(self._questions.holding(scope, identifier))

    def held_among(self, scope: str, kind: IdentityType, values: Iterable[str]) -> list[str]:
        """Those of some values of a type that a profile of the scope holds, in their order."""
        return [each for each in values if self.count_holders(scope, Identifier(kind, each))]

    def count_held(self, profile: ProfileView) -> int:
        """How many identifiers a profile holds."""
        return len(self._whole(profile).identifiers)

    def arrivals(self, profile: ProfileView, limit: int | None = None) -> list[Arrival]:
        """How what a profile holds came to it, in the order in which it did; at most `limit`."""
        came = {
            entry.change.identifier: Arrival(entry.change.identifier, entry.seq, cause_of(entry))
            for entry in self._questions.history(profile.mpid)
            if isinstance(entry.change, Change) and entry.change.op is Op.ADD
        }
        return [
            came.get(each, Arrival(each, profile.created_seq, None))
            for each in self._whole(profile).identifiers[:limit]
        ]

    def history_length(self, mpid: int | None = None, identifier: Identifier | None = None) -> int:
        """How many changes of a profile, of an identifier, or of both the history has.

        An identifier of a profile that came in without a history may be counted, too.
        """
        return sum(1 for _ in self._questions.history(mpid, identifier))

    def life(self, profile: ProfileView, limit: int | None = None) -> Iterator[Act]:
        """The requests and imports that created or changed a profile, by number; at most `limit`.

        A profile that came in without a history has only those that changed it later.
        """
        return islice(self._acts(profile), limit)

    def life_length(self, profile: ProfileView) -> int:
        """How many requests and imports created or changed a profile."""
        return sum(1 for _ in self._acts(profile))

    def created_later(self, mpid: int) -> int | None:  # noqa: ARG002 - none does here
        """The request that created the profile later than the moment that is looked back to.

        None if nobody looks back, or if there is no such profile. Only transactions of SQLite look
        back.
        """
        return None

    def _acts(self, profile: ProfileView) -> Iterator[Act]:
        questions, mpid = self._questions, profile.mpid
        of_request = {seq: [*its] for seq, its in groupby(questions.history(), _seq)}
        numbers = {entry.seq for entry in questions.history(mpid)} | {profile.created_seq}
        for seq in sorted(numbers):
            request = questions.request(seq)
            if request is not None:
                changes = [
                    each.change
                    for each in of_request.get(seq, ())
                    if isinstance(each.change, Change) or each.concerns(mpid)
                ]
                yield Act(seq, request.cause, request.answer, tuple(changes))

    def _whole(self, profile: ProfileView) -> Profile:
        found = self._questions.find(profile.mpid)
        assert found is not None
        return found[1]


def _view(profile: Profile) -> ProfileView:
    of = profile
    return ProfileView(of.mpid, of.created_seq, of.source_mpid, of.was_known, of.types)


def _seq(entry: HistoryEntry) -> int:
    return entry.seq
