"""What a job gives: tables for notebooks, and the folders of its output (section 13)."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from idsync_cli import wire
from idsync_cli.spark.job_folder import ANSWERS, HISTORY, PROFILES, SEEN, JobFolder
from idsync_cli.spark.loading import DECISIONS
from idsync_cli.spark.partitions import placed
from idsync_cli.spark.rows import RowKind, Section
from idsync_cli.spark.rules import JobRules
from idsync_cli.spark.tables import ROWS, Values, mapped

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_STATE_ORDER = ("section", "seq", "rank", "age", "place")
_RANK_OF_DIGESTS = 5


class Replayed(NamedTuple):
    """What a job gives.

    `answers` has (`file`, `seq`, `line`, `answer`), `profiles` what an export has
    (`created_seq`, which is null for what is no profile, and `profile`, the text), `history`
    (`seq`, `place`, `entry`). `report` tells of the job, as `report.json` does. `state` is what a
    later job begins with; `rules` are those of this one.
    """

    answers: "DataFrame"
    profiles: "DataFrame"
    history: "DataFrame"
    decisions: "DataFrame"
    report: dict[str, Any]
    state: "DataFrame"
    rules: JobRules


class OutputTables(NamedTuple):
    """Answers, what an export has, the history of a job, and its decisions; and the whole state."""

    answers: "DataFrame"
    profiles: "DataFrame"
    history: "DataFrame"
    decisions: "DataFrame"
    state: "DataFrame"


def tables_of(
    results: "DataFrame", state: "DataFrame", files: Sequence[str] | None
) -> OutputTables:
    """The tables of a job, of its rows; `files` are the names of the files of its lines."""
    from pyspark.sql import functions as f

    answers = results.select(
        _name_of(files).alias("file"), "seq", "line", f.col("answer").cast("string")
    )
    entries = f.split(f.col("entries").cast("string"), "\n")
    history = results.where("entries IS NOT NULL").select(
        "seq", f.posexplode(entries).alias("place", "entry")
    )
    decisions = results.where("decision IS NOT NULL").select(
        "seq", f.col("decision").cast("string")
    )
    return OutputTables(answers, profiles_of(state), history, decisions, state)


def profiles_of(state: "DataFrame") -> "DataFrame":
    """The lines of an export, with what they are sorted by."""
    from pyspark.sql import functions as f

    exported = state.where(f.col("section") != Section.TIMES_ALONE.value)
    return exported.select(
        f.when(f.col("section") == Section.PROFILE.value, f.col("seq")).alias("created_seq"),
        f.col("data").cast("string").alias("profile"),
        *("node", "section", "seq", "rank", "age", "place", "mpid", "other", "key", "was_known"),
    )


def _name_of(files: Sequence[str] | None) -> "Column":
    from pyspark.sql import functions as f

    if files is None:
        return f.lit(None).cast("string")
    names = f.array(*[f.lit(name) for name in files])
    return f.element_at(names, f.col("file") + 1)


_PACKED = {"compression": "gzip", "zlib.compress.level": "BEST_SPEED"}
_LINES_OF_A_PART = 100_000
"""About how many lines the answers in a file are to, where Spark makes so many partitions."""


class Span(NamedTuple):
    """The numbers of the lines of a job, from and to, and how many partitions Spark makes."""

    first: int
    last: int
    most: int

    def in_order(self, table: "DataFrame", *order: str) -> "DataFrame":
        """A table that is sorted by the number of the line, and further columns."""
        from pyspark.sql import functions as f

        parts = self._parts(self.last - self.first + 1)
        part = _share(f.col("seq") - self.first, self.last - self.first + 1, parts)
        return placed(table, part, parts).sortWithinPartitions("seq", *order)

    def state_in_order(self, table: "DataFrame", *further: str) -> "DataFrame":
        """A table of rows of a state, sorted as an export has them."""
        from pyspark.sql import functions as f

        parts = self._parts(self.last)
        part = f.col("section") * parts + _share(f.col("seq"), self.last + 1, parts)
        parted = placed(table, part, (Section.RECORD + 1) * parts)
        return parted.sortWithinPartitions(*_STATE_ORDER, *further)

    def _parts(self, lines: int) -> int:
        return max(1, min(self.most, -(-lines // _LINES_OF_A_PART)))


def _share(number: "Column", count: int, parts: int) -> "Column":
    """In which of so many parts a number is, of so many from 0 on; in the last if it is higher."""
    from pyspark.sql import functions as f

    return f.least(f.floor(number * parts / f.lit(max(count, 1))).cast("int"), f.lit(parts - 1))


def write(
    tables: OutputTables,
    span: Span,
    folder: JobFolder,
    stage: Callable[[str], None],
    *,
    by_tasks: bool,
) -> None:
    """Write the folders of a job: Parquet in any order, and decisions as they were taken.

    With `by_tasks` tasks have written what came of lines, and what they gave back of the state.
    """
    if not by_tasks:
        stage("writing answers")
        tables.answers.write.mode("overwrite").parquet(folder.within(ANSWERS))
        stage("writing history")
        tables.history.write.mode("overwrite").parquet(folder.within(HISTORY))
        stage("writing decisions")
        _write_decisions(span.in_order(tables.decisions), folder)
    if by_tasks and tables.state.isEmpty():
        return
    mode = "append" if by_tasks else "overwrite"
    stage("writing profiles")
    tables.profiles.write.mode(mode).parquet(folder.within(PROFILES))
    stage("writing the rest of the state")
    alone = _times_alone(tables.state)
    alone.write.mode(mode).parquet(folder.within(SEEN))


def write_lines(
    tables: OutputTables, span: Span, folder: JobFolder, stage: Callable[[str], None]
) -> None:
    """Write the folders of a job as lines, each sorted as a serial replay gives it."""
    stage("writing answers")
    answers = span.in_order(tables.answers).select("answer")
    answers.write.mode("overwrite").text(folder.within(ANSWERS))
    stage("writing history")
    history = span.in_order(tables.history, "place").select("entry")
    history.write.mode("overwrite").text(folder.within(HISTORY))
    stage("writing profiles")
    lines = span.state_in_order(_with_keys(tables.profiles), "turn").select("profile")
    lines.write.mode("overwrite").text(folder.within(PROFILES))
    stage("writing the rest of the state")
    tables.state.write.mode("overwrite").parquet(folder.within(SEEN))
    stage("writing decisions")
    _write_decisions(span.in_order(tables.decisions), folder)


def _times_alone(state: "DataFrame") -> "DataFrame":
    from pyspark.sql import functions as f

    return state.where(f.col("section") == Section.TIMES_ALONE.value)


def _write_decisions(decisions: "DataFrame", folder: JobFolder) -> None:
    packed = decisions.select("decision").write.mode("overwrite").options(**_PACKED)
    packed.text(folder.within(DECISIONS))


def _with_keys(profiles: "DataFrame") -> "DataFrame":
    """The lines of an export, with one that tells a key before digests of another key.

    It stands right before the first of them, at the same place and a `turn` earlier.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    columns = ["section", "seq", "rank", "age", "place", "profile"]
    in_order = Window.partitionBy(f.lit(0)).orderBy("seq", "place")
    digests = profiles.where("key IS NOT NULL").withColumn("before", f.lag("key").over(in_order))
    first = digests.where("before IS NULL OR before != key")

    def told(rows: Iterator[Values]) -> Iterator[Values]:
        for section, seq, place, key in rows:
            yield section, seq, _RANK_OF_DIGESTS, 0, place, wire.digest_key_line(key), 0

    keys = mapped(
        first.select("section", "seq", "place", "key"),
        lambda: told,
        "section int, seq long, rank int, age long, place binary, profile string, turn int",
    )
    return profiles.select(*columns).withColumn("turn", f.lit(1)).unionAll(keys)


def state_in(spark: "SparkSession", folder: JobFolder, *, as_lines: bool) -> "DataFrame":
    """The state that a job left in a folder."""
    from pyspark.sql import functions as f

    seen = spark.read.parquet(folder.to_read(SEEN))
    columns = [column.split()[0] for column in ROWS.split(", ")]
    if as_lines:
        return seen.select(*columns)
    profiles = spark.read.parquet(folder.to_read(PROFILES)).select(
        f.lit(RowKind.STATE.value).alias("kind"), "seq",
        f.col("profile").cast("binary").alias("data"),
        *("node", "section", "rank", "age", "place", "mpid", "other", "key", "was_known"),
        f.lit(0).alias("file"), f.lit(0).cast("long").alias("line"),
    )  # fmt: skip
    return profiles.unionAll(seen.select(*columns)).select(*columns)
