"""Numbers written as text in a CSV request, by the rule that the trainer reads a data set with.

Plain numbers first; a column with commas, signs or spaces is read as thousands (`1,234.5`) when every comma can be one,
as decimal commas (`12,5`) otherwise. The usual markers of a missing value are missing, and so is infinity. The patterns
are those of the trainer's own rule, to which a test holds this equal; its module needs a library that serving does
without.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract import numbers as forms
from dropforge.contract import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dropforge.contract.batch import Commas


MISSING = frozenset(words.MISSING)
INFINITE = frozenset(words.INFINITE)

NUMBER = re.compile(forms.NUMBER, re.ASCII)
GROUPED = re.compile(forms.GROUPED, re.ASCII)
DECIMAL_COMMA = re.compile(forms.DECIMAL_COMMA, re.ASCII)
DRESSED = re.compile(forms.DRESSED)
MINUS = re.compile(forms.MINUS)
ACCOUNTING = re.compile(forms.ACCOUNTING)
SPACED = re.compile(forms.SPACED, re.ASCII)
SPACES = re.compile(forms.SPACES)
LONGEST = 400
"""Characters of a number; the largest that float64 can tell apart is shorter."""


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
    signed = ACCOUNTING.sub(r"-\1", MINUS.sub("-", text)) if ACCOUNTING.fullmatch(text) else MINUS.sub("-", text)
    dressed = DRESSED.fullmatch(signed)
    bare = signed if dressed is None else dressed[1] + dressed[2]
    return SPACES.sub("", bare) if SPACED.fullmatch(bare) else bare
