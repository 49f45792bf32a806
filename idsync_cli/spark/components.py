"""What belongs together: connected components of nodes by the names that they have in common.

Where one task has room for all names, it walks them. Otherwise names become edges; and where there
are too many of those, too, they go through large star and small star (Kiveris and others,
"Connected Components in MapReduce and Beyond", 2014): a few rounds, each of which costs several
shuffles, and no step that gathers all neighbours of a node in one place.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from idsync_cli.spark.keeping import Keeper
from idsync_cli.spark.tables import Batches, Made
from idsync_cli.spark.walking import GROUPED, Told, told_in, walk

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

AT_HAND: Final = 3_000_000
"""So many names are walked by one task, which take it about 130 bytes each."""


class Components(NamedTuple):
    """The nodes that are tied to others (`node`, `component`, `lines`), and what is told of them.

    Names are told of only if one task has walked all of them.
    """

    nodes: "DataFrame"
    told: Told
    tells_names: bool


def components(
    named: "DataFrame",
    seed: int,
    keeper: Keeper,
    names_of_new_mpids: Callable[["DataFrame", int, Keeper], "DataFrame"],
    share: float,
) -> Components:
    """What is tied together by what it names (`naming.NAMED`).

    Components of more lines than `share` are large, of which there may be no more than a few.
    """
    found = _walked(named, seed, keeper, share, tells_names=True)
    if not found.told.too_many:
        return found
    edges = _edges(named, seed, keeper, names_of_new_mpids)
    if 2 * edges.count() > AT_HAND:  # an edge is a name that two have
        nodes = _with_lines(_by_stars(edges, keeper), keeper)
        return Components(nodes, _looked_over(nodes, share), tells_names=False)
    return _walked(_names_of_edges(edges), seed, keeper, share, tells_names=False)


def _looked_over(nodes: "DataFrame", share: float) -> Told:
    """What is told of nodes, but for names."""
    from pyspark.sql import functions as f

    is_first = f.col("node") == f.col("component")
    its_size = f.struct("lines", (-f.col("component")).alias("lowest"))
    row = nodes.agg(
        f.count("*"),
        f.sum(f.when(f.col("node") % 4 == 0, 1)),
        f.sum(f.when(is_first & (f.col("lines") > 0), 1)),
        f.max(its_size),
        f.collect_list(f.when(is_first & (f.col("lines") > share), its_size)),
    ).collect()[0]
    total, tied, several, largest, large = row
    lines, lowest = (0, 0) if largest is None else largest
    by_size = [-each.lowest for each in sorted(large, reverse=True)]
    return Told(total, tied or 0, several or 0, -lowest if lines else None, lines, by_size)


def _edges(
    named: "DataFrame",
    seed: int,
    keeper: Keeper,
    names_of_new_mpids: Callable[["DataFrame", int, Keeper], "DataFrame"],
) -> "DataFrame":
    """Pairs of a node and the lowest that has a name in common with it (`node`, `lower`)."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    names = named.where("node IS NOT NULL").select("node", f.explode("names").alias("name"))
    names = names.unionAll(names_of_new_mpids(named, seed, keeper))
    lowest = f.min("node").over(Window.partitionBy("name")).alias("lower")
    return keeper.table(names.select("node", lowest).where("lower < node").distinct(), "edges")


def _names_of_edges(edges: "DataFrame") -> "DataFrame":
    """The same as names (`naming.NAMED`): what both ends of an edge have is the lower one."""
    from pyspark.sql import functions as f

    ends = f.explode(f.array("node", "lower")).alias("node"), f.array("lower").alias("names")
    return edges.select(*ends).withColumn("new", f.lit(None).cast("long"))


def _walked(
    named: "DataFrame", seed: int, keeper: Keeper, share: float, *, tells_names: bool
) -> Components:
    most = AT_HAND

    def run(batches: Batches) -> Made:
        return walk(batches, seed, most, share, tells_names=tells_names)

    made = keeper.made(named.coalesce(1), run, GROUPED, "components")
    [(text,)] = made.where("node < 0").select("told").collect()
    nodes = made.where("node >= 0").select("node", "component", "lines")
    return Components(nodes, told_in(bytes(text)), tells_names)


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
