"""Import: whole profiles into a store, all of a file or none (section 8)."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.core.admission import Violation, admitted, violation
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.erasure import Erasure
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.errors import Fault, FileFault, number_of
from idsync_cli.files import rules_json
from idsync_cli.files.profile_lines import AnyLine, BadLine, ProfileLine
from idsync_cli.files.record_lines import ErasureLine
from idsync_cli.store.api import Transaction

FAULTS_SHOWN = 20
"""How many bad lines are listed."""


class Imported(NamedTuple):
    """The numbers of profiles and erasures that were imported, and of values that are blocked.

    With `dry_run`, the store is thrown away.
    """

    profiles: int
    dry_run: bool
    erasures: int = 0
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
    taken_in = erasures = blocked = bad = 0
    faults: list[Fault | str] = []
    for line in lines:
        hint = None
        if isinstance(line, BadLine):
            what, excerpt, hint = line.what, line.excerpt, line.hint
        else:
            if isinstance(line, ErasureLine):
                broken = _take_in_erasure(line.erasure, transaction)
                erasures += broken is None
            else:
                outcome = _take_in(line, organization, transaction, now_ms)
                broken = None if isinstance(outcome, int) else outcome
                blocked += outcome if isinstance(outcome, int) else 0
                taken_in += broken is None
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
    if taken_in:
        transaction.remember_rules(rules_json.remembered(organization))
    return Imported(taken_in, dry_run, erasures, blocked)


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
) -> int | Violation:
    """Add one profile to the store, without the values that are blocked; how many those are.

    Or say why it cannot be added.
    """
    rules = organization.scopes[line.scope]
    seq = transaction.last_seq + 1 if line.created_seq is None else line.created_seq
    lookup = transaction.lookup(line.scope, rules)
    if lookup.was_given_out(line.mpid):
        for erasure in transaction.erasures(line.mpid):
            what = (
                f"ERASED: the profile {line.mpid} was erased by request {erasure.seq} and stays "
                "so; remove the line"
            )
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
    transaction.insert(line.scope, profile, rules, now_ms)
    transaction.advance_to(max(transaction.last_seq, seq))
    return left.blocked
