"""JSON records whose values are kept as texts, numbers by the digits they are written with: data sets and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Digits(str):
    """A number in the digits with which it is written in JSON: it has a decimal point, whatever the style of texts."""

    __slots__ = ()


def as_text(value: Any) -> str | None:
    """What a value of a parsed record stands for: null for the empty text; None for a list or an object.

    Args:
        value: of a record that was parsed with numbers as texts.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else None


def kind(value: dict[str, Any] | list[Any]) -> str:
    """What `as_text` does not take, in words."""
    return "an object" if isinstance(value, dict) else "a list"


def column_names(header: Iterable[str]) -> list[str]:
    """The names of a delimited file's columns, stripped, as every reader takes them.

    A first column without a name is the row numbers that `DataFrame.to_csv` writes, and last ones are the cells that a
    spreadsheet leaves behind: they are called `Unnamed: 0`, `Unnamed: 5` …, as pandas does. Others keep no name.
    """
    names = [name.strip() for name in header]
    last = max((place for place, name in enumerate(names) if name), default=-1)
    if last < len(names) // 2:
        return names  # hardly a header
    return [name or (f"Unnamed: {place}" if place in (0, *range(last + 1, len(names))) else name)
            for place, name in enumerate(names)]  # fmt: skip


def composed(text: str) -> str:
    """The text with accents in their letters (Unicode's NFC), as most systems write it and macOS does not."""
    if text.isascii():
        return text
    from unicodedata import normalize  # a start of a function seldom needs it

    return normalize("NFC", text)


def spelled_as(known: Sequence[str], names: Iterable[str]) -> list[str]:
    """The names, each in the spelling in which it is known: names are the same if they are composed of the same."""
    given = list(names)
    if set(given) <= set(known) or all(map(str.isascii, known)):
        return given
    spellings = {composed(name): name for name in known}
    return [name if name in known else spellings.get(composed(name), name) for name in given]


def repeated(names: Iterable[str]) -> str | None:
    """The first name that stands twice."""
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]
