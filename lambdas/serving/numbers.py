"""Numbers written as text in a CSV request, by the rule that the trainer reads a data set with.

Plain numbers first; a column with commas or currency or per cent signs is read as thousands (`1,234.5`) when every
comma can be one, as decimal commas (`12,5`) otherwise. The usual markers of a missing value are missing. A test holds
this equal to the trainer's own rule; the trainer's module needs a library that serving does without.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def _spellings(*words: str) -> frozenset[str]:
    return frozenset(form for word in words for form in (word, word.lower(), word.upper(), word.capitalize()))


MISSING = _spellings("", "NA", "N/A", "NaN", "null", "<NA>", "#N/A", "n.a.", "?", "None", "nil", "-", "--")
"""Every text that means "no value", exactly as spelled."""

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
DRESSED = re.compile(r"([+-]?)[$€£¥]?\s?(.*?)\s?[%€$£]?")
LONGEST = 400
"""Characters of a number; the largest that float64 can tell apart is shorter."""


def parse_numbers(values: Sequence[str]) -> list[float | None]:
    """One number a text: NaN for a missing value, None for what is no number."""
    texts = [value.strip() for value in values]
    plain = [_plain(text) for text in texts]
    if None not in plain:
        return plain
    bare = [_undressed(text) for text in texts]
    commas = [text for text in bare if "," in text]
    if all(GROUPED.fullmatch(text) for text in commas):
        bare = [text.replace(",", "") for text in bare]
    elif all(DECIMAL_COMMA.fullmatch(text) for text in commas):
        bare = [text.replace(",", ".", 1) for text in bare]
    return [_plain(text) for text in bare]


def _plain(text: str) -> float | None:
    if text in MISSING:
        return math.nan
    return float(text) if len(text) <= LONGEST and NUMBER.fullmatch(text) else None


def _undressed(text: str) -> str:
    found = DRESSED.fullmatch(text) if text not in MISSING and len(text) <= LONGEST else None
    return text if found is None else found[1] + found[2]
