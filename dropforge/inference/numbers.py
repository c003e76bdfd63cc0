"""Numbers written as text in a request, by the rule that the trainer read the data set with.

The rule of a column names its marks and its unit (`NumberRule`). Of a model from before there were rules, the values of
a request decide: a column with commas is read as thousands (`1,234.5`) when every comma can be one, as decimal commas
(`12,5`) otherwise. The usual markers of a missing value are missing, and so is infinity. The patterns are those of the
trainer's own reader, to which a test holds this equal; its module needs a library that serving does without.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract import numbers as forms
from dropforge.contract import words
from dropforge.contract.records import Digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dropforge.contract.batch import Commas
    from dropforge.contract.schema import NumberRule


MISSING = frozenset(words.MISSING)
INFINITE = frozenset(words.INFINITE)

NUMBER = re.compile(forms.NUMBER, re.ASCII)
GROUPED = re.compile(forms.GROUPED, re.ASCII)
DECIMAL_COMMA = re.compile(forms.DECIMAL_COMMA, re.ASCII)
POINTED = re.compile(forms.POINTED, re.ASCII)
COMMA_NUMBER = re.compile(forms.COMMA_NUMBER, re.ASCII)
DRESSED = re.compile(forms.DRESSED)
MINUS = re.compile(forms.MINUS)
ACCOUNTING = re.compile(forms.ACCOUNTING)
TRAILING_MINUS = re.compile(forms.TRAILING_MINUS)
SPACED = re.compile(forms.SPACED, re.ASCII)
SPACES = re.compile(forms.SPACES)
LONGEST = 400
"""Characters of a number; the largest that float64 can tell apart is shorter."""


def read_numbers(values: Sequence[str], rule: NumberRule, missing: Sequence[str] = ()) -> list[float | None]:
    """One number a text: NaN for a missing value, None for what is no number by the rule.

    Args:
        values: the texts; a number of JSON in its own digits (`Digits`) is read as it is.
        rule: of the column.
        missing: texts that mean a missing value beside the usual markers, in any capitals.
    """
    words = frozenset(word.casefold() for word in missing)
    dress = re.compile(forms.dressed(rule.unit)) if rule.unit else None
    return [_read(value, rule, dress, words) for value in values]


def readings_of(text: str) -> str:
    """What a text can mean that is no number in the style of the data, in words; empty where it can mean none."""
    bare = undressed(text.strip())
    point = _plain(bare.replace(",", "") if GROUPED.fullmatch(bare) else bare)
    comma = _plain(_with_point(bare.replace(".", "") if POINTED.fullmatch(bare) else bare))
    found = [
        f"{value:.15g} with a decimal {mark}"
        for value, mark in ((point, "point"), (comma, "comma"))
        if value is not None and math.isfinite(value)
    ]
    return f"{point:.15g}" if point is not None and point == comma else " or ".join(found)


def _read(value: str, rule: NumberRule, dress: re.Pattern[str] | None, words: frozenset[str]) -> float | None:
    text = value.strip()
    if type(value) is Digits:
        return _plain(text)
    if len(text) > LONGEST:
        return None
    if rule.decimal == "." and (plain := _plain(text)) is not None:
        return _finite(plain)
    if text in MISSING or text in INFINITE or text.casefold() in words:
        return math.nan
    bare = _signed(text)
    if dress is not None and (match := dress.fullmatch(bare)):
        bare = match[1] + match[2]
    bare = SPACES.sub("", bare) if SPACED.fullmatch(bare) else bare
    if rule.thousands and (GROUPED if rule.thousands == "," else POINTED).fullmatch(bare):
        bare = bare.replace(rule.thousands, "")
    number = _plain(bare if rule.decimal == "." else _with_point(bare))
    return None if number is None else _finite(number)


def _finite(number: float) -> float:
    """The number itself; what is beyond float64, such as 1e400, is missing, as in training."""
    return number if math.isfinite(number) else math.nan


def _with_point(text: str) -> str:
    """The text with a decimal point for its comma; what is no number with a decimal comma becomes none."""
    return text.replace(",", ".") if COMMA_NUMBER.fullmatch(text) else "no number"


def parse_numbers(values: Sequence[str], commas: Commas | None = None) -> list[float | None]:
    """One number a text: NaN for a missing value, None for what is no number.

    Args:
        values: the texts.
        commas: what commas are; by `commas_of` the values themselves when None.
    """
    texts = [value.strip() for value in values]
    plain = [_plain(text) for text in texts]
    if None not in plain:
        return plain
    bare = [undressed(text) for text in texts]
    meaning = commas or commas_of(bare)
    return [_plain(_without_commas(text, meaning) if "," in text else text) for text in bare]


def numbers_at_sight(values: Sequence[str]) -> np.ndarray | None:
    """float64 [N], NaN for a missing value, of texts that are plain numbers or missing; None where one is neither.

    Python's `float` reads more than a data set may hold (`1_000`, `inf`, digits of other scripts): these are left to
    `parse_numbers`, which is many times as slow.
    """
    joined = "".join(values)
    if "_" in joined or not joined.isascii():
        return None
    try:
        found = np.fromiter(map(float, values), np.float64, len(values))
        if np.isfinite(found).all():
            return found
    except ValueError:
        pass  # most likely for a gap
    gaps = [value in MISSING or value.strip() in MISSING for value in values]
    known = (math.nan if gap else value for value, gap in zip(values, gaps, strict=True))
    try:
        found = np.fromiter(map(float, known), np.float64, len(values))
    except ValueError:
        return None
    return found if (np.isfinite(found) ^ gaps).all() else None


def commas_of(texts: Iterable[str]) -> Commas:
    """What the commas in these texts of one column are: thousands when each can be one, decimal commas otherwise."""
    return settled(map(comma_meanings, filter(_has_comma, texts)))


def settled(meanings: Iterable[frozenset[Commas]]) -> Commas:
    """The meaning that all of them share, thousands first; `unclear` when there is none."""
    shared: frozenset[Commas] = frozenset(("thousands", "decimal"))
    shared = shared.intersection(*meanings)
    return "thousands" if "thousands" in shared else "decimal" if shared else "unclear"


def comma_meanings(bare: str) -> frozenset[Commas]:
    """What the commas of one undressed text can be, none when it is no number."""
    readings: tuple[tuple[Commas, re.Pattern[str]], ...] = (("thousands", GROUPED), ("decimal", DECIMAL_COMMA))
    return frozenset(meaning for meaning, form in readings if form.fullmatch(bare))


def _has_comma(text: str) -> bool:
    return "," in text


def _without_commas(text: str, meaning: Commas) -> str:
    if meaning == "thousands" and GROUPED.fullmatch(text):
        return text.replace(",", "")
    return text.replace(",", ".") if meaning == "decimal" and DECIMAL_COMMA.fullmatch(text) else text


def _plain(text: str) -> float | None:
    if text in MISSING or text in INFINITE:
        return math.nan
    return float(text) if len(text) <= LONGEST and NUMBER.fullmatch(text) else None


def undressed(text: str) -> str:
    """A stripped text without its currency or per cent sign and spaces for thousands, with `-` for any minus."""
    if text in MISSING or len(text) > LONGEST:
        return text
    signed = _signed(text)
    dressed = DRESSED.fullmatch(signed)
    bare = signed if dressed is None else dressed[1] + dressed[2]
    return SPACES.sub("", bare) if SPACED.fullmatch(bare) else bare


def _signed(text: str) -> str:
    """The text with `-` for every way to write a minus, parentheses among them."""
    signed = MINUS.sub("-", text)
    for form in (ACCOUNTING, TRAILING_MINUS):
        if match := form.fullmatch(signed):
            return f"-{match[1]}"
    return signed
