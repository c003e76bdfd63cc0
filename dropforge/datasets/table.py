"""A table that may be larger than memory: taken by the column, or some rows at a time.

`InMemory` is a frame; `Spill` lies as Parquet in a scratch folder; `Kept` is some rows of either. All give the same
values in the same order, so that whoever asks need not know which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import polars as pl

from dropforge.datasets.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Table(Protocol):
    """Rows and named columns: String ("" for no value), or numeric (null for no value)."""

    @property
    def columns(self) -> list[str]:
        """Names, in the order of the file."""

    @property
    def height(self) -> int:
        """The number of rows."""

    def __getitem__(self, name: str) -> pl.Series:
        """One column, all rows."""

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All columns, some rows at a time, in order."""

    def facts(self, name: str) -> Facts:
        """What was counted of one column."""


@dataclass(frozen=True)
class InMemory:
    """A frame as a table."""

    frame: pl.DataFrame
    counted: dict[str, Facts] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Names, in the order of the file."""
        return self.frame.columns

    @property
    def height(self) -> int:
        """The number of rows."""
        return self.frame.height

    def __getitem__(self, name: str) -> pl.Series:
        """One column, all rows."""
        return self.frame[name]

    def blocks(self) -> Iterator[pl.DataFrame]:
        """The frame."""
        yield self.frame

    def facts(self, name: str) -> Facts:
        """What was counted of one column, on first demand."""
        if name not in self.counted:
            self.counted[name] = Facts.of(self.frame[name])
        return self.counted[name]


class Spill:
    """A table on disk, one Parquet file a block, whose facts were counted while it was written."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.height = folder, 0
        self.parts: list[Path] = []
        self.counted: dict[str, Facts] = {}
        self.types: dict[str, pl.DataType] = {}

    @property
    def columns(self) -> list[str]:
        """Names, in the order of first sight."""
        return list(self.types)

    def add(self, frame: pl.DataFrame) -> None:
        """Writes and counts more rows; a column that was not there before had no value in the rows before."""
        for name, kind in frame.schema.items():
            if name not in self.types:
                self.types[name] = kind
                self.counted[name] = Facts(name, kind.is_numeric())
                self.counted[name].pass_by(self.height)
        if frame.height == 0:
            return
        for name, facts in self.counted.items():
            if name in frame.schema:
                facts.add(frame[name])
            else:
                facts.pass_by(frame.height)
        path = self.folder / f"part-{len(self.parts):06}.parquet"
        frame.write_parquet(path, compression="lz4", statistics=False)
        self.parts.append(path)
        self.height += frame.height

    def __getitem__(self, name: str) -> pl.Series:
        """One column, all rows."""
        return pl.concat([self._read(part, [name]) for part in self.parts])[name]

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All columns, a part at a time."""
        for part in self.parts:
            yield self._read(part, self.columns)

    def _read(self, part: Path, names: list[str]) -> pl.DataFrame:
        there = pl.read_parquet_schema(part)
        known = [name for name in names if name in there]
        frame = pl.read_parquet(part, columns=known or [next(iter(there))])
        return frame.with_columns(pl.lit("").alias(name) for name in names if name not in there).select(names)

    def facts(self, name: str) -> Facts:
        """What was counted of one column."""
        return self.counted[name]


@dataclass(frozen=True)
class Kept:
    """The rows of `table` where `mask`, bool [N], is true."""

    table: Table
    mask: NDArray[np.bool_]

    @property
    def columns(self) -> list[str]:
        """Names, in the order of the file."""
        return self.table.columns

    @cached_property
    def height(self) -> int:
        """The number of rows."""
        return int(self.mask.sum())

    def __getitem__(self, name: str) -> pl.Series:
        """One column, all rows kept."""
        return self.table[name].filter(pl.Series(self.mask))

    def blocks(self) -> Iterator[pl.DataFrame]:
        """All columns, some rows at a time, in order."""
        end = 0
        for block in self.table.blocks():
            yield block.filter(pl.Series(self.mask[end : end + block.height]))
            end += block.height

    def facts(self, name: str) -> Facts:
        """What was counted of one column: of all, on first demand, so that the rows are gone through once."""
        return self._counted[name]

    @cached_property
    def _counted(self) -> dict[str, Facts]:
        counted: dict[str, Facts] = {}
        for block in self.blocks():
            for series in block:
                facts = counted.setdefault(series.name, Facts(series.name, series.dtype.is_numeric()))
                facts.add(series)
        return counted


def as_table(table: pl.DataFrame | Table) -> Table:
    """A frame as a table, a table as it is."""
    return InMemory(table) if isinstance(table, pl.DataFrame) else table
