"""Whatever a caller drops, as one file: a path, an object of S3, or a table of the program.

A table is written as Parquet where its own library can do so (polars, pyarrow, and pandas with pyarrow), and otherwise
as CSV, whose texts lose nothing: whole floats, dates in UTC, an empty field for every gap.
"""

from __future__ import annotations

import csv
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from dropforge.client.cells import with_infinity
from dropforge.client.drops import model_name
from dropforge.client.faults import Fault
from dropforge.client.objects import downloaded, is_uri
from dropforge.client.tables import flat, library_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dropforge.client.connection import Connection
    from dropforge.client.tables import Frame, Table

    Data = str | Path | Frame | Mapping[str, Sequence[Any]] | Iterable[Mapping[str, Any]]
    """The path or the S3 URI of a file, a frame, columns of values, or rows."""

BLOCK = 10_000
"""Rows of a table that are converted at once."""


@contextmanager
def as_data_file(data: Data, model: str | None, connection: Connection) -> Iterator[Path]:
    """Yields the path of a file with the data; a copy that was made for it is removed afterwards.

    Args:
        data: what to drop or to predict in a batch.
        model: the model's name, which becomes that of a table's file.
        connection: reads objects of S3.

    Raises:
        Fault: a table without a name of its model, or with a value that a file has no form for; an object of S3 that
            cannot be read.
    """
    if isinstance(data, str | Path) and not is_uri(data):
        yield Path(data)
        return
    with TemporaryDirectory(prefix="dropforge-") as scratch:
        folder = Path(scratch)
        if isinstance(data, str | Path):
            yield downloaded(connection, str(data), folder)
        elif model is None:
            raise Fault("a table has no file whose name the model could have: give model=", "model_name", "model")
        else:
            yield _written(data, folder / model_name(model, folder))


def _written(data: Any, stem: Path) -> Path:
    """The path of a file with the table: Parquet if the library writes it, and CSV otherwise."""
    path = stem.with_name(f"{stem.name}.parquet")
    if _as_parquet(data, path):
        return path
    table = table_of(data)
    path = stem.with_name(f"{stem.name}.csv")
    with path.open("w", encoding="utf-8", newline="", errors="surrogatepass") as file:
        # Quotation marks around every field: no text of a column can be taken for another delimiter.
        out = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
        out.writerow(table.names)
        for start in range(0, table.height, BLOCK):
            out.writerows(_texts(table, start))
    return path


def _texts(table: Table, start: int) -> Iterator[tuple[str, ...]]:
    columns = [
        [_text(with_infinity(value, row, name)) for row, value in enumerate(values, start)]
        for name, values in zip(table.names, table.values(start, start + BLOCK), strict=True)
    ]
    return zip(*columns, strict=True)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_parquet(data: Any, path: Path) -> bool:
    """Whether the table was written as Parquet.

    It is not if a column has values of several types, or of a type that no data set can have: in a CSV the former are
    texts, and the latter are named by row and column.
    """
    match library_of(data):
        case "polars":
            return _polars_wrote(data, path)
        case "pandas":
            try:
                import pyarrow as pa
            except ImportError:
                return False
            try:
                return _pyarrow_wrote(pa.Table.from_pandas(flat(data), preserve_index=False), path)
            except (pa.ArrowException, ValueError, TypeError, OverflowError):
                return False
        case "pyarrow":
            return _pyarrow_wrote(data, path)
        case None:
            return False


def _polars_wrote(frame: Any, path: Path) -> bool:
    import polars as pl

    plain = (pl.Boolean, pl.String, pl.Categorical, pl.Enum, pl.Date, pl.Datetime, pl.Time, pl.Null)
    if not all(dtype.is_numeric() or dtype in plain for dtype in frame.schema.values()):
        return False
    table_of(frame)  # raises for names that are one, but for white space
    frame.write_parquet(path)
    return True


def _pyarrow_wrote(data: Any, path: Path) -> bool:
    import pyarrow as pa
    from pyarrow import parquet

    kinds = pa.types
    plain = (
        kinds.is_boolean, kinds.is_integer, kinds.is_float32, kinds.is_float64, kinds.is_decimal, kinds.is_string,
        kinds.is_large_string, kinds.is_date, kinds.is_time, kinds.is_timestamp, kinds.is_null,
    )  # fmt: skip
    types = [each.value_type if kinds.is_dictionary(each) else each for each in data.schema.types]
    if not all(any(is_of(each) for is_of in plain) for each in types):
        return False
    table_of(data)  # raises for names that are one, but for white space
    whole = data if isinstance(data, pa.Table) else pa.Table.from_batches([data])
    parquet.write_table(whole, path)
    return True
