"""Import: whole profiles into a store, all of a file or none (section 8)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from idsync_cli.core.admission import Violation, admitted, can_be_found, violation
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.errors import Hint, number_of
from idsync_cli.file_faults import Excerpt, Fault, FileFault
from idsync_cli.files import rules_json
from idsync_cli.files.data_lines import DataLine, DigestKeyLine
from idsync_cli.files.profile_lines import BadLine, ProfileLine
from idsync_cli.files.record_lines import RecordLine
from idsync_cli.store.api import Transaction
from idsync_cli.transfer.record_import import RecordImport, profiles_of
from idsync_cli.transfer.twins import Lines, Twin, TwinLines, twin_of

FAULTS_SHOWN = 20
"""How many bad lines are listed."""


class Imported(NamedTuple):
    """How many profiles, records of their data, erasures and blocked values there are.

    With `dry_run`, the store is thrown away. `never_found` counts the profiles that no request can
    ever be answered with. `line_ends` counts the values that contain a line end, as a misplaced
    quotation mark produces them, and `first_line_end` is the line of the first.
    """

    profiles: int
    dry_run: bool
    erasures: int = 0
    records: int = 0
    blocked: int = 0
    never_found: int = 0
    line_ends: int = 0
    first_line_end: int | None = None

    @property
    def exit_status(self) -> int:
        """0: a file of which a line is refused is a fault."""
        return 0


class _Broken(NamedTuple):
    """A line that is rejected: what is wrong, who has already what it brings, and the way out."""

    line: int
    what: str
    excerpt: Excerpt | None
    twin: Twin | None = None
    way_out: str = ""
    hint: Hint | None = None


def import_profiles(
    name: str,
    read: Callable[[], Lines],
    organization: Organization,
    transaction: Transaction,
    *,
    now_ms: int,
    dry_run: bool = False,
) -> Imported:
    """Insert the lines of a file, each profile entered in the history, and say how many they were.

    The store's counter goes on from the highest number. `name` is the file's, for its faults, and
    `read` gives its lines, once more if lines are rejected for what others brought. A dry run is
    one by the store that it is given, which is thrown away.

    Raises:
        FileFault: the bad lines; the session must then be abandoned.
    """
    bad = 0
    first: list[_Broken] = []
    its = _Import(organization, transaction, now_ms)
    for line in read():
        broken = its.insert(line)
        if broken is None:
            continue
        bad += 1
        if len(first) < FAULTS_SHOWN:
            first.append(broken)
    if first:
        raise _fault(name, first, bad, read)
    if its.profiles:
        transaction.remember_rules(rules_json.remembered(organization))
    counts = its.profiles, dry_run, its.erasures, its.records, its.blocked, its.never_found
    return Imported(*counts, its.line_ends, its.first_line_end)


def _fault(name: str, first: Sequence[_Broken], bad: int, read: Callable[[], Lines]) -> FileFault:
    """The first bad lines, with who has already what they bring, and how many more there are."""
    lines = TwinLines([each.twin for each in first], [each.line for each in first])
    lines.find(read, first[-1].line)
    faults: list[Fault | str] = []
    for line, what, excerpt, twin, way_out, hint in first:
        where = "" if twin is None else lines.told(twin, line)
        faults.append(Fault(name, f"{what}{where}{way_out}", line, hint=hint, excerpt=excerpt))
    if bad > len(first):
        faults.append(f"and {number_of(bad - len(first), 'more bad line')}")
    return FileFault([*faults, "nothing was imported"])


class _Import:
    """A file on its way into a store, and how much of it was taken in."""

    def __init__(self, organization: Organization, transaction: Transaction, now_ms: int) -> None:
        self._organization = organization
        self._transaction = transaction
        self._now_ms = now_ms
        self._of_data = RecordImport(transaction, now_ms)
        self._refused: set[int] = set()  # MPIDs of profiles, so that their data is passed over
        self.profiles = self.records = self.erasures = self.blocked = self.never_found = 0
        self.line_ends = 0
        self.first_line_end: int | None = None

    def insert(self, line: ProfileLine | RecordLine | BadLine) -> _Broken | None:
        """Add what a line says to the store, or say why it cannot be added."""
        if isinstance(line, BadLine):
            return _Broken(line.line, line.what, line.excerpt, hint=line.hint)
        if isinstance(line, ProfileLine):
            broken = self._insert_profile(line)
            self.profiles += broken is None
            if found := sum("\n" in each.value or "\r" in each.value for each in line.identifiers):
                self.line_ends += found
                self.first_line_end = self.first_line_end or line.line
            if broken is not None:
                self._refused.add(line.mpid)
            return broken
        if isinstance(line, DigestKeyLine):
            self._of_data.add_key(line)
            return None
        if isinstance(line, DataLine):
            if not self._refused.isdisjoint(profiles_of(line.record).values()):
                return None
            violated = self._of_data.insert(line)
            self.records += violated is None
        else:
            violated = _insert_erasure(line.erasure, self._transaction)
            if violated is None:
                self._of_data.mark_taken_by_erasure(line.erasure.seq)
                self.erasures += 1
        if violated is None:
            return None
        return _Broken(line.line, violated.message, line.excerpt(violated.word))

    def _insert_profile(self, line: ProfileLine) -> _Broken | None:
        transaction = self._transaction
        rules = self._organization.scopes[line.scope]
        seq = transaction.last_seq + 1 if line.created_seq is None else line.created_seq
        lookup = transaction.lookup(line.scope, rules)
        was_given_out = lookup.was_given_out(line.mpid)
        for erasure in transaction.erasures(line.mpid) if was_given_out else ():
            by = f"was erased by request {erasure.seq} and stays erased"
            what = f"ERASED: the profile {line.mpid} {by}; remove the line"
            return _Broken(line.line, what, line.excerpt(("mpid",)))
        left = admitted(line.identifiers, rules, lookup)
        profile = Profile(
            mpid=line.mpid,
            created_seq=seq,
            source_mpid=line.source_mpid,
            was_known=line.known or rules.holds_login_id(types_of(left.identifiers)),
            identifiers=left.identifiers,
        )
        if not transaction.is_taken(seq):
            violated, way_out = violation(profile, rules, lookup), ""
        elif was_given_out:
            excerpt = line.excerpt(("mpid",))
            there = Twin(" in line {}", " in the store", line.mpid)
            what = f"the profile {line.mpid} is already"
            return _Broken(line.line, what, excerpt, there, "; remove the line")
        else:
            violated = Violation(f"created_seq {seq} is already in use", ("created_seq",))
            way_out = "; omit created_seq to take the next number"
        if violated is not None:
            twin = twin_of(profile, violated, lookup)
            excerpt = line.excerpt(left.as_given(violated).word)
            return _Broken(line.line, left.told(violated), excerpt, twin, way_out)
        self._of_data.mark_taken(seq)
        transaction.insert(line.scope, profile, rules, self._now_ms)
        transaction.advance_to(max(transaction.last_seq, seq))
        self.blocked += left.blocked
        self.never_found += not can_be_found(profile, rules)
        return None


def _insert_erasure(erasure: Erasure, transaction: Transaction) -> Violation | None:
    """Enter an erasure in the store, or say why that cannot be done."""
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
