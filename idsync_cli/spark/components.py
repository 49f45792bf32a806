"""What belongs together: connected components of nodes by the names that they have in common.

Where one task has room for all names, it walks them. Otherwise names become edges; and where there
are too many of those, too, they go through large star and small star (Kiveris and others,
"Connected Components in MapReduce and Beyond", 2014): a few rounds, each of which costs several
shuffles, and no step that gathers all neighbours of a node in one place.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from idsync_cli.spark.keeping import Keeper
from idsync_cli.spark.tables import Batches, Made
from idsync_cli.spark.walking import GROUPED, TOO_MANY, walk

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

AT_HAND: Final = 3_000_000
"""So many names are walked by one task, which take it about 130 bytes each."""


def components(
    named: "DataFrame",
    seed: int,
    keeper: Keeper,
    names_of_new_mpids: Callable[["DataFrame", int, Keeper], "DataFrame"],
) -> "DataFrame":
    """The nodes that are tied to others (`walking.GROUPED`), by what they name (`naming.NAMED`)."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    walked = _walked(named, seed, keeper)
    if walked.where(f.col("node") == TOO_MANY).isEmpty():
        return walked
    names = named.where("node IS NOT NULL").select("node", f.explode("names").alias("name"))
    names = names.unionAll(names_of_new_mpids(named, seed, keeper))
    lowest = f.min("node").over(Window.partitionBy("name")).alias("lower")
    edges = keeper.table(names.select("node", lowest).where("lower < node").distinct(), "edges")
    if 2 * edges.count() > AT_HAND:  # an edge is a name that two have
        return _with_lines(_by_stars(edges, keeper), keeper)
    ends = f.explode(f.array("node", "lower")).alias("node"), f.array("lower").alias("names")
    by_edges = edges.select(*ends).withColumn("new", f.lit(None).cast("long"))
    return _walked(by_edges, seed, keeper)


def _walked(named: "DataFrame", seed: int, keeper: Keeper) -> "DataFrame":
    most = AT_HAND

    def run(batches: Batches) -> Made:
        return walk(batches, seed, most)

    return keeper.made(named.coalesce(1), run, GROUPED, "components")


def _by_stars(edges: "DataFrame", keeper: Keeper) -> "DataFrame":
    """The component of each node (`node`, `component`), but for the lowest of each.

    `edges` has pairs (`node`, `lower`).
    """
    before = None
    iteration = 0
    while (state := _measure(edges)) != before:
        before = state
        iteration += 1
        edges = keeper.table(_small_star(_large_star(edges)), f"edges-{iteration}")
    return edges.withColumnRenamed("lower", "component")


def _with_lines(found: "DataFrame", keeper: Keeper) -> "DataFrame":
    """All nodes of the components that were found, with how many lines each component has."""
    from pyspark.sql import functions as f

    lowest = found.select(f.col("component").alias("node"), "component").distinct()
    every = found.select("node", "component").unionAll(lowest)
    is_line = f.when(f.col("node") % 4 == 0, 1).otherwise(0)
    lines = every.groupBy("component").agg(f.sum(is_line).alias("lines"))
    return keeper.table(
        every.join(lines, "component").select("node", "component", "lines"), "grouped"
    )


def _measure(edges: "DataFrame") -> tuple[object, ...]:
    """What changes as long as the edges do."""
    from pyspark.sql import functions as f

    measured = edges.agg(
        f.count("*"),
        f.sum(f.col("lower").cast("decimal(38, 0)")),
        f.expr("bit_xor(xxhash64(node, lower))"),
    )
    return tuple(measured.collect()[0])


def _large_star(edges: "DataFrame") -> "DataFrame":
    """Tie every higher neighbour of a node to the lowest of its neighbourhood."""
    from pyspark.sql import functions as f

    both = edges.select("node", "lower").unionAll(
        edges.select(f.col("lower").alias("node"), f.col("node").alias("lower"))
    )
    lowest = both.groupBy("node").agg(f.least(f.min("lower"), f.col("node")).alias("lowest"))
    higher = both.where("lower > node").join(lowest, "node")
    return higher.select(f.col("lower").alias("node"), f.col("lowest").alias("lower")).distinct()


def _small_star(edges: "DataFrame") -> "DataFrame":
    """Tie a node, and its lower neighbours, to the lowest of them."""
    from pyspark.sql import functions as f

    lowest = edges.groupBy("node").agg(f.min("lower").alias("lowest"))
    lower = edges.join(lowest, "node").select(
        f.col("lower").alias("node"), f.col("lowest").alias("lower")
    )
    its_own = lowest.select("node", f.col("lowest").alias("lower"))
    return lower.where("lower < node").unionAll(its_own).distinct()
