"""Import: whole profiles into a store, all of a file or none (section 8)."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.core.admission import Violation, violation
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.errors import Fault, FileFault, number_of
from idsync_cli.files import rules_json
from idsync_cli.files.profile_lines import BadLine, ProfileLine
from idsync_cli.store.api import Transaction

FAULTS_SHOWN = 20
"""How many bad lines are listed."""


class Imported(NamedTuple):
    """How many profiles were taken in; `dry_run` says that it was into a store that goes again."""

    profiles: int
    dry_run: bool

    @property
    def exit_status(self) -> int:
        """0: a file of which a line is refused is a fault."""
        return 0


def import_profiles(
    name: str,
    lines: Iterable[ProfileLine | BadLine],
    organization: Organization,
    transaction: Transaction,
    *,
    now_ms: int,
    dry_run: bool = False,
) -> Imported:
    """Take in the profiles of a file, each entered in the history, and say how many they were.

    The store's counter goes on from the highest number. `name` is the file's, for its faults. A dry
    run is one by the store that it is given, which is thrown away.

    Raises:
        FileFault: the bad lines; the session must then be given up.
    """
    taken_in = bad = 0
    faults: list[Fault | str] = []
    for line in lines:
        if isinstance(line, BadLine):
            what, excerpt = line.what, line.excerpt
        else:
            broken = _take_in(line, organization, transaction, now_ms)
            if broken is None:
                taken_in += 1
                continue
            what, excerpt = broken.message, line.excerpt(broken.word)
        bad += 1
        if len(faults) < FAULTS_SHOWN:
            faults.append(Fault(name, what, line.line, excerpt=excerpt))
    if bad > len(faults):
        faults.append(f"and {number_of(bad - len(faults), 'more bad line')}")
    if faults:
        raise FileFault([*faults, "nothing was imported"])
    if taken_in:
        transaction.remember_rules(rules_json.remembered(organization))
    return Imported(taken_in, dry_run)


def _take_in(
    line: ProfileLine, organization: Organization, transaction: Transaction, now_ms: int
) -> Violation | None:
    """Put one profile into the store, or say why it cannot be."""
    rules = organization.scopes[line.scope]
    seq = transaction.last_seq + 1 if line.created_seq is None else line.created_seq
    lookup = transaction.lookup(line.scope, rules)
    if transaction.is_taken(seq):
        if lookup.was_given_out(line.mpid):
            what = f"the profile {line.mpid} is already in the store; remove the line"
            return Violation(what, ("mpid",))
        what = f"created_seq {seq} is already in use; omit created_seq to take the next number"
        return Violation(what, ("created_seq",))
    profile = Profile(
        mpid=line.mpid,
        created_seq=seq,
        source_mpid=line.source_mpid,
        was_known=line.known or rules.holds_login_id(types_of(line.identifiers)),
        identifiers=line.identifiers,
    )
    broken = violation(profile, rules, lookup)
    if broken is None:
        transaction.insert(line.scope, profile, rules, now_ms)
        transaction.advance_to(max(transaction.last_seq, seq))
    return broken
