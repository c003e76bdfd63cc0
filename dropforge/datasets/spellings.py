"""Classes that a target spells in several ways become one class: `Yes`, `yes` and `Y`; `red` and `Red`."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from dropforge.contract.words import FALSE, MISSING, NO_ANSWER, TRUE

if TYPE_CHECKING:
    import polars as pl

TRUTHS = frozenset(word.casefold() for word in (*TRUE, "1", "1.0"))
FALSEHOODS = frozenset(word.casefold() for word in (*FALSE, "0", "0.0"))
TRULY, FALSELY = "\0true", "\0false"

LEAST_OF_A_WORD = 0.05
"""Of the rows, the share from which a word for "no value" in a target without any empty cell is a class."""


def spellings_of(texts: pl.Series) -> dict[str, str]:
    """Every (stripped, non-null) text that is another spelling of a class, to the class's most frequent spelling.

    Spellings differ in capitals, in how accents are composed, or, where a column holds nothing but words for yes and
    no, in the word.
    """
    counts = texts.drop_nulls().alias("value").value_counts()
    rows = dict(zip(counts.to_series(0).to_list(), counts.to_series(1).to_list(), strict=True))
    meanings = {text: unicodedata.normalize("NFC", text).casefold() for text in rows}
    known = set(meanings.values())
    if known <= TRUTHS | FALSEHOODS and known & TRUTHS and known & FALSEHOODS:
        meanings = {text: TRULY if meaning in TRUTHS else FALSELY for text, meaning in meanings.items()}
    best: dict[str, str] = {}
    for text in sorted(rows, key=lambda text: (-rows[text], text)):
        best.setdefault(meanings[text], text)
    return {text: best[meaning] for text, meaning in meanings.items() if best[meaning] != text}


def in_one_spelling(texts: pl.Series) -> pl.Series:
    """The texts with every class in its most frequent spelling."""
    others = spellings_of(texts)
    return texts.replace(others) if others else texts


def words_that_are_classes(texts: pl.Series) -> tuple[str, ...]:
    """Words for "no value" that are classes in this target, such as `NA` for North America.

    They are where no cell is empty, they are written as the other classes are (capitals and length), and each stands in
    `LEAST_OF_A_WORD` of the rows or more. `NA` beside `yes` and `no` stays missing: R writes it so.
    """
    if (texts == "").any():
        return ()
    is_word = texts.is_in([word for word in MISSING if word and word not in NO_ANSWER])
    others = texts.filter(~is_word).unique().to_list()
    least = LEAST_OF_A_WORD * len(texts)
    counts = texts.filter(is_word).alias("value").value_counts()
    return tuple(word for word, rows in counts.iter_rows() if rows >= least and _is_like(word, others))


def _is_like(word: str, others: list[str]) -> bool:
    """Whether the word is in capitals or small letters as the others are, and no longer or shorter than they."""
    cases = {(text.isupper(), text.islower()) for text in others}
    lengths = [len(text) for text in others]
    return cases == {(word.isupper(), word.islower())} and min(lengths) <= len(word) <= max(lengths)
