"""Rows on their way to the API: batches small enough for one request, in the form that the API reads best.

Rows of a program, of JSON and of Parquet go as JSON, because their types mean something. Rows of delimited text go as
CSV, because their values are texts that the API reads by the trainer's own rules.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from dropforge.client.api import CSV, JSON
from dropforge.client.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    if not isinstance(rows, list | tuple) and (isinstance(rows, dict | str | bytes) or not hasattr(rows, "__iter__")):
        raise Fault(f"rows: expected a list of objects, got {type(rows).__name__}: write [{{…}}]", "rows", "rows")
    plain = (_plain_row(at, row) for at, row in enumerate(rows))
    while taken := list(islice(plain, MOST_ROWS)):
        yield Batch(taken)


def _plain_row(at: int, row: Mapping[str, Any]) -> dict[str, Any]:
    if not hasattr(row, "items"):
        message = f"rows[{at}]: expected an object, got {row!r:.60}: write {{name: value}}"
        raise Fault(message, "rows", f"rows[{at}]", at)
    return {str(name): _plain(value, at, str(name)) for name, value in row.items()}


def _plain(value: Any, row: int, column: str) -> Any:
    """A JSON value; NaN, which JSON has not, is a missing value as everywhere here."""
    if type(value).__name__ == "datetime64":
        value = value.astype("datetime64[us]")  # finer ones are numbers to Python
    if hasattr(value, "item") and not isinstance(value, str | int | float):
        value = value.item()  # a number of numpy or torch
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)  # as Parquet's are read
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise _wrong(f"expected a finite number or None, got {value}", row, column)
    if value is None or isinstance(value, str | int | float):
        return value
    raise _wrong(f"expected a text, a number, a date, a boolean or None, got {value!r:.60}", row, column)


def _wrong(reason: str, row: int, column: str) -> Fault:
    field = f"rows[{row}].{column}"
    return Fault(f"{field}: {reason}", "rows", field, row, column)
