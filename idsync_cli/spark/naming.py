"""What lines and the state name, as tables (`ties`)."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from idsync_cli.spark.keeping import Keeper, Run
from idsync_cli.spark.rows import Section, seq_of
from idsync_cli.spark.rules import JobRules
from idsync_cli.spark.tables import ROWS, Mapped, Values, mapped, of_rows, row_of
from idsync_cli.spark.ties import TieReader, attempt_mpid, names_of_row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


LINES: Final = (
    "seq long, file int, line long, data binary, names array<long>, uses array<binary>, "
    "sets binary, new long, is_refused boolean, erases boolean"
)
"""Lines, and all that they say that matters before they are answered (`ties.LineTies`).

`new` is the first MPID that a line would give out, and null if it gives none out.
"""

NAMED: Final = "node long, names array<long>, new long"
"""What nodes name; of one that may give out an MPID, the first that it tries. Without a node, `new`
is an MPID that was given out before."""

_TRIED: Final = "node long, attempt int, new long"


def reading_names(
    numbered: Callable[[Iterator[Values]], Iterator[Values]],
    rules: JobRules,
    seed: int,
    other_keys: Sequence[bytes],
) -> Run:
    """The function that gives lines with all that they say (`LINES`).

    `numbered` makes (`seq`, `file`, `line`, `data`) of them.
    """

    def make() -> Mapped:
        reader = TieReader(rules.organization(), seed, other_keys)

        def read(rows: Iterator[Values]) -> Iterator[Values]:
            for seq, file, line, data in numbered(rows):
                its = reader.of_line(data)
                uses = [*map(_text, its.uses)] if its.uses else None
                sets = None if its.sets is None else _text(its.sets)
                new = attempt_mpid(seed, seq, 0) if its.may_make else None
                yield (
                    *(seq, file, line, data, its.names, uses, sets, new),
                    *(its.is_refused, its.erases),
                )

        return read

    return of_rows(make, LINES)


def _text(label: str) -> bytes:
    return label.encode("utf-8", "surrogatepass")


def names_of_lines(lines: "DataFrame") -> "DataFrame":
    """What lines name, and the MPIDs that they may give out."""
    from pyspark.sql import functions as f

    return lines.select((f.col("seq") * 4).alias("node"), "names", "new").where(
        "new IS NOT NULL OR size(names) > 0"
    )


def names_of_state(state: "DataFrame", rules: JobRules) -> "DataFrame":
    """What the rows of a state name (`NAMED`)."""

    def make() -> Mapped:
        organization = rules.organization()

        def read(rows: Iterator[Values]) -> Iterator[Values]:
            for values in rows:
                row = row_of(values)
                names = [*names_of_row(row, organization)]
                if names:
                    yield row.node, names, None

        return read

    columns = [column.split()[0] for column in ROWS.split(", ")]
    return mapped(state.select(*columns), make, NAMED)


def names_of_mpids(mpids: "DataFrame") -> "DataFrame":
    """Pairs of a node and an MPID, each of which is its own name (`ties.mpid_name`)."""
    from pyspark.sql import functions as f

    return mpids.select(
        "node", f.array("mpid").alias("names"), f.lit(None).cast("long").alias("new")
    )


def given_out(state: "DataFrame") -> "DataFrame":
    """The MPIDs that were given out before."""
    from pyspark.sql import functions as f

    is_profile = f.col("section") == Section.PROFILE.value
    is_erasure = f.col("node") % 4 == 2
    nothing = f.lit(None).cast("long").alias("node"), f.lit(None).cast("array<long>")
    return state.where(is_profile | is_erasure).select(
        nothing[0], nothing[1].alias("names"), f.col("mpid").alias("new")
    )


def names_of_new_mpids(named: "DataFrame", seed: int, keeper: Keeper) -> "DataFrame":
    """The MPIDs that nodes may give out, and, where one may be taken, the next that they try."""
    from pyspark.sql import functions as f

    every = named.where("new IS NOT NULL")
    tried = every.select("node", f.lit(0).alias("attempt"), "new")
    latest = tried.where("node IS NOT NULL")
    iteration = 0
    while True:
        several = tried.groupBy("new").count().where("count > 1 OR new = 0").select("new")
        again = latest.join(several, "new").select(
            "node", (f.col("attempt") + 1).cast("int").alias("attempt")
        )
        iteration += 1
        latest = keeper.table(_attempts(again, seed), f"attempts-{iteration}")
        if latest.isEmpty():
            break
        tried = tried.unionAll(latest)
    return tried.where("node IS NOT NULL").select("node", f.col("new").alias("name"))


def _attempts(nodes: "DataFrame", seed: int) -> "DataFrame":
    """The MPIDs of attempts of lines to give out a new one."""

    def read(rows: Iterator[Values]) -> Iterator[Values]:
        for node, attempt in rows:
            yield node, attempt, attempt_mpid(seed, seq_of(node), attempt)

    return mapped(nodes, lambda: read, _TRIED)


def ties_of_labels(lines: "DataFrame", handed_on: "DataFrame") -> tuple["DataFrame", "DataFrame"]:
    """What ties lines to those that set their labels; and what was set before the window.

    The latter are `seq`, the label, and the MPID that it stands for. `handed_on` has `file`,
    `label`, `mpid`.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    uses = lines.where("uses IS NOT NULL").select("seq", "file", f.explode("uses").alias("name"))
    sets = lines.where("sets IS NOT NULL").select("seq", "file", f.col("sets").alias("name"))
    about = uses.withColumn("setter", f.lit(None).cast("long")).unionAll(
        sets.withColumn("setter", f.col("seq"))
    )
    before = (
        Window.partitionBy("file", "name")
        .orderBy("seq", "setter")  # nulls come first: a line uses a label before it sets it
        .rowsBetween(Window.unboundedPreceding, -1)
    )
    setter = f.last("setter", ignorenulls=True).over(before)
    users = about.withColumn("by", setter).where("setter IS NULL")
    tied = users.where("by IS NOT NULL").select(
        f.explode(f.array("seq", "by")).alias("seq"), f.xxhash64(f.lit("label"), "by").alias("name")
    )
    ties = tied.select(
        (f.col("seq") * 4).alias("node"),
        f.array("name").alias("names"),
        f.lit(None).cast("long").alias("new"),
    )
    earlier = (
        users.where("by IS NULL")
        .join(handed_on.withColumnRenamed("label", "name"), ["file", "name"])
        .where("mpid IS NOT NULL")
        .select("seq", "name", "mpid")
    )
    return ties, earlier


def labels_given(earlier: "DataFrame") -> "DataFrame":
    """For each line the labels that were set before its window, as its row has them in `place`."""
    from pyspark.sql import functions as f

    def read(rows: Iterator[Values]) -> Iterator[Values]:
        for seq, names, mpids in rows:
            labels = [bytes(name).decode("utf-8", "surrogatepass") for name in names]
            yield seq, json.dumps(dict(zip(labels, mpids, strict=True))).encode("ascii")

    gathered = earlier.groupBy("seq").agg(
        f.collect_list("name").alias("names"), f.collect_list("mpid").alias("mpids")
    )
    return mapped(gathered, lambda: read, "seq long, place binary")
