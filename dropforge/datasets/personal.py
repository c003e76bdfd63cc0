"""Columns that look like personal data: what each holds, and by what it was found.

Values speak first: a kind with a check (national ids, IBANs, cards) or a shape of its own (e-mail and IP addresses,
phone numbers, street addresses, full names) that nearly all of up to `SAMPLE` distinct values have; of data on disk,
those of the first block. Then the column's name, in a dozen languages (`personalwords`), where the values agree with
it. What a column was found by stands in the profile, so that a person can overrule it. `benchmarks/personal` measures
how often this errs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dropforge.contract.personal import WORDS
from dropforge.datasets import personalids as ids
from dropforge.datasets import personalvalues as values_of
from dropforge.datasets.personalvalues import share
from dropforge.datasets.personalwords import (
    CALLED,
    OTHER_THINGS,
    PERSONS,
    QUASI,
    THINGS_WITH_AGES,
    is_called,
    plain_name,
)
from dropforge.datasets.typed import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from dropforge.contract.personal import PersonalKind

SAMPLE = 100
"""Distinct values that are looked at, spread over all of a column's."""

FEWEST = 3
"""Fewer distinct values say nothing by themselves."""

MANY_NAMES = 8
"""Distinct single words from which on a column may be one of first names or surnames."""

FoundBy = Literal["values", "name", "spec"]


@dataclass(frozen=True)
class Finding:
    """One column that looks like personal data."""

    column: str
    what: str
    found_by: FoundBy
    kind: PersonalKind | None = None
    """None where the spec alone calls the column sensitive."""


def find_personal(frame: pl.DataFrame, sensitive: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Every column that names persons directly, or their dates of birth, or that `sensitive` names, in order."""
    findings = (_finding(frame[name], name in sensitive) for name in frame.columns)
    return tuple(finding for finding in findings if finding is not None)


def find_quasi(frame: pl.DataFrame) -> tuple[Finding, ...]:
    """Every column that names persons only together with others: postcodes, ages, years of birth, sexes."""
    found = []
    for name in frame.columns:
        plain = plain_name(name)
        called = [(kind, written) for kind, pattern, written in QUASI if is_called(plain, pattern)]
        if (
            called
            and not THINGS_WITH_AGES.search(plain)
            and not OTHER_THINGS.search(plain)
            and (values := _distinct(frame[name]))
        ):
            kind, written = called[0]
            if share(values, re.compile(written).fullmatch) >= 0.8 and (kind != "sex" or len(values) <= 8):
                found.append(Finding(name, WORDS[kind], "name", kind))
    return tuple(found)


def _finding(series: pl.Series, sensitive: bool) -> Finding | None:
    if (found := kind_of(series)) is not None:
        kind, found_by = found
        return Finding(series.name, WORDS[kind], found_by, kind)
    return Finding(series.name, "called sensitive", "spec") if sensitive else None


def kind_of(series: pl.Series) -> tuple[PersonalKind, FoundBy] | None:
    """What a column holds that names persons directly, or their dates of birth, and what says so."""
    values, plain = _distinct(series), plain_name(series.name)
    if not values:
        return None
    others = OTHER_THINGS.search(plain) is not None
    if (kind := _by_values(values, is_number=series.dtype.is_numeric(), others=others)) is not None:
        return kind, "values"
    if others:
        return None
    for kind, pattern in CALLED:
        if is_called(plain, pattern) and AGREES[kind](values):
            return kind, "name"
    if is_called(plain, PERSONS) and values_of.like_names(values):
        if values_of.known_names(values) >= 0.3:
            return "name", "values"
        if len(values) >= FEWEST and values_of.single_names(values) >= 0.6:
            return "name", "values"
    return None


def _distinct(series: pl.Series) -> list[str]:
    distinct = texts_of(series).unique(maintain_order=True)
    distinct = distinct.filter(distinct != "")
    return distinct.gather_every(max(1, len(distinct) // SAMPLE)).head(SAMPLE).to_list()


def _by_values(values: list[str], *, is_number: bool, others: bool) -> PersonalKind | None:
    """What the values alone say; a number is judged by its check alone, and another thing has no name."""
    if len(values) < FEWEST or ids.books_or_goods(values):
        return None
    checks: tuple[tuple[PersonalKind, Callable[[list[str]], bool]], ...] = (
        ("card", ids.cards), ("national_id", ids.national_ids), ("device", ids.imeis),
    )  # fmt: skip
    if not is_number:
        checks = (("email", values_of.emails), ("bank", ids.ibans), ("device", values_of.macs), *checks)
        if not others:
            checks = (*checks, ("ip", values_of.addresses_of_hosts), ("phone", values_of.phones),
                      ("address", values_of.streets), ("name", _names))  # fmt: skip
    return next((kind for kind, has in checks if has(values)), None)


def _names(values: list[str]) -> bool:
    """Whether the values are names of persons, whatever the column is called."""
    if not values_of.like_names(values):
        return False
    return values_of.known_names(values) >= 0.55 or len(values) >= MANY_NAMES and values_of.single_names(values) >= 0.9


def _long_ids(values: list[str]) -> bool:
    return share(values, lambda text: re.fullmatch(r"[\w .\-/]{6,30}", text) and _digits(text) >= 5) >= 0.8


def _addresses(values: list[str]) -> bool:
    """Letters and a number in many values, be it of another script, or a street in many."""
    numbered = share(values, lambda text: _digits(text) and (not text.isascii() or re.search(r"[^\W\d_]{3}", text)))
    return numbered >= 0.4 or values_of.streets(values)


def _passports(values: list[str]) -> bool:
    return share(values, lambda text: re.fullmatch(r"[A-Z0-9 ]{6,12}", text) and _digits(text) >= 4) >= 0.8


def _devices(values: list[str]) -> bool:
    return share(values, lambda text: re.fullmatch(r"[\w:-]{12,64}", text) and _digits(text)) >= 0.8


def _plates(values: list[str]) -> bool:
    numbered = share(values, lambda text: re.fullmatch(r"[\w -]{4,11}", text) and _digits(text))
    return numbered >= 0.8 and share(values, lambda text: re.search(LETTER, text)) >= 0.5


def _logins(values: list[str]) -> bool:
    words = share(values, lambda text: re.fullmatch(r"[^\s@]{3,40}", text) and re.search(LETTER, text))
    return len(values) > MANY_NAMES and words >= 0.9


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


LETTER = r"[^\W\d_]"

AGREES: dict[PersonalKind, Callable[[list[str]], bool]] = {
    "name": values_of.like_names,
    "email": lambda values: share(values, lambda text: "@" in text) >= 0.5,
    "phone": lambda values: share(values, values_of.could_be_phone) >= 0.7,
    "address": _addresses,
    "national_id": _long_ids,
    "passport": _passports,
    "bank": _long_ids,
    "card": lambda values: share(values, lambda text: re.fullmatch(r"[\d -]{12,24}", text)) >= 0.8,
    "ip": lambda values: share(values, values_of.is_ip) >= 0.8,
    "device": _devices,
    "plate": _plates,
    "login": _logins,
    "birth": lambda values: share(values, values_of.DATE.fullmatch) >= 0.8,
}
"""What the values must be like for the column's name to be believed."""
