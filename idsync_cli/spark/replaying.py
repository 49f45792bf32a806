"""`replay`: files or a table of lines, and a state, into answers and a state (section 13)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from os import getpid
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from idsync_cli.core.config.rules import Organization
from idsync_cli.errors import Hint, UsageFault
from idsync_cli.files import config_file
from idsync_cli.spark import counting, outputs, pieces, reading
from idsync_cli.spark.choosing import Order
from idsync_cli.spark.job import JobRun
from idsync_cli.spark.job_folder import TABLES, WORK, JobFolder
from idsync_cli.spark.keeping import InFolder, Keeper, OnThisMachine, WithExecutors
from idsync_cli.spark.loading import REPORT, RULES
from idsync_cli.spark.outputs import OutputTables, Replayed, Span
from idsync_cli.spark.parting import PartingTasks, runs_here
from idsync_cli.spark.partitions import most_partitions
from idsync_cli.spark.rules import rules_of, with_other_logins
from idsync_cli.spark.stages import Stages
from idsync_cli.spark.starting import beginning_of
from idsync_cli.spark.tables import Values
from idsync_cli.spark.windows import WindowReport

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

MAX_SHARE: Final = 0.25
_VERSION: Final = 1


class WrittenJob(NamedTuple):
    """A job whose output folder is complete, and its report as it stands there (section 13)."""

    report: dict[str, Any]

    @property
    def other_logins(self) -> list[str]:
        """The scopes whose login types have changed since the state was written."""
        scopes: list[str] = self.report["other_logins"]
        return scopes

    @property
    def exit_status(self) -> int:
        """0: what a job cannot do is a fault, and rejected lines are not counted."""
        return 0


def replay(
    spark: "SparkSession",
    lines: "str | Sequence[str] | DataFrame",
    *,
    config: str | Organization,
    seed: int | None = None,
    state: "Replayed | str | None" = None,
    window: int | None = None,
    max_share: float = MAX_SHARE,
) -> Replayed:
    """Answer lines of requests as `idsync replay` would, on Spark (section 13).

    `lines` is a path, several, or a table of `line: long` and `data: binary`. `config` is a path,
    or the rules themselves. `state` is what an earlier call gave, the output folder of a job, or an
    export; without it, the job begins with nothing, and needs a `seed`. `window` is a number of
    lines; without it, windows are as large as `max_share` allows.

    Nothing is written. What is computed on the way stays with the executors until the session ends;
    if one is lost with it, Spark says so, and the same call begins anew.

    Raises:
        UsageFault: something that was given is not right; nothing was resolved.
        FileFault: the faults of a configuration or an export.
    """
    stages = Stages(spark)
    keeper = WithExecutors()
    done = _replay(spark, lines, config, seed, state, window, max_share, keeper, stages)
    return done._replace(profiles=done.profiles.select("created_seq", "profile"))


def replay_into(
    spark: "SparkSession",
    names: Sequence[str],
    output: str,
    *,
    config: str | Organization,
    seed: int | None = None,
    state: str | None = None,
    window: int | None = None,
    max_share: float = MAX_SHARE,
    as_lines: bool = False,
    tell: Callable[[WindowReport], None] | None = None,
) -> WrittenJob:
    """The same, into a folder; `tell` is told of each window.

    Raises:
        UsageFault: as `replay`; or the folder holds something else.
        StoreFault: the folder cannot be written.
    """
    with closing(JobFolder(spark, output)) as folder:
        own = f"{WORK}/{getpid()}-{int(time() * 1000)}"  # a killed job may still write into another
        stages = Stages(spark)
        keeper: Keeper = InFolder(spark, folder.within(own))
        if folder.is_here and runs_here(spark):
            if as_lines:
                keeper = OnThisMachine(spark, folder.within(own))
            else:
                keeper = PartingTasks(spark, folder.within(own), folder.within(""), names)
        done = _replay(
            spark, names, config, seed, state, window, max_share, keeper, stages, folder.begin, tell
        )
        tables = OutputTables(done.answers, done.profiles, done.history, done.decisions, done.state)
        span = Span(done.report["first_seq"], done.report["last_seq"], most_partitions(spark))
        by_tasks = isinstance(keeper, PartingTasks) and bool(done.report["windows"])
        if as_lines:
            outputs.write_lines(tables, span, folder, stages)
        else:
            outputs.write(tables, span, folder, stages, by_tasks=by_tasks)
        stages.end()
        folder.write(RULES, {"scopes": done.rules.scopes, "workspaces": done.rules.workspaces})
        parts = {name: folder.part_files(name)._asdict() for name in TABLES}
        report = done.report | {"as_lines": as_lines, "stages": stages.as_json(), "parts": parts}
        folder.write(REPORT, report)
        folder.finish()
        return WrittenJob(report)


def check(window: int | None, max_share: float) -> None:
    """See whether windows can be made so.

    Raises:
        UsageFault: no.
    """
    if window is not None and window < 1:
        raise UsageFault(f"a window of {window} lines is empty", hint=Hint.GIVE_WINDOW)
    if not 0 < max_share <= 1:
        raise UsageFault(
            f"the share of one task must be above 0 and at most 1, not {max_share}",
            hint=Hint.GIVE_MAX_SHARE,
        )


def _replay(
    spark: "SparkSession",
    lines: "str | Sequence[str] | DataFrame",
    config: str | Organization,
    seed: int | None,
    state: "Replayed | str | None",
    window: int | None,
    max_share: float,
    keeper: Keeper,
    stage: Stages,
    begin: Callable[[], None] = lambda: None,
    tell: Callable[[WindowReport], None] | None = None,
) -> Replayed:
    check(window, max_share)
    now_ms = int(time() * 1000)
    organization = config
    if isinstance(organization, str):
        organization = config_file.load(Path(organization)).organization
    rules = rules_of(organization)
    names: list[str] | None = None
    if isinstance(lines, (str, list, tuple)):
        names = [lines] if isinstance(lines, str) else list(lines)
        if not names:
            raise UsageFault("there is no file to replay; name at least one")
        reading.check_files(names)
    with beginning_of(spark, state, organization, seed, now_ms) as beginning:
        its_seed = seed if beginning.seed is None else beginning.seed
        if its_seed is None:
            raise UsageFault("a job that begins with nothing needs a seed", hint=Hint.GIVE_SEED)
        if seed is not None and seed != its_seed:
            raise UsageFault(
                f"the state has the seed {its_seed}, and not {seed}", hint=Hint.LEAVE_SEED_OUT
            )
        begin()
        stage("reading the state")
        table = beginning.table(keeper)
    stage("counting lines")
    with _faults_of_reading(names or ()):
        source = _source(spark, lines if names is None else names, beginning.last_seq, keeper)
    several = names if names is not None and len(names) > 1 else None
    order = Order(rules, its_seed, now_ms, several, window, max_share)
    job = JobRun(spark, order, keeper, tell or _teller(), stage, source.check)
    with _faults_of_reading(names or ()):
        done = job.run(
            source.lines,
            source.numbered,
            table,
            beginning.last_seq,
            by_other_rules=beginning.scopes not in (None, rules.scopes),
        )
    stage.end()
    tables = outputs.tables_of(done.results, done.state, names)
    identity = _identity(beginning.identity, order, done.last_seq, done.fingerprint)
    report = {
        "version": _VERSION,
        "job": identity,
        "state": beginning.identity,
        "seed": str(its_seed),
        "now_ms": now_ms,
        "files": names,
        "lines": done.lines,
        "first_seq": beginning.last_seq + 1,
        "last_seq": done.last_seq,
        "other_logins": with_other_logins(beginning.scopes or {}, rules.scopes),
        "windows": [each.as_json() for each in done.windows],
        "stages": stage.as_json(),
    }
    return Replayed(
        tables.answers, tables.profiles, tables.history, tables.decisions, report, done.state, rules
    )


class _Source(NamedTuple):
    """Lines, what gives them their numbers, and what checks how many of each file were read."""

    lines: "DataFrame"
    numbered: Callable[[Iterator[Values]], Iterator[Values]]
    check: Callable[[Mapping[int, int]], None]


def _source(
    spark: "SparkSession", lines: "list[str] | DataFrame", last_seq: int, keeper: Keeper
) -> _Source:
    """Lines whose numbers are known.

    Raises:
        UsageFault: a file is not there; or a table has other columns.
    """
    if not isinstance(lines, list):
        placed = keeper.table(reading.lines_of_table(lines), "pieces")
        return _Source(reading.numbered(placed, last_seq), iter, lambda _: None)
    reading.check_there(spark, lines)
    if runs_here(spark) and reading.are_small(lines):
        shares = pieces.shares_of(lines, last_seq)
        numbers = spark.range(0, len(shares), numPartitions=len(shares))
        return _Source(numbers, pieces.reader_of(shares), lambda _: None)
    read = reading.lines_in(spark, lines)
    blocks = keeper.table(counting.counted(read, last_seq), "blocks")
    counts = dict(blocks.groupBy("file").sum("numbers").collect())

    def check(found: Mapping[int, int]) -> None:
        for number, name in enumerate(lines):
            if found.get(number, 0) != counts.get(number, 0):
                raise counting.file_changed(name)

    return _Source(counting.with_counts(read, blocks), counting.numbered_lines, check)


@contextmanager
def _faults_of_reading(names: Sequence[str]) -> Iterator[None]:
    """Tell what Spark only repeats: the first faults of workers.

    Raises:
        UsageFault: they have no idsync; or a file was changed, or a table has no order.
    """
    try:
        yield
    except Exception as error:
        if f"No module named '{__name__.partition('.')[0]}'" in str(error):
            raise UsageFault(
                "the Python of Spark's workers has no idsync: install it there, or let "
                "PYSPARK_PYTHON name one that has it before Spark starts"
            ) from None
        fault = reading.table_fault(error) or counting.changed_file(error, names)
        if fault is None:
            raise
        raise fault from None


def _identity(before: dict[str, str] | None, order: Order, last_seq: int, fingerprint: int) -> str:
    """How later jobs name this one: it follows from all that its output follows from."""
    text = repr((before, sorted(order.rules.scopes.items()), order.seed, last_seq, fingerprint))
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _teller() -> Callable[[WindowReport], None]:
    from pyspark.logger import PySparkLogger

    logger = PySparkLogger.getLogger("idsync")

    def tell(window: WindowReport) -> None:
        logger.info(window.told(), first_seq=window.first_seq, lines=window.lines)

    return tell
