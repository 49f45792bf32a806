"""Import: whole profiles into a store, all of a file or none (section 8)."""

from collections.abc import Iterable
from typing import NamedTuple

from idsync_cli.core.admission import admitted, violation
from idsync_cli.core.config.rules import Organization
from idsync_cli.core.profile import Profile, types_of
from idsync_cli.errors import FileFault, number_of, printable
from idsync_cli.files import rules_json
from idsync_cli.files.profile_lines import BadLine, ProfileLine
from idsync_cli.store.api import Transaction

FAULTS_SHOWN = 20
"""How many bad lines are listed."""


class Imported(NamedTuple):
    """How many profiles were taken in, and how many of their values the scopes block (section 11).

    `dry_run` says that it was into a store that goes again.
    """

    profiles: int
    dry_run: bool
    blocked: int = 0

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
    taken_in = blocked = bad = 0
    faults: list[str] = []
    for line in lines:
        outcome = (
            line.what
            if isinstance(line, BadLine)
            else _take_in(line, organization, transaction, now_ms)
        )
        if isinstance(outcome, int):
            taken_in += 1
            blocked += outcome
            continue
        bad += 1
        if len(faults) < FAULTS_SHOWN:
            faults.append(f"{printable(name)}:{line.line}: {outcome}")
    if bad > len(faults):
        faults.append(f"and {number_of(bad - len(faults), 'more bad line')}")
    if faults:
        raise FileFault([*faults, "nothing was imported"])
    if taken_in:
        transaction.remember_rules(rules_json.remembered(organization))
    return Imported(taken_in, dry_run, blocked)


def _take_in(
    line: ProfileLine, organization: Organization, transaction: Transaction, now_ms: int
) -> int | str:
    """Put one profile into the store, without the values that are blocked; how many those are.

    Or say why it cannot be put there.
    """
    rules = organization.scopes[line.scope]
    seq = transaction.last_seq + 1 if line.created_seq is None else line.created_seq
    lookup = transaction.lookup(line.scope, rules)
    if transaction.is_taken(seq):
        if lookup.was_given_out(line.mpid):
            return f"the profile {line.mpid} is already in the store; remove the line"
        return f"created_seq {seq} is already in use; omit created_seq to take the next number"
    identifiers, blocked = admitted(line.identifiers, rules, lookup)
    profile = Profile(
        mpid=line.mpid,
        created_seq=seq,
        source_mpid=line.source_mpid,
        was_known=line.known or rules.holds_login_id(types_of(identifiers)),
        identifiers=identifiers,
    )
    broken = violation(profile, rules, lookup)
    if broken is not None:
        return broken
    transaction.insert(line.scope, profile, rules, now_ms)
    transaction.advance_to(max(transaction.last_seq, seq))
    return blocked
