"""Import: whole profiles into a store, all of a file or none (section 8)."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.core.admission import Violation, admitted, violation
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.errors import Fault, FileFault, number_of
from idsync_cli.files import rules_json
from idsync_cli.files.data_lines import DataLine, DigestKeyLine
from idsync_cli.files.profile_lines import AnyLine, BadLine, ProfileLine
from idsync_cli.files.record_lines import ErasureLine, RecordLine
from idsync_cli.store.api import Transaction
from idsync_cli.transfer.record_import import RecordImport, profiles_of

FAULTS_SHOWN = 20
"""How many bad lines are listed."""


class Imported(NamedTuple):
    """The numbers of profiles, of records of what they have, of erasures, and of blocked values.

    With `dry_run`, the store is thrown away.
    """

    profiles: int
    dry_run: bool
    erasures: int = 0
    records: int = 0
    blocked: int = 0

    @property
    def exit_status(self) -> int:
        """0: a file of which a line is refused is a fault."""
        return 0


def import_profiles(
    name: str,
    lines: Iterable[AnyLine],
    organization: Organization,
    transaction: Transaction,
    *,
    now_ms: int,
    dry_run: bool = False,
) -> Imported:
    """Take in the lines of a file, each profile entered in the history, and say how many they were.

    The store's counter goes on from the highest number. `name` is the file's, for its faults. A dry
    run is one by the store that it is given, which is thrown away.

    Raises:
        FileFault: the bad lines; the session must then be abandoned.
    """
    bad = 0
    faults: list[Fault | str] = []
    its = _Import(organization, transaction, now_ms)
    for line in lines:
        hint = None
        if isinstance(line, BadLine):
            what, excerpt, hint = line.what, line.excerpt, line.hint
        else:
            broken = its.take_in(line)
            if broken is None:
                continue
            what, excerpt = broken.message, line.excerpt(broken.word)
        bad += 1
        if len(faults) < FAULTS_SHOWN:
            faults.append(Fault(name, what, line.line, hint=hint, excerpt=excerpt))
    if bad > len(faults):
        faults.append(f"and {number_of(bad - len(faults), 'more bad line')}")
    if faults:
        raise FileFault([*faults, "nothing was imported"])
    if its.profiles:
        transaction.remember_rules(rules_json.remembered(organization))
    return Imported(its.profiles, dry_run, its.erasures, its.records, its.blocked)


class _Import:
    """A file on its way into a store, and how much of it was taken in."""

    def __init__(self, organization: Organization, transaction: Transaction, now_ms: int) -> None:
        self._organization = organization
        self._transaction = transaction
        self._now_ms = now_ms
        self._of_data = RecordImport(transaction, now_ms)
        self._refused: set[int] = set()  # MPIDs of profiles, so that their data is passed over
        self.profiles = self.records = self.erasures = self.blocked = 0

    def take_in(self, line: ProfileLine | RecordLine) -> Violation | None:
        """Add what a line says to the store, or say why it cannot be added."""
        if isinstance(line, DigestKeyLine):
            self._of_data.take_key(line)
            return None
        if isinstance(line, DataLine):
            if not self._refused.isdisjoint(profiles_of(line.record).values()):
                return None
            broken = self._of_data.take(line)
            self.records += broken is None
        elif isinstance(line, ErasureLine):
            broken = _take_in_erasure(line.erasure, self._transaction)
            self.erasures += broken is None
        else:
            broken = self._take_in_profile(line)
            self.profiles += broken is None
            if broken is not None:
                self._refused.add(line.mpid)
        return broken

    def _take_in_profile(self, line: ProfileLine) -> Violation | None:
        transaction = self._transaction
        rules = self._organization.scopes[line.scope]
        seq = transaction.last_seq + 1 if line.created_seq is None else line.created_seq
        lookup = transaction.lookup(line.scope, rules)
        if lookup.was_given_out(line.mpid):
            for erasure in transaction.erasures(line.mpid):
                by = f"was erased by request {erasure.seq} and stays so"
                what = f"ERASED: the profile {line.mpid} {by}; remove the line"
                return Violation(what, ("mpid",))
        if transaction.is_taken(seq):
            if lookup.was_given_out(line.mpid):
                what = f"the profile {line.mpid} is already in the store; remove the line"
                return Violation(what, ("mpid",))
            what = f"created_seq {seq} is already in use; omit created_seq to take the next number"
            return Violation(what, ("created_seq",))
        left = admitted(line.identifiers, rules, lookup)
        profile = Profile(
            mpid=line.mpid,
            created_seq=seq,
            source_mpid=line.source_mpid,
            was_known=line.known or rules.holds_login_id(types_of(left.identifiers)),
            identifiers=left.identifiers,
        )
        broken = violation(profile, rules, lookup)
        if broken is not None:
            return left.as_given(broken)
        self._of_data.takes(seq)
        transaction.insert(line.scope, profile, rules, self._now_ms)
        transaction.advance_to(max(transaction.last_seq, seq))
        self.blocked += left.blocked
        return None


def _take_in_erasure(erasure: Erasure, transaction: Transaction) -> Violation | None:
    """Let the store know of an erasure, or say why it cannot."""
    mpid, seq = erasure.mpid, erasure.seq
    if any(transaction.erasures(mpid)):
        return Violation(
            f"the erasure of the profile {mpid} is already in the store; remove the line", ("mpid",)
        )
    if transaction.find(mpid) is not None:
        return Violation(
            f"the profile {mpid}, erased elsewhere, is in the store; erase it here first", ("mpid",)
        )
    if transaction.is_taken(seq):
        return Violation(f"seq {seq} is already in use", ("seq",))
    transaction.insert_erasure(erasure)
    transaction.advance_to(max(transaction.last_seq, seq))
    return None
