"""Rows as tables of Spark, and functions over rows as functions over batches of Arrow."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice, pairwise
from typing import TYPE_CHECKING, Any, Final

from idsync_cli.spark.rows import Answered, RowKind, TaskRow

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

COLUMNS: Final = {
    "kind": "int",
    "seq": "long",
    "data": "binary",
    "node": "long",
    "section": "int",
    "rank": "int",
    "age": "long",
    "place": "binary",
    "mpid": "long",
    "other": "long",
    "key": "binary",
    "was_known": "boolean",
    "file": "int",
    "line": "long",
}
"""The columns of a row; `place` in UTF-8, for a name may have half a character."""

ROWS: Final = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
"""The schema of rows."""

OF_STATE: Final = ("node", "section", "rank", "age", "mpid", "other", "key", "was_known")
"""The columns that lines have nothing in. A task takes them as one, `of_state`."""

RESULTS: Final = f"{ROWS}, answer binary, decision binary, entries binary"
"""The schema of what tasks give: rows of the state, and of the kind LINE what came of a line."""

ORDER: Final = ("kind", "section", "seq", "rank", "age", "place")
"""What rows are sorted by (`rows.place_of`)."""

Values = tuple[Any, ...]
Batches = Iterable["pyarrow.RecordBatch"]
Made = Iterator["pyarrow.RecordBatch"]
Mapped = Callable[[Iterator[Values]], Iterable[Values]]

_AT_ONCE: Final = 2000
"""How many rows go into a batch."""


def mapped(table: "DataFrame", make: Callable[[], Mapped], schema: str) -> "DataFrame":
    """What a function makes of the rows of each partition; `make` makes it where it is to run."""
    return mapped_batches(table, of_rows(make, schema), schema)


def of_rows(make: Callable[[], Mapped], schema: str) -> "Callable[[Batches], Made]":
    """The function that does with batches what another does with rows."""

    def run(batches: Batches) -> Made:
        columns = arrow_of(schema)
        names = columns.names
        found = iter(make()(_values(batches)))
        while some := list(islice(found, _AT_ONCE)):
            yield batch_of(columns, dict(zip(names, zip(*some, strict=True), strict=True)))

    return run


def mapped_batches(
    table: "DataFrame", run: "Callable[[Batches], Made]", schema: str
) -> "DataFrame":
    """The same, of the batches themselves."""

    def without_gc(batches: Batches) -> Made:
        gc.disable()  # rows have no cycles, and looking for some takes a third
        try:
            yield from run(batches)
        finally:
            gc.enable()

    return table.mapInArrow(without_gc, schema)


def batch_of(
    schema: "pyarrow.Schema", columns: Mapping[str, Sequence[Any]]
) -> "pyarrow.RecordBatch":
    """A batch of some columns of a schema; the others have nothing in them."""
    import pyarrow

    length = len(next(iter(columns.values())))
    arrays = [
        pyarrow.array(columns[each.name], type=each.type)
        if each.name in columns
        else pyarrow.nulls(length, each.type)
        for each in schema
    ]
    return pyarrow.RecordBatch.from_arrays(arrays, schema=schema)


def empty(spark: "SparkSession", schema: str) -> "DataFrame":
    """A table without rows, of which Spark knows that: what is asked of it costs no job."""
    columns = [column.split() for column in schema.split(", ")]
    nulls = [
        f"CAST(NULL AS {'bigint' if kind == 'long' else kind}) AS {name}" for name, kind in columns
    ]
    return spark.range(0).where("false").selectExpr(*nulls)


def table_of(spark: "SparkSession", rows: Sequence[Values], schema: str) -> "DataFrame":
    """A table of some rows of this process."""
    import pyarrow

    columns = arrow_of(schema)
    arrays = [
        pyarrow.array(column, type=each.type)
        for column, each in zip(zip(*rows, strict=True), columns, strict=True)
    ]
    return spark.createDataFrame(pyarrow.Table.from_arrays(arrays, schema=columns), schema)


def _values(batches: Batches) -> Iterator[Values]:
    for batch in batches:
        yield from zip(*map(list_of, batch.columns), strict=True)


def list_of(column: "pyarrow.Array") -> Sequence[Any]:
    """The values of a column; faster than `to_pylist`, which makes an object of each on the way."""
    import pyarrow

    kind = column.type
    if column.null_count or not (pyarrow.types.is_integer(kind) or pyarrow.types.is_binary(kind)):
        return column.to_pylist()  # type: ignore[no-any-return]
    if not pyarrow.types.is_binary(kind):
        return column.to_numpy().tolist()  # type: ignore[no-any-return]
    _, offsets, data = column.buffers()
    first, count = column.offset, len(column)
    ends = memoryview(offsets).cast("i")[first : first + count + 1].tolist()
    text = b"" if data is None else data.to_pybytes()
    return [text[begin:end] for begin, end in pairwise(ends)]


def arrow_of(schema: str) -> "pyarrow.Schema":
    """A schema as Arrow has it."""
    import pyarrow

    kinds = {
        "int": pyarrow.int32(),
        "long": pyarrow.int64(),
        "binary": pyarrow.binary(),
        "boolean": pyarrow.bool_(),
        "string": pyarrow.string(),
        "array<long>": pyarrow.list_(pyarrow.int64()),
        "array<binary>": pyarrow.list_(pyarrow.binary()),
    }
    columns = [column.split() for column in schema.split(", ")]
    return pyarrow.schema([(name, kinds[kind]) for name, kind in columns])


def row_of(values: Values) -> TaskRow:
    """The row that a table has as values."""
    row = TaskRow._make(values)
    return row._replace(place=bytes(values[_PLACE]).decode("utf-8", "surrogatepass"))


def values_of(row: TaskRow) -> Values:
    """A row as a table has it."""
    return row._replace(place=_text(row.place))  # type: ignore[arg-type]


def _text(place: str) -> bytes:
    return place.encode("utf-8", "surrogatepass")


def rows_in(batches: Batches) -> Iterator[TaskRow]:
    """The rows of a task: those of the state, and then lines, of which less is told."""
    for batch in batches:
        kinds = batch.column("kind")
        if len(kinds) and kinds[0].as_py() == RowKind.STATE:
            of_state = dict(zip(OF_STATE, batch.column("of_state").flatten(), strict=True))
            every = [of_state[n] if n in of_state else batch.column(n) for n in COLUMNS]
            yield from map(row_of, zip(*map(list_of, every), strict=True))
            continue
        columns = [list_of(batch.column(name)) for name in ("seq", "data", "file", "line", "place")]
        for seq, data, file, line, place in zip(*columns, strict=True):
            labels = place.decode("utf-8", "surrogatepass")
            yield TaskRow(
                RowKind.LINE, seq, data, 0, 0, 0, 0, labels, None, None, None, False, file, line
            )


def results_of(found: Iterator[Answered | TaskRow]) -> Made:
    """What a task gives, as a table has it."""
    schema = arrow_of(RESULTS)
    for kind, some in groupby(found, type):
        while rows := list(islice(some, _AT_ONCE)):
            if kind is Answered:
                columns = dict(zip(Answered._fields, zip(*rows, strict=True), strict=True))
                columns["kind"] = (RowKind.LINE.value,) * len(rows)
            else:
                columns = dict(zip(TaskRow._fields, zip(*rows, strict=True), strict=True))
                columns["place"] = tuple([_text(each) for each in columns["place"]])
            yield batch_of(schema, columns)


_PLACE: Final = list(COLUMNS).index("place")
