"""What lines and the state name, as tables (`ties`)."""

import json
from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from idsync_cli.spark.components import Keep
from idsync_cli.spark.rules import JobRules
from idsync_cli.spark.tables import ROWS, Mapped, Values, mapped, row_of
from idsync_cli.spark.ties import TieReader, attempt_mpid, mpid_name, names_of_row

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Said(IntEnum):
    """What a row of names says of a line."""

    NAMES = 0
    USES = 1
    SETS = 2
    MAY_MAKE = 3
    IS_REFUSED = 4
    ERASES = 5


_SAID: Final = "seq long, file int, said int, name binary, mpid long"
"""The MPID is the first that a line would give out; its name is that of the row, too."""

_NAMED: Final = "node long, name binary"
_TRIED: Final = "seq long, attempt int, mpid long, name binary"


def names_of_lines(
    lines: "DataFrame", rules: JobRules, seed: int, other_keys: Sequence[bytes]
) -> "DataFrame":
    """All that lines (`seq`, `file`, `line`, `data`) say that matters before they are answered."""

    def make() -> Mapped:
        reader = TieReader(rules.organization(), seed, other_keys)

        def read(rows: Iterator[Values]) -> Iterator[Values]:
            for seq, file, data in rows:
                its = reader.of_line(data)
                for name in its.names:
                    yield seq, file, Said.NAMES, name, None
                for label in its.uses:
                    yield seq, file, Said.USES, _text(label), None
                if its.sets is not None:
                    yield seq, file, Said.SETS, _text(its.sets), None
                if its.may_make:
                    mpid = attempt_mpid(seed, seq, 0)
                    yield seq, file, Said.MAY_MAKE, mpid_name(mpid), mpid
                if its.is_refused:
                    yield seq, file, Said.IS_REFUSED, None, None
                if its.erases:
                    yield seq, file, Said.ERASES, None, None

        return read

    return mapped(lines.select("seq", "file", "data"), make, _SAID)


def _text(label: str) -> bytes:
    return label.encode("utf-8", "surrogatepass")


def names_of_state(state: "DataFrame", rules: JobRules) -> "DataFrame":
    """The names of the rows of a state, by their nodes."""

    def make() -> Mapped:
        organization = rules.organization()

        def read(rows: Iterator[Values]) -> Iterator[Values]:
            for values in rows:
                row = row_of(values)
                for name in names_of_row(row, organization):
                    yield row.node, name

        return read

    columns = [column.split()[0] for column in ROWS.split(", ")]
    return mapped(state.select(*columns), make, _NAMED)


def names_of_mpids(mpids: "DataFrame") -> "DataFrame":
    """Pairs of a node and an MPID, as pairs of a node and its name."""

    def read(rows: Iterator[Values]) -> Iterator[Values]:
        for node, mpid in rows:
            yield node, mpid_name(mpid)

    return mapped(mpids.select("node", "mpid"), lambda: read, _NAMED)


def _attempts(lines: "DataFrame", seed: int) -> "DataFrame":
    """The MPIDs of attempts of lines to give out a new one."""

    def read(rows: Iterator[Values]) -> Iterator[Values]:
        for seq, attempt in rows:
            mpid = attempt_mpid(seed, seq, attempt)
            yield seq, attempt, mpid, mpid_name(mpid)

    return mapped(lines.select("seq", "attempt"), lambda: read, _TRIED)


def names_of_new_mpids(said: "DataFrame", taken: "DataFrame", seed: int, keep: Keep) -> "DataFrame":
    """The MPIDs that lines may give out, and, where one may be taken, the next that they try.

    `taken` has those that were given out before (`mpid`).
    """
    from pyspark.sql import functions as f

    tried = said.where(f.col("said") == Said.MAY_MAKE.value).select(
        "seq", f.lit(0).alias("attempt"), "mpid", "name"
    )
    latest = tried
    iteration = 0
    while True:
        named = tried.select("mpid").unionAll(taken.select("mpid"))
        several = named.groupBy("mpid").count().where("count > 1 OR mpid = 0").select("mpid")
        again = latest.join(several, "mpid").select(
            "seq", (f.col("attempt") + 1).cast("int").alias("attempt")
        )
        iteration += 1
        latest = keep(_attempts(again, seed), f"attempts-{iteration}")
        if latest.isEmpty():
            break
        tried = tried.unionAll(latest)
    return tried.select((f.col("seq") * 4).alias("node"), "name")


def ties_of_labels(said: "DataFrame", handed_on: "DataFrame") -> tuple["DataFrame", "DataFrame"]:
    """Edges from lines to those that set their labels; and what was set before the window.

    The latter are `seq`, the label, and the MPID that it stands for. `handed_on` has `file`,
    `label`, `mpid`.
    """
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    about = said.where(f.col("said").isin(Said.USES.value, Said.SETS.value)).drop("mpid")
    before = (
        Window.partitionBy("file", "name")
        .orderBy("seq", "said")
        .rowsBetween(Window.unboundedPreceding, -1)
    )
    its_seq = f.when(f.col("said") == Said.SETS.value, f.col("seq"))
    with_setters = about.withColumn("setter", f.last(its_seq, ignorenulls=True).over(before)).where(
        f.col("said") == Said.USES.value
    )
    edges = with_setters.where("setter IS NOT NULL").select(
        (f.col("seq") * 4).alias("node"), (f.col("setter") * 4).alias("lower")
    )
    earlier = (
        with_setters.where("setter IS NULL")
        .join(handed_on.withColumnRenamed("label", "name"), ["file", "name"])
        .where("mpid IS NOT NULL")
        .select("seq", "name", "mpid")
    )
    return edges, earlier


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
