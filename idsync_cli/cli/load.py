"""Load what jobs on a cluster decided into a new store."""

from typing import Annotated

import typer

from idsync_cli.cli.environment import now_ms, write_lines
from idsync_cli.cli.options import DEFAULT_STORE, StorePath
from idsync_cli.cli.progress import progress
from idsync_cli.errors import StoreFault, UsageFault, number_of, printable, quoted
from idsync_cli.spark.beginning import import_into
from idsync_cli.spark.loading import check_chain, finished_job
from idsync_cli.spark.loading import load as apply_all
from idsync_cli.store import sqlite as stores


def load(
    folders: Annotated[
        list[str],
        typer.Argument(metavar="DIR...", help="Outputs of spark-replay, oldest first."),
    ],
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="FILE", help="The export that the first job began with."),
    ] = None,
    store: StorePath = DEFAULT_STORE,
) -> int:
    """Create the store that a serial replay would create.

    The folders are a whole chain: each job began with the state of the one before. The store must
    not exist yet. In it, the files do not count as replayed.

    Example: idsync load monday/ tuesday/ --store week.db
    """
    jobs = [finished_job(name) for name in folders]
    check_chain(jobs, state)
    seeds = {job.seed for job in jobs}
    if len(seeds) > 1:
        raise UsageFault(f"the jobs have several seeds: {', '.join(map(str, sorted(seeds)))}")
    found = stores.open_store(store, write=False)
    if found is not None:
        found.close()
        raise UsageFault(
            f"there is already a store at {quoted(store)}; load creates a new one: name another "
            "with --store"
        )
    with stores.temporary(jobs[0].seed) as made:
        if state is not None:
            import_into(made, state, jobs[0].rules.organization(), now_ms())
        with progress("requests", None) as advance:
            loaded = apply_all(jobs, made, advance=lambda done: advance(0, done))
        if not stores.save(made, store):
            raise StoreFault(
                f"another process has just created the store {printable(store)}; nothing was "
                "loaded; try again"
            )
    counts = number_of(loaded.jobs, "job"), number_of(loaded.decisions, "request")
    write_lines([[f"loaded {counts[0]} with {counts[1]} that changed something"]])
    return loaded.exit_status
