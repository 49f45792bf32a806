"""Connected components of a graph that is a table.

A graph that is small enough is walked by one task. A larger one goes through large star and small
star (Kiveris and others, "Connected Components in MapReduce and Beyond", 2014): a few rounds, each
of which costs several shuffles, and no step that gathers all neighbours of a node in one place.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from idsync_cli.spark.tables import Values, mapped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Keep = Callable[["DataFrame", str], "DataFrame"]
"""Computes a table and keeps it, under a name, so that nothing before it is computed again."""


AT_HAND: Final = 1_000_000
"""So many edges are walked by one task; its nodes take it about 200 bytes each."""


def components(edges: "DataFrame", keep: Keep) -> "DataFrame":
    """The component of each node, by its lowest one; `edges` has pairs (`node`, `lower`).

    A node that is in no edge is its own, and the lowest of each component is not there.
    """
    edges = keep(edges.where("lower < node").distinct(), "edges")
    if edges.count() <= AT_HAND:
        walked = mapped(edges.select("node", "lower").coalesce(1), lambda: _walk, _COMPONENTS)
        return keep(walked, "components")
    before = None
    iteration = 0
    while (state := _measure(edges)) != before:
        before = state
        iteration += 1
        edges = keep(_small_star(_large_star(edges)), f"edges-{iteration}")
    return edges.withColumnRenamed("lower", "component")


_COMPONENTS: Final = "node long, component long"


def _walk(edges: Iterator[Values]) -> Iterator[Values]:
    """Follow edges to the lowest node of each component."""
    lowest: dict[int, int] = {}

    def root(node: int) -> int:
        above = lowest.setdefault(node, node)
        while above != node:
            lowest[node] = node = lowest[above]
            above = lowest[node]
        return node

    for node, lower in edges:
        one, other = root(node), root(lower)
        if one < other:
            lowest[other] = one
        else:
            lowest[one] = other
    for node in lowest:
        if (its := root(node)) != node:
            yield node, its


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
