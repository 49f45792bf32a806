"""Both sides of a comparison, replayed: what the commands share that make one."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from idsync_cli.cli.environment import now_ms, say
from idsync_cli.cli.input_files import checked_target, readable, say_order
from idsync_cli.cli.opening import check_seed, existing_store
from idsync_cli.cli.progress import files_progress
from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import UsageFault, printable, quoted
from idsync_cli.foresight.comparing.compare import Compared, compare, compare_recorded
from idsync_cli.foresight.comparing.work import Advance, SideJob


class Beginning(NamedTuple):
    """What both sides begin with, and of whom requests are that name nobody."""

    scope: str | None = None
    workspace: str | None = None
    seed: int | None = None
    store: str | None = None
    maps_mpids: bool = False


def replayed(
    organizations: Sequence[Organization],
    files: Sequence[str],
    beginning: Beginning,
    *,
    examples: int,
    in_graph: int = 0,
) -> Compared:
    """Replay files under two configurations, or under one against what was recorded.

    Raises:
        UsageFault: nothing can be compared, or a file cannot be read.
        StoreFault: the store to begin with cannot be used, or there is no room.
    """
    scopes = _common_scopes(organizations[0], organizations[-1])
    if beginning.scope is None and beginning.workspace is None:
        _say_who_needs_a_scope(organizations[0], organizations[-1], scopes)
    targets = [checked_target(each, beginning.scope, beginning.workspace) for each in organizations]
    _check_store(beginning.store, organizations[0], beginning.seed)
    is_recorded = len(organizations) == 1
    with readable(list(files)) as found_files:
        say_order(found_files)
        job = SideJob(
            organization=organizations[0],
            target=targets[0],
            files=tuple(found_files),
            scopes=scopes,
            seed=beginning.seed or 0,
            store=beginning.store,
            now_ms=now_ms(),
            folder="",
            maps_mpids=beginning.maps_mpids or is_recorded,
        )

        def shown(noun: str) -> AbstractContextManager[Advance]:
            paths = [each.path for each in found_files]
            return files_progress(paths, noun, times=len(organizations))

        if is_recorded:
            return compare_recorded(job, examples=examples, progress=shown)
        proposed = job._replace(organization=organizations[1])
        return compare(job, proposed, examples=examples, progress=shown, in_graph=in_graph)


def _common_scopes(a: Organization, b: Organization) -> tuple[str, ...]:
    """The scopes that both have; says which are left out.

    Raises:
        UsageFault: there is none.
    """
    common = tuple(name for name in a.scopes if name in b.scopes)
    if not common:
        raise UsageFault(
            "the two configurations have no scope in common, so there is nothing to compare; "
            "give the scope the same name in both"
        )
    for side, has, lacks in (("A", a, b), ("B", b, a)):
        for name in has.scopes:
            if name not in lacks.scopes:
                say(f"note: the scope {quoted(name)} is only in {side}; it is not compared")
    return common


def _say_who_needs_a_scope(a: Organization, b: Organization, common: Sequence[str]) -> None:
    """Say so where requests that name no scope are answered on one side alone."""
    if (len(a.scopes) == 1) == (len(b.scopes) == 1):
        return
    side = "A" if len(a.scopes) > 1 else "B"
    say(
        f"note: {side} rejects requests that name no scope, because it has several; "
        f"use --scope {printable(common[0])} to name one for them"
    )


def _check_store(path: str | None, organization: Organization, seed: int | None) -> None:
    """See whether the store to begin with can be read.

    Raises:
        StoreFault: it cannot, or is not there.
        UsageFault: it has another seed than the one that is asked for.
    """
    if path is None:
        return
    with existing_store(path, organization) as opened:
        check_seed(opened, path, seed)
