"""Import: whole profiles into a store, all of a file or none (section 8)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from idsync_cli.core.admission import Violation, can_be_found, violation
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.errors import Excerpt, Fault, FileFault, Hint, number_of
from idsync_cli.files import rules_json
from idsync_cli.files.profile_lines import BadLine, ProfileLine
from idsync_cli.files.record_lines import ErasureLine
from idsync_cli.store.api import Transaction
from idsync_cli.transfer.twins import Lines, Places, Twin, twin_of

FAULTS_SHOWN = 20
"""How many bad lines are listed."""


class Imported(NamedTuple):
    """The numbers of profiles and erasures that were imported.

    With `dry_run`, the store is thrown away. `never_found` counts the profiles that no request can
    ever be answered with.
    """

    profiles: int
    dry_run: bool
    erasures: int = 0
    never_found: int = 0

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
    """Take in the lines of a file, each profile entered in the history, and say how many they were.

    The store's counter goes on from the highest number. `name` is the file's, for its faults, and
    `read` gives its lines, once more if lines are rejected for what others brought. A dry run is
    one by the store that it is given, which is thrown away.

    Raises:
        FileFault: the bad lines; the session must then be abandoned.
    """
    taken_in = erasures = bad = never_found = 0
    first: list[_Broken] = []
    for line in read():
        if isinstance(line, BadLine):
            broken = _Broken(line.line, line.what, line.excerpt, hint=line.hint)
        elif isinstance(line, ErasureLine):
            violated = _take_in_erasure(line.erasure, transaction)
            if violated is None:
                erasures += 1
                continue
            broken = _Broken(line.line, violated.message, line.excerpt(violated.word))
        else:
            found = _take_in(line, organization, transaction, now_ms)
            if isinstance(found, bool):
                taken_in += 1
                never_found += not found
                continue
            broken = found
        bad += 1
        if len(first) < FAULTS_SHOWN:
            first.append(broken)
    if first:
        raise _fault(name, first, bad, read)
    if taken_in:
        transaction.remember_rules(rules_json.remembered(organization))
    return Imported(taken_in, dry_run, erasures, never_found)


def _fault(name: str, first: Sequence[_Broken], bad: int, read: Callable[[], Lines]) -> FileFault:
    """The first bad lines, with who has already what they bring, and how many more there are."""
    places = Places([each.twin for each in first], [each.line for each in first])
    places.find(read, first[-1].line)
    faults: list[Fault | str] = []
    for line, what, excerpt, twin, way_out, hint in first:
        where = "" if twin is None else places.told(twin, line)
        faults.append(Fault(name, f"{what}{where}{way_out}", line, hint=hint, excerpt=excerpt))
    if bad > len(first):
        faults.append(f"and {number_of(bad - len(first), 'more bad line')}")
    return FileFault([*faults, "nothing was imported"])


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


def _take_in(
    line: ProfileLine, organization: Organization, transaction: Transaction, now_ms: int
) -> bool | _Broken:
    """Add one profile to the store, and say whether it can be found; or why it cannot be added."""
    rules = organization.scopes[line.scope]
    seq = transaction.last_seq + 1 if line.created_seq is None else line.created_seq
    lookup = transaction.lookup(line.scope, rules)
    was_given_out = lookup.was_given_out(line.mpid)
    for erasure in transaction.erasures(line.mpid) if was_given_out else ():
        what = f"ERASED: the profile {line.mpid} was erased by request {erasure.seq} and stays so"
        return _Broken(line.line, f"{what}; remove the line", line.excerpt(("mpid",)))
    profile = Profile(
        mpid=line.mpid,
        created_seq=seq,
        source_mpid=line.source_mpid,
        was_known=line.known or rules.holds_login_id(types_of(line.identifiers)),
        identifiers=line.identifiers,
    )
    if not transaction.is_taken(seq):
        broken, way_out = violation(profile, rules, lookup), ""
    elif was_given_out:
        excerpt = line.excerpt(("mpid",))
        there = Twin(" in line {}", " in the store", line.mpid)
        what = f"the profile {line.mpid} is already"
        return _Broken(line.line, what, excerpt, there, "; remove the line")
    else:
        broken = Violation(f"created_seq {seq} is already in use", ("created_seq",))
        way_out = "; omit created_seq to take the next number"
    if broken is not None:
        twin, excerpt = twin_of(line, broken, lookup), line.excerpt(broken.word)
        return _Broken(line.line, broken.message, excerpt, twin, way_out)
    transaction.insert(line.scope, profile, rules, now_ms)
    transaction.advance_to(max(transaction.last_seq, seq))
    return can_be_found(profile, rules)
