"""What belongs together: connected components of nodes by the names that they have in common.

Where one task has room for all names, it walks them. Otherwise names become edges; and where there
are too many of those, too, they go through large star and small star (Kiveris and others,
"Connected Components in MapReduce and Beyond", 2014): a few rounds, each of which costs several
shuffles, and no step that gathers all neighbours of a node in one place.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from idsync_cli.spark.keeping import Keeper
from idsync_cli.spark.tables import Batches, Made
from idsync_cli.spark.walking import GROUPED, TOLD, TOO_MANY, walk

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

AT_HAND: Final = 3_000_000
"""So many names are walked by one task, which take it about 130 bytes each."""


class Components(NamedTuple):
    """The nodes that are tied to others (`walking.GROUPED`), and what is told of them.

    There are `total` of them in `several` components, and `tied` of them are lines. `largest` is
    the lowest of the components that have the most lines, and None if there is none. `large` are
    those that have more than a share of the lines, the largest first. `commonest` has of names of
    the largest how many of its lines have it, and the node of the first, if that is known.
    """

    nodes: "DataFrame"
    total: int
    tied: int
    several: int
    largest: int | None
    its_lines: int
    large: Sequence[int]
    commonest: Sequence[tuple[int, int, int]] | None


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
    walked = _walked(named, seed, keeper, tells=True)
    found = _looked_over(walked, share)
    if found is None:
        more = _components_of_more(named, seed, keeper, names_of_new_mpids)
        found = _looked_over(more, share)
        assert found is not None
        return found._replace(commonest=None)
    return found


def _looked_over(nodes: "DataFrame", share: float) -> Components | None:
    """What is told of nodes; None if there are too many names."""
    from pyspark.sql import functions as f

    is_node = f.col("node") >= 0
    is_first = is_node & (f.col("node") == f.col("component"))
    told = f.struct("component", "lines", f.lit(TOLD) - f.col("node"))
    its_size = f.struct("lines", (-f.col("component")).alias("lowest"))
    row = nodes.agg(
        f.max(f.col("node") == TOO_MANY),
        f.sum(is_node.cast("int")),
        f.sum(f.when(is_node & (f.col("node") % 4 == 0), 1)),
        f.sum(f.when(is_first & (f.col("lines") > 0), 1)),
        f.max(f.when(is_node, its_size)),
        f.collect_list(f.when(is_first & (f.col("lines") > share), its_size)),
        f.collect_list(f.when(~is_node, told)),
    ).collect()[0]
    is_too_many, total, tied, several, largest, large, commonest = row
    if is_too_many:
        return None
    lines, lowest = (0, 0) if largest is None else largest
    return Components(
        nodes.where(is_node),
        total or 0,
        tied or 0,
        several or 0,
        -lowest if lines else None,
        lines,
        [-each.lowest for each in sorted(large, reverse=True)],
        sorted([tuple(each) for each in commonest], key=_commonest_first),
    )


def _commonest_first(told: tuple[Any, ...]) -> tuple[Any, ...]:
    name, lines, first = told
    return -lines, first, name


def _components_of_more(
    named: "DataFrame",
    seed: int,
    keeper: Keeper,
    names_of_new_mpids: Callable[["DataFrame", int, Keeper], "DataFrame"],
) -> "DataFrame":
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    names = named.where("node IS NOT NULL").select("node", f.explode("names").alias("name"))
    names = names.unionAll(names_of_new_mpids(named, seed, keeper))
    lowest = f.min("node").over(Window.partitionBy("name")).alias("lower")
    edges = keeper.table(names.select("node", lowest).where("lower < node").distinct(), "edges")
    if 2 * edges.count() > AT_HAND:  # an edge is a name that two have
        return _with_lines(_by_stars(edges, keeper), keeper)
    ends = f.explode(f.array("node", "lower")).alias("node"), f.array("lower").alias("names")
    by_edges = edges.select(*ends).withColumn("new", f.lit(None).cast("long"))
    return _walked(by_edges, seed, keeper, tells=False)


def _walked(named: "DataFrame", seed: int, keeper: Keeper, *, tells: bool) -> "DataFrame":
    most = AT_HAND

    def run(batches: Batches) -> Made:
        return walk(batches, seed, most, tells=tells)

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
