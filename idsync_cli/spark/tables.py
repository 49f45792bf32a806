"""Rows as tables of Spark, and functions over rows as functions over batches of Arrow."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from idsync_cli.spark.rows import Kind, Row

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

_COLUMNS: Final = {
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

ROWS: Final = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
"""The schema of rows."""

_TEXTS: Final = {Kind.ANSWER: "answer", Kind.HISTORY: "entry", Kind.DECISION: "decision"}

RESULTS: Final = ", ".join([ROWS, *(f"{name} binary" for name in _TEXTS.values())])
"""The schema of what tasks give: texts have columns of their own, so that whoever reads the answers
does not have to read the history."""

ORDER: Final = ("kind", "section", "seq", "rank", "age", "place")
"""What rows are sorted by (`rows.place_of`)."""

Values = tuple[Any, ...]
Batches = Iterable["pyarrow.RecordBatch"]
Mapped = Callable[[Iterator[Values]], Iterable[Values]]

_AT_ONCE: Final = 2000
"""How many rows go into a batch."""


def mapped(table: "DataFrame", make: Callable[[], Mapped], schema: str) -> "DataFrame":
    """What a function makes of the rows of each partition; `make` makes it where it is to run."""

    def run(batches: Batches) -> "Iterator[pyarrow.RecordBatch]":
        import pyarrow

        gc.disable()  # rows have no cycles, and looking for some takes a third
        try:
            columns = _arrow_of(schema)
            found = iter(make()(_values(batches)))
            while some := list(islice(found, _AT_ONCE)):
                arrays = [
                    pyarrow.array(column, type=each.type)
                    for column, each in zip(zip(*some, strict=True), columns, strict=True)
                ]
                yield pyarrow.RecordBatch.from_arrays(arrays, schema=columns)
        finally:
            gc.enable()

    return table.mapInArrow(run, schema)


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

    columns = _arrow_of(schema)
    arrays = [
        pyarrow.array(column, type=each.type)
        for column, each in zip(zip(*rows, strict=True), columns, strict=True)
    ]
    return spark.createDataFrame(pyarrow.Table.from_arrays(arrays, schema=columns), schema)


def _values(batches: Batches) -> Iterator[Values]:
    for batch in batches:
        yield from zip(*[column.to_pylist() for column in batch.columns], strict=True)


def _arrow_of(schema: str) -> "pyarrow.Schema":
    import pyarrow

    kinds = {
        "int": pyarrow.int32(),
        "long": pyarrow.int64(),
        "binary": pyarrow.binary(),
        "boolean": pyarrow.bool_(),
        "string": pyarrow.string(),
    }
    columns = [column.split() for column in schema.split(", ")]
    return pyarrow.schema([(name, kinds[kind]) for name, kind in columns])


def row_of(values: Values) -> Row:
    """The row that a table has as values."""
    row = Row._make(values)
    return row._replace(place=bytes(values[_PLACE]).decode("utf-8", "surrogatepass"))


def values_of(row: Row) -> Values:
    """A row as a table has it."""
    return row._replace(place=row.place.encode("utf-8", "surrogatepass"))  # type: ignore[arg-type]


def result_of(row: Row) -> Values:
    """A row that a task gives, as a table has it."""
    if row.kind not in _TEXTS:
        return (*values_of(row), None, None, None)
    values = values_of(row)
    texts = [row.data if kind == row.kind else None for kind in _TEXTS]
    return (*values[:_DATA], None, *values[_DATA + 1 :], *texts)


_DATA: Final = list(_COLUMNS).index("data")
_PLACE: Final = list(_COLUMNS).index("place")
