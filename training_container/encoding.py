"""From raw columns to three tables of numbers: what the front of the ONNX graph does, done in Python.

This is the native half of the parity proof, so it shares no code with `export.front` but the learned vocabularies:

- `numbers` float32 [N, columns]: as they are, NaN for missing; those of float64 moved and scaled before (`Shift`);
- `codes` int64 [N, categories and booleans]: place in the column's vocabulary;
- `dates` int64 [N, dates, 7]: year, month, day, hour, minute, second, and 1 where there is a date (all 0 elsewhere).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never
from unicodedata import normalize

import numpy as np
import torch

from dropforge.datasets.values import FALSE as FALSE_WORDS
from dropforge.datasets.values import GRAPH_FALSE, GRAPH_TRUE
from dropforge.datasets.values import MISSING as MISSING_TEXTS
from dropforge.datasets.values import TRUE as TRUE_WORDS
from training_container.dates import DATE_PARTS, parse_date
from training_container.kinds import TRAINED

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from dropforge.contract.schema import Column
    from training_container.kinds import Group

UNKNOWN, MISSING = 0, 1
"""Codes of a text that was never (or hardly ever) seen, and of every text that means "no value"."""

FALSE, TRUE = 2, 3
RARE = 3
"""A text seen in fewer training rows is unknown: so 'unknown' is itself something the model has learned."""

WHOLE = re.compile(r"(-?[1-9]\d{0,14}|0)(?:\.0+)?")

LARGEST_POWER = 1000
"""Of two, by which numbers are scaled at most: 2^1024 is no float64."""

MOST_ANSWERS = 5
"""Different texts of a column up to which `yes` and `no` among them are answers: `Y` and `N` of many are codes."""

LARGEST = 500
"""Most texts that a vocabulary keeps, the most frequent first."""


def spellings(text: str) -> tuple[str, ...]:
    """The ways to write one category, first the one that JSON's numbers and truths are read as.

    pandas writes `4.0` where a column of whole numbers has a gap, and `True`; a caller sends 4, 4.0, true or the text.
    """
    if whole := WHOLE.fullmatch(text):
        return whole[1], f"{whole[1]}.0"
    plain = text.lower()
    return (plain, plain.title(), plain.upper()) if plain in ("true", "false") else (text,)


def codes_of(kept: Sequence[str], seen: Iterable[str], first: int) -> dict[str, int]:
    """The code of every spelling of the texts `kept`, from `first` on in their order; those of `seen` among them."""
    known = {spelled: first + place for place, text in enumerate(kept) for spelled in spellings(text)}
    return known | {text: known[spellings(text)[0]] for text in sorted(seen) if spellings(text)[0] in known}


def decomposed(known: Mapping[str, int]) -> dict[str, int]:
    """The codes of the texts as macOS writes them, accents apart from their letters."""
    return {normalize("NFD", text): code for text, code in known.items() if not text.isascii()}


def truths(kept: Sequence[str], known: Mapping[str, int], seen: Container[str]) -> dict[str, int]:
    """The codes of all words for true and false where one of few texts `kept` is such a word for each.

    So `yes`, `no` and `unknown` are known as true, `Yes` or 1 as well, but for words that mean something else in the
    data, which hold them.
    """
    found: dict[str, int] = {}
    for words, answers in ((GRAPH_TRUE, TRUE_WORDS), (GRAPH_FALSE, FALSE_WORDS)):
        spelled = [text for text in kept if text in answers]
        if len(spelled) != 1 or len(kept) > MOST_ANSWERS:
            return {}
        alike = [word for word in words if word not in seen or word.casefold() == spelled[0].casefold()]
        found |= dict.fromkeys(alike, known[spelled[0]])
    return found


@dataclass(frozen=True)
class Vocabulary:
    """What a text column's values become: a text that is not in `codes` becomes `other`."""

    column: str
    codes: dict[str, int]
    size: int
    other: int

    @classmethod
    def of_category(cls, column: str, texts: np.ndarray) -> Vocabulary:
        """The vocabulary of the texts that training rows hold."""
        seen = Counter(text for text in texts if text != "")
        counts: Counter[str] = Counter()
        for text, count in seen.items():
            counts[spellings(text)[0]] += count
        frequent = [text for text, count in counts.items() if count >= RARE]
        kept = sorted(sorted(frequent, key=lambda text: (-counts[text], text))[:LARGEST])
        known = codes_of(kept, seen, 2)
        known = {**decomposed(known), **truths(kept, known, seen), **known}
        return cls(column, {**dict.fromkeys(MISSING_TEXTS, MISSING), **known}, len(kept) + 2, UNKNOWN)

    @classmethod
    def of_boolean(cls, column: str) -> Vocabulary:
        """The usual spellings of true and false; any other text counts as missing."""
        spelled = {**dict.fromkeys(GRAPH_FALSE, FALSE), **dict.fromkeys(GRAPH_TRUE, TRUE)}
        return cls(column, {"": MISSING, **spelled}, 4, MISSING)

    def encode(self, texts: np.ndarray) -> np.ndarray:
        """[N] texts to [N] int64 codes."""
        return np.fromiter((self.codes.get(text, self.other) for text in texts), np.int64, len(texts))


