"""An input of our own: a real table, and a function that writes it in a spelling of the world."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from .respelled import (
    cars,
    delimited,
    homes,
    penguins,
    renamed,
    weather,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .respelled import Spelling

TARGETS = {"penguins": "species", "weather": "temp_max", "homes": "price", "cars": "Origin"}
FRAMES: dict[str, Callable[[], pl.DataFrame]] = {
    "penguins": penguins,
    "weather": weather,
    "homes": homes,
    "cars": cars,
}


@dataclass(frozen=True)
class Own:
    """One input: a table, and the function that writes it as a file."""

    table: str
    write: Callable[[pl.DataFrame], bytes | str]
    file: str = "data.csv"
    spec: dict[str, Any] = field(default_factory=dict)
    plain: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame
    """The table that the file is another spelling of."""
    absent: tuple[str, ...] = ()
    """Further columns of the file, which are left out."""
    told: str = ""
    """A pattern that must be found in what a person is shown."""
    fault: str = ""
    """A pattern of the rejection."""
    names_target: bool = True
    """Whether the owner names the target; otherwise it is chosen by rule."""

    @property
    def frame(self) -> pl.DataFrame:
        """The plain table."""
        return self.plain(FRAMES[self.table]())

    def body(self) -> bytes:
        """The file's bytes."""
        content = self.write(FRAMES[self.table]())
        return content.encode() if isinstance(content, str) else content


def spelled(delimiter: str = ",", missing: str = "", **spellings: Spelling) -> Callable[[pl.DataFrame], str]:
    """Delimited text with some columns in other spellings."""
    return lambda frame: delimited(frame, spellings, delimiter, missing=missing)


def encoded(encoding: str, words: dict[str, str], mark: bytes = b"") -> Callable[[pl.DataFrame], bytes]:
    """The penguins with other islands, in an encoding."""
    return lambda frame: mark + delimited(frame, {"island": renamed(words)}).encode(encoding)


def hundreds(frame: pl.DataFrame) -> pl.DataFrame:
    """The homes with prices in hundreds, of which some are below 1,000."""
    return frame.with_columns(pl.col("price") // 100)


def islands(words: dict[str, str]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """The penguins with other islands."""
    return lambda frame: frame.with_columns(pl.col("island").replace(words))


SPANISH = {"Biscoe": "Añasco", "Dream": "Sueño", "Torgersen": "Cañón"}
POLISH = {"Biscoe": "Łódź", "Dream": "Gdańsk", "Torgersen": "Święta Żółć"}
JAPANESE = {"Biscoe": "北海道", "Dream": "夢の島", "Torgersen": "トルゲルセン"}
RUSSIAN = {"Biscoe": "Соловки", "Dream": "Мечта", "Torgersen": "Новая Земля"}


def parquet(frame: pl.DataFrame) -> bytes:
    """The table as a Parquet file."""
    out = io.BytesIO()
    frame.write_parquet(out)
    return out.getvalue()
