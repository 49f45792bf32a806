"""The state that a job begins with, as a table of Spark (section 13)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import Hint, UsageFault, quoted
from idsync_cli.spark import outputs
from idsync_cli.spark.beginning import Export, imported
from idsync_cli.spark.job_folder import PROFILES, SEEN, JobFolder
from idsync_cli.spark.keeping import Keeper
from idsync_cli.spark.loading import REPORT, RULES, cannot_be_read
from idsync_cli.spark.locations import is_elsewhere
from idsync_cli.spark.outputs import Replayed
from idsync_cli.spark.part_files import check_part_files
from idsync_cli.spark.rules import rules_in
from idsync_cli.spark.tables import ROWS, empty, table_of, values_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_AT_ONCE: Final = 50_000
"""How many rows of an export this process hands to Spark at once."""


class JobBeginning(NamedTuple):
    """What a job begins with; `identity` is how its report names it.

    `table` gives the state: it computes what it has to, and keeps it. `scopes` are the rules by
    which it sees profiles, or None if those are the job's.
    """

    table: "Callable[[Keeper], DataFrame]"
    last_seq: int
    seed: int | None
    identity: dict[str, str] | None
    scopes: Mapping[str, str] | None


@contextmanager
def beginning_of(
    spark: "SparkSession",
    state: "Replayed | str | None",
    organization: Organization,
    seed: int | None,
    now_ms: int,
) -> Iterator[JobBeginning]:
    """What a job begins with: nothing, what a call gave, the output of a job, or an export.

    Raises:
        UsageFault: it is none of them, or an export and there is no seed; or the output is not as
            its job left it.
        FileFault: the bad lines of an export.
    """
    if state is None:
        yield JobBeginning(lambda _: empty(spark, ROWS), 0, None, None, None)
    elif isinstance(state, Replayed):
        its = state.report
        scopes = state.rules.scopes
        yield _of_job(state.state, its, scopes)
    elif not is_elsewhere(state) and Path(state).is_file():
        if seed is None:
            raise UsageFault("a job that begins with an export needs a seed", hint=Hint.GIVE_SEED)
        with imported(state, organization, seed, now_ms) as export:
            yield JobBeginning(
                lambda keeper: _rows_of(spark, export, keeper),
                export.last_seq,
                None,
                {"export": export.digest},
                None,
            )
    else:
        folder = JobFolder(spark, state)
        if not folder.is_finished():
            raise UsageFault(
                f"the state {quoted(state)} is neither an export nor the output of a job that "
                "finished"
            )
        try:
            its, rules = folder.read(REPORT), rules_in(folder.read(RULES))
            for part in (SEEN,) if its["as_lines"] else (SEEN, PROFILES):
                check_part_files(state, part, folder.part_files(part), its)
            table = outputs.state_in(spark, folder, as_lines=its["as_lines"])
            beginning = _of_job(table, its, rules.scopes)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise cannot_be_read(state, error) from None
        yield beginning


def _of_job(
    table: "DataFrame", report: Mapping[str, object], scopes: Mapping[str, str]
) -> JobBeginning:
    last_seq, seed = int(str(report["last_seq"])), int(str(report["seed"]))
    return JobBeginning(lambda _: table, last_seq, seed, {"job": str(report["job"])}, scopes)


def _rows_of(spark: "SparkSession", export: Export, keeper: Keeper) -> "DataFrame":
    """The rows of an export, which are in a temporary store: some at a time goes to Spark."""
    table = empty(spark, ROWS)
    rows = map(values_of, export.rows)
    number = 0
    while some := list(islice(rows, _AT_ONCE)):
        number += 1
        table = table.unionAll(keeper.table(table_of(spark, some, ROWS), f"export-{number}"))
    return table