@dataclass(frozen=True)
class Shift:
    """How a column of float64 becomes one of float32 without losing what its values differ by."""

    offset: float
    factor: float
    """A power of two, so that it rounds nothing."""

    @classmethod
    def learn(cls, values: np.ndarray) -> Shift:
        """The shift to a median of 0, and to a range of about 1 for the middle half of the distinct values."""
        known = values[np.isfinite(values)]
        if len(known) == 0:
            return cls(0.0, 1.0)
        low, high = np.quantile(np.unique(known), [0.25, 0.75])
        size = 0 if high == low else int(np.clip(np.frexp(high - low)[1], -LARGEST_POWER, LARGEST_POWER))
        return cls(float(np.median(known)), 2.0**-size)

    def apply(self, values: np.ndarray) -> np.ndarray:
        """float64 [N] as float32 [N]."""
        with np.errstate(over="ignore", invalid="ignore"):
            return ((values - self.offset) * self.factor).astype(np.float32)


@dataclass(frozen=True)
class Table:
    """Encoded rows on one device; `groups` leaves out the tables that have no column."""

    numbers: torch.Tensor
    codes: torch.Tensor
    dates: torch.Tensor

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def groups(self) -> dict[str, torch.Tensor]:
        """The tables with columns, by name, in the order that a body takes them."""
        every = {"numbers": self.numbers, "codes": self.codes, "dates": self.dates}
        return {name: table for name, table in every.items() if table.shape[1]}

    def take(self, rows: torch.Tensor | slice) -> Table:
        """These rows alone."""
        return Table(self.numbers[rows], self.codes[rows], self.dates[rows])

    def to(self, device: torch.device) -> Table:
        """The same rows on another device."""
        return Table(self.numbers.to(device), self.codes.to(device), self.dates.to(device))

    def chunks(self, size: int = 8192) -> Iterator[Table]:
        """The rows in order, at most `size` at a time."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))


@dataclass(frozen=True)
class Encoder:
    """How raw columns become a `Table`, learned from training rows alone."""

    columns: tuple[Column, ...]
    vocabularies: tuple[Vocabulary, ...]
    shifts: dict[str, Shift] = field(default_factory=dict)
    """Name of each column of float64 to its shift."""

    @classmethod
    def learn(cls, columns: Sequence[Column], values: dict[str, np.ndarray]) -> Encoder:
        """The encoder of `columns`, whose training values are `values`.

        Raises:
            ValueError: a column is of a kind that has no encoding.
        """
        vocabularies = [vocabulary_of(column, values[column.name]) for column in columns]
        shifts = {column.name: Shift.learn(values[column.name]) for column in columns if column.double}
        return cls(tuple(columns), tuple(vocabulary for vocabulary in vocabularies if vocabulary is not None), shifts)

    def names(self, group: Group) -> list[str]:
        """The names of the columns that are encoded into this table, in the card's order."""
        return [column.name for column in self.columns if TRAINED[column.kind].group == group]

    def encode(self, values: dict[str, np.ndarray]) -> Table:
        """`values` (float arrays for numbers, object arrays of texts otherwise) as a table on the CPU."""
        rows = len(next(iter(values.values())))
        numbers = [
            self.shifts[name].apply(values[name]) if name in self.shifts else values[name].astype(np.float32)
            for name in self.names("numbers")
        ]
        codes = [vocabulary.encode(values[vocabulary.column]) for vocabulary in self.vocabularies]
        dates = [encode_dates(values[name]) for name in self.names("dates")]
        return Table(
            torch.from_numpy(_stack(numbers, (rows, 0), np.float32)),
            torch.from_numpy(_stack(codes, (rows, 0), np.int64)),
            torch.from_numpy(_stack(dates, (rows, 0, DATE_PARTS), np.int64)),
        )


def vocabulary_of(column: Column, values: np.ndarray) -> Vocabulary | None:
    """The vocabulary of a column whose training values are `values`; None for a kind that is encoded without one.

    Raises:
        ValueError: the column is of a kind that has no encoding.
    """
    match column.kind:
        case "number" | "date":
            return None
        case "category":
            return Vocabulary.of_category(column.name, values)
        case "boolean":
            return Vocabulary.of_boolean(column.name)
        case "image":
            raise ValueError(
                f"column {column.name!r}: expected a column of a table, got an image, which has no encoder"
            )
        case _:
            assert_never(column.kind)


def encode_dates(texts: np.ndarray) -> np.ndarray:
    """[N] texts to int64 [N, 7]; equal texts are parsed once."""
    parsed = {text: parse_date(text) for text in set(texts)}
    return np.array([parsed[text] for text in texts], dtype=np.int64).reshape(len(texts), DATE_PARTS)


def _stack(columns: list[np.ndarray], empty: tuple[int, ...], dtype: type) -> np.ndarray:
    return np.stack(columns, axis=1) if columns else np.zeros(empty, dtype)
