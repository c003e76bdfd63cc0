"""Why a model does not read a column of its data: a kind, which programs decide by, and a sentence, which people read.

The sentences are stored in `profile.json` and shown by the report. Nothing decides by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

Why = Literal["empty", "constant", "copy", "id", "text", "wish", "unread", "group", "personal"]
"""The kinds: no value, one value, a copy of another column, an id (row numbers among them), free text, a column that
the spec leaves out, a column that the task has no use for, the column whose groups the rows are split by, and personal
data."""


@dataclass(frozen=True)
class LeftOut:
    """The reason for one column."""

    why: Why
    sentence: str

    @property
    def names_rows(self) -> bool:
        """Whether rows differ in the column nevertheless, so that it tells apart rows which are otherwise equal."""
        match self.why:
            case "empty" | "constant" | "copy":
                return False
            case "id" | "text" | "wish" | "unread" | "group" | "personal":
                return True
            case _:
                assert_never(self.why)


EMPTY = LeftOut("empty", "no value in any row")
CONSTANT = LeftOut("constant", "the same value in every row")
BY_SPEC = LeftOut("wish", "left out by the spec")
ID_BY_NAME = LeftOut("id", "an id by its name: a different whole number in every row")
ID_BY_VALUES = LeftOut("id", "an id by its values: whole numbers that count from row to row")
GROUP = LeftOut("group", "rows are split by it, so that rows to predict are expected to have other values")
NO_ROLE = LeftOut("unread", "neither user nor item")
TIME_OF_RATINGS = LeftOut("unread", "the time: it splits the rows, the model does not read it")


def personal(what: str) -> LeftOut:
    """The reason of a column of personal data, such as `phone numbers`."""
    return LeftOut("personal", f"it looks like {what}")


def copy_of(column: str) -> LeftOut:
    """The reason of a column that repeats `column`."""
    return LeftOut("copy", f"copy of column {column!r}")


def row_numbers(low: float, high: float) -> LeftOut:
    """The reason of a column that counts the rows."""
    return LeftOut("id", f"row numbers: {low:.0f} to {high:.0f}, none twice")


def id_of_texts(distinct: int, rows: int) -> LeftOut:
    """The reason of a column of texts that are different in nearly every row that has one."""
    return LeftOut("id", f"an id: {distinct} different texts in {rows} rows")


def free_text(distinct: int, rows: int, words: float) -> LeftOut:
    """The reason of a column of prose; `words` is the mean number of words."""
    return LeftOut("text", f"free text: {distinct} different texts in {rows} rows, {words:.0f} words each")
