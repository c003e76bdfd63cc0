"""Parquet to a table: numbers stay numbers, the rest becomes text; sizes are checked before pages are unpacked."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from dropforge.contract.records import composed
from dropforge.datasets import streams
from dropforge.datasets.delimited import check_names
from dropforge.datasets.faults import DataFault
from dropforge.datasets.pages import unpacked_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from polars.datatypes import DataType

MAX_CELLS = 1_000_000_000
"""Most rows times columns: run-length coding fits far more into a few bytes."""


MOST_WRITTEN = 2**30
"""Bytes of all values, once each is written out, that any file may have; more only if the file itself is large."""
MOST_TIMES = 200
"""How many times larger than the file its values may be beyond that: a dictionary repeats a text for almost nothing."""

BATCH = 100_000
"""Rows that are unpacked together."""


def read_parquet(path: Path, limit: int | None) -> pl.DataFrame:
    """The table at `path`: numeric columns as they are, String for text, dates (ISO) and booleans; null is missing.

    Raises:
        DataFault: damaged, nested types, columns of bytes or durations, or more data than a machine holds.
    """
    with _readable():
        frame = pl.read_parquet(path, columns=list(checked_schema(path)), n_rows=limit)
        return frame.select(_plain(name, dtype) for name, dtype in frame.schema.items()).rename(_named)


def read_parquet_blocks(path: Path) -> Iterator[pl.DataFrame]:
    """The same, some rows at a time; at least one frame, which may be empty.

    Raises:
        DataFault: as `read_parquet`.
    """
    with _readable():
        schema = checked_schema(path)
        plain = pl.scan_parquet(path).select(_plain(name, dtype) for name, dtype in schema.items())
        yield plain.head(0).collect().rename(_named)
        for frame in plain.collect_batches(chunk_size=BATCH, maintain_order=True):
            yield frame.rename(_named)


def common_types(paths: Sequence[Path]) -> dict[str, DataType]:
    """The type of each column that holds the values of all files."""
    with _readable():
        heads = [next(read_parquet_blocks(path)) for path in paths]
        same = [head for head in heads if head.columns == heads[0].columns]
        return dict(pl.concat(same, how="vertical_relaxed").schema)


def check_types(path: Path) -> None:
    """Refuses, with `DataFault`, a column of lists, bytes or the like; it is named."""
    with _readable():
        _check_schema(dict(pl.read_parquet_schema(path)))


def checked_schema(path: Path) -> dict[str, DataType]:
    """Columns and types, once the file is known to unpack to what a machine holds."""
    schema = dict(pl.read_parquet_schema(path))
    _check_schema(schema)
    size = unpacked_size(path)
    if size.pages > streams.MAX_BYTES:
        raise DataFault(
            f"{size.pages} bytes unpacked; expected at most {streams.MAX_BYTES}: drop fewer rows or columns"
        )
    if size.values > max(MOST_WRITTEN, MOST_TIMES * path.stat().st_size):
        raise DataFault(
            f"{path.stat().st_size:,} bytes hold values of {size.values:,} bytes; expected at most {MOST_TIMES} times "
            "the file: drop fewer rows, or leave out the columns of long texts"
        )
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    if rows * len(schema) > MAX_CELLS:
        raise DataFault(f"{rows} rows of {len(schema)} columns; expected at most {MAX_CELLS} cells: drop fewer rows")
    return schema


@contextmanager
def _readable() -> Iterator[None]:
    """What polars says of a damaged file, as a `DataFault`."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as fault:
        if isinstance(fault, DataFault):
            raise
        what = (str(fault).splitlines() or ["unreadable"])[0]
        raise DataFault(
            f"the Parquet file cannot be read ({what}); expected a whole file: write and drop it again"
        ) from fault


def _check_schema(schema: dict[str, DataType]) -> None:
    check_names([_named(name) for name in schema])
    for name, dtype in schema.items():
        if dtype.is_nested() or dtype in (pl.Binary, pl.Duration, pl.Object):
            raise DataFault(
                f"column {name!r} is of type {dtype}; expected numbers, texts, booleans or dates: "
                "leave it out, or give each part a column of its own"
            )


def _named(name: str) -> str:
    return composed(name.strip())


def _plain(name: str, dtype: DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        moment = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        return moment.dt.strftime("%Y-%m-%dT%H:%M:%S")
    if dtype == pl.Date:
        return column.dt.strftime("%Y-%m-%d")
    if dtype.is_decimal() or dtype.is_float():
        return column.cast(pl.Float64)
    return column if dtype.is_integer() else column.cast(pl.String)
