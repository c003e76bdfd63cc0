"""Rows on their way to the API: batches small enough for one request, in the form that the API reads best.

Rows of a program, of JSON and of Parquet go as JSON, because their types mean something. Rows of delimited text go as
CSV, because their values are texts that the API reads by the trainer's own rules.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from dropforge.client.api import CSV, JSON
from dropforge.client.cells import plain
from dropforge.client.tables import checked_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dropforge.client.tables import Table

MOST_ROWS = 1_000
"""In one request; the API takes 10,000, but a small request is answered sooner and repeated more cheaply."""


@dataclass(frozen=True)
class Batch:
    """Some rows, as they were given; of a file with its columns, and as texts when these are delimited."""

    rows: Sequence[Mapping[str, Any]]
    columns: tuple[str, ...] = ()
    texts: Sequence[Sequence[str]] | None = None

    def request(self) -> tuple[bytes, str]:
        """Body and content type of a request for these rows."""
        if self.texts is None:
            rows = list(map(self._whole, self.rows)) if self.columns else self.rows
            return json.dumps(rows, ensure_ascii=False).encode("utf-8", "surrogatepass"), JSON
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerows([self.columns, *self.texts])
        return out.getvalue().encode("utf-8", "surrogatepass"), CSV

    def _whole(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with all columns, null for a key that it lacks, under their stripped names."""
        return dict.fromkeys(self.columns) | {name.strip(): value for name, value in row.items()}

    def halves(self) -> tuple[Batch, Batch]:
        """The same rows in two batches."""
        middle = len(self.rows) // 2
        return self.part(0, middle), self.part(middle, len(self.rows))

    def parts(self, most: int) -> Iterator[Batch]:
        """The same rows in batches of at most so many."""
        for start in range(0, len(self.rows), most):
            yield self.part(start, start + most)

    def part(self, start: int, end: int) -> Batch:
        """Some of the rows."""
        texts = None if self.texts is None else self.texts[start:end]
        return Batch(self.rows[start:end], self.columns, texts)


def of_rows(rows: Iterable[Mapping[str, Any]]) -> Iterator[Batch]:
    """Batches of a program's rows.

    Raises:
        Fault: a row is not a mapping, or holds a value that JSON has no form for.
    """
    plain_rows = (
        {str(name): plain(value, place, str(name)) for name, value in row.items()}
        for place, row in enumerate(checked_rows(rows))
    )
    while taken := list(islice(plain_rows, MOST_ROWS)):
        yield Batch(taken)


def of_table(table: Table) -> Iterator[Batch]:
    """Batches of a table's rows.

    Raises:
        Fault: a value that JSON has no form for; it names row and column.
    """
    for start in range(0, table.height, MOST_ROWS):
        columns = [
            [plain(value, row, name) for row, value in enumerate(values, start)]
            for name, values in zip(table.names, table.values(start, start + MOST_ROWS), strict=True)
        ]
        yield Batch([dict(zip(table.names, row, strict=True)) for row in zip(*columns, strict=True)])
