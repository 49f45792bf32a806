"""Connected components of a window that one task has room for, by arrays of numbers."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from idsync_cli.spark.rows import seq_of
from idsync_cli.spark.tables import Batches, arrow_of
from idsync_cli.spark.ties import attempt_mpid

if TYPE_CHECKING:
    import pyarrow

Numbers = Any
"""An array of numpy, of numbers of 64 bits."""

GROUPED: Final = "node long, component long, lines long, told binary"
"""The nodes that are tied to others: their component, by its lowest node, and how many lines that
has. One row stands for no node, and tells of all (`Told`, as JSON)."""

COMMONEST: Final = 50
"""Of how many names of the largest component is told."""

_AT_ONCE: Final = 50_000
_NOBODY: Final = -1
_NO_NODE: Final = -1
_HIGHEST: Final = 2**63 - 1


class Told(NamedTuple):
    """What is told of nodes that are tied to others; nothing else, if there are `too_many` names.

    There are `total` of them in `several` components, and `tied` of them are lines. `largest` is
    the lowest of the components that have the most lines, `its_lines`, and None if none has any.
    `large` are those that have more than a share of the lines, the largest first. `commonest` has
    of names of the largest how many of its lines have it, and the node of the first.
    """

    total: int = 0
    tied: int = 0
    several: int = 0
    largest: int | None = None
    its_lines: int = 0
    large: Sequence[int] = ()
    commonest: Sequence[tuple[int, int, int]] = ()
    too_many: bool = False


def told_in(text: bytes) -> Told:
    """What a row tells."""
    return Told(*json.loads(text))


def walk(
    batches: Batches, seed: int, most: int, share: float, *, tells_names: bool
) -> Iterator["pyarrow.RecordBatch"]:
    """Group nodes by what they name (`naming.NAMED`), if those are at most so many names.

    Components of more lines than `share` are large. With `tells_names` the commonest are told.
    """
    import numpy as np
    import pyarrow
    import pyarrow.compute as pc

    none: Numbers = np.empty(0, np.int64)
    nodes, names, makers, new = [none], [none], [none], [none]
    count = 0
    for batch in batches:
        its, named, its_new = batch.column("node"), batch.column("names"), batch.column("new")
        its_nodes = pc.fill_null(its, _NOBODY).to_numpy()
        nodes.append(its_nodes[pc.list_parent_indices(named).to_numpy()])
        names.append(pc.list_flatten(named).to_numpy())
        may_make = pc.is_valid(its_new)
        makers.append(its_nodes[may_make.to_numpy(zero_copy_only=False)])
        new.append(pc.filter(its_new, may_make).to_numpy())
        count += len(names[-1]) + len(new[-1])
        if count > most:
            yield _telling(Told(too_many=True))
            return
    tried, tried_by = _tried(np.concatenate(new), np.concatenate(makers), seed)
    every, of = np.concatenate([*names, tried]), np.concatenate([*nodes, tried_by])
    for parts in (names, nodes, new, makers):
        parts.clear()  # it is a hundred megabytes for a million lines
    found = _grouped(every, of)
    told = _told(*found, share)
    if tells_names and told.largest is not None:
        its_nodes = found[0][found[1] == told.largest]
        told = told._replace(commonest=_commonest(every, of, its_nodes))
    yield _telling(told)
    schema = arrow_of(GROUPED)
    for begin in range(0, len(found[0]), _AT_ONCE):
        some = [pyarrow.array(column[begin : begin + _AT_ONCE]) for column in found]
        nothing = pyarrow.nulls(len(some[0]), schema.field("told").type)
        yield pyarrow.RecordBatch.from_arrays([*some, nothing], schema=schema)


def _telling(told: Told) -> "pyarrow.RecordBatch":
    import pyarrow

    columns = [[_NO_NODE], [_NO_NODE], [0], [json.dumps(told).encode("ascii")]]
    return pyarrow.RecordBatch.from_arrays(columns, schema=arrow_of(GROUPED))


def _tried(new: Numbers, makers: Numbers, seed: int) -> tuple[Numbers, Numbers]:
    """The MPIDs that nodes try to give out, and those nodes: the next where one may be taken.

    Some of `new` were given out before, by nobody here.
    """
    import numpy as np

    latest, latest_by = new[makers != _NOBODY], makers[makers != _NOBODY]
    tried, tried_by = [latest], [latest_by]
    attempt = 0
    while True:
        numbers, counts = np.unique(new, return_counts=True)
        again = np.isin(latest, numbers[(counts > 1) | (numbers == 0)])
        if not again.any():
            return np.concatenate(tried), np.concatenate(tried_by)
        attempt += 1
        latest_by = latest_by[again]
        mpids = [attempt_mpid(seed, seq_of(node), attempt) for node in latest_by.tolist()]
        latest = np.array(mpids, np.int64)
        new = np.concatenate([new, latest])
        tried.append(latest)
        tried_by.append(latest_by)


def _grouped(names: Numbers, of: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """The columns of `GROUPED` for names and the nodes that have them."""
    import numpy as np

    order = np.argsort(names, kind="stable")
    nodes, index = np.unique(of, return_inverse=True)
    names, index = names[order], index[order]
    is_same = names[1:] == names[:-1]
    lowest = _lowest(len(nodes), index[:-1][is_same], index[1:][is_same])
    sizes = np.bincount(lowest, minlength=len(nodes))
    lines = np.bincount(lowest[nodes % 4 == 0], minlength=len(nodes))
    tied = sizes[lowest] > 1
    its = lowest[tied]
    return nodes[tied], nodes[its], lines[its]


def _told(nodes: Numbers, components: Numbers, lines: Numbers, share: float) -> Told:
    """What is told of the columns of `GROUPED`, but for names."""
    import numpy as np

    is_first = (nodes == components) & (lines > 0)
    lowest, sizes = nodes[is_first], lines[is_first]
    order = np.lexsort((lowest, -sizes))
    lowest, sizes = lowest[order], sizes[order]
    return Told(
        total=len(nodes),
        tied=int(np.count_nonzero(nodes % 4 == 0)),
        several=len(lowest),
        largest=int(lowest[0]) if len(lowest) else None,
        its_lines=int(sizes.max(initial=0)),
        large=lowest[sizes > share].tolist(),
    )


def _commonest(names: Numbers, of: Numbers, its: Numbers) -> list[tuple[int, int, int]]:
    """The names that most lines of a component have, whose nodes are given."""
    import numpy as np

    of_lines = np.isin(of, its[its % 4 == 0])
    order = np.lexsort((of[of_lines], names[of_lines]))
    names, of = names[of_lines][order], of[of_lines][order]
    is_first = np.ones(len(names), bool)
    is_first[1:] = (names[1:] != names[:-1]) | (of[1:] != of[:-1])
    names, of = names[is_first], of[is_first]
    found, first, counts = np.unique(names, return_index=True, return_counts=True)
    firsts = of[first]  # lines come by number
    best = np.lexsort((found, firsts, -counts))[:COMMONEST]
    columns = found[best], counts[best], firsts[best]
    return [*zip(*[each.tolist() for each in columns], strict=True)]


def _lowest(count: int, one: Numbers, other: Numbers) -> Numbers:
    """For each of so many nodes the lowest that it is connected with by edges.

    In each round the higher of two that edges lead to takes the lower one for its own, and all that
    had it follow.
    """
    import numpy as np

    lowest = np.arange(count)
    while len(one):
        low, high = lowest[one], lowest[other]
        is_apart = low != high
        one, other, low, high = one[is_apart], other[is_apart], low[is_apart], high[is_apart]
        np.minimum.at(lowest, np.maximum(low, high), np.minimum(low, high))
        while not np.array_equal(lowest, further := lowest[lowest]):
            lowest = further
    return lowest
