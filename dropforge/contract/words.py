"""Which texts mean a missing value, true or false, wherever data are read: by the trainer, the graph and the protocols.

Texts are stripped of surrounding white space before any of these lists applies.
"""

from __future__ import annotations


def _spellings(*words: str) -> tuple[str, ...]:
    """Each word as written, in lower case, in capitals and capitalised; order kept, none twice."""
    return tuple(
        dict.fromkeys(form for word in words for form in (word, word.lower(), word.upper(), word.capitalize()))
    )


NO_ANSWER = _spellings("None", "nil", "-", "--", "–", "—")
"""Missing in a feature, yet a class of its own in a target: a `None` beside `Mild` and `Severe` is an answer."""

SPREADSHEET_ERRORS = ("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#N/A")
"""What a spreadsheet writes into a cell that it could not compute."""

MISSING = (
    "",
    *_spellings("NA", "N/A", "NaN", "null", "<NA>", "#N/A", "n.a.", "?"),
    "\\N",
    *NO_ANSWER,
    *(error for error in SPREADSHEET_ERRORS if error != "#N/A"),
)
"""Every text that means "no value", exactly as spelled; the graph maps the same texts to missing."""

INFINITE = tuple(f"{sign}{word}" for word in _spellings("inf", "infinity") for sign in ("", "+", "-"))
"""Infinity is no value in a column of numbers, where training and prediction read it as text."""

TRUE = _spellings("true", "t", "yes", "y", "on")
FALSE = _spellings("false", "f", "no", "n", "off")
"""A column is boolean when all its values are words of these two lists, and both occur."""
