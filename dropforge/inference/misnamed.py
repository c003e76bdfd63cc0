"""What is said of a request that lacks columns of the model or has others: all of them at once, with a row to copy.

Only a request that is refused imports this module.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.inference.faults import InputFault, short

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from dropforge.contract.schema import ByKind, ModelCard

EXAMPLES: ByKind[Any] = {
    "number": 1.5,
    "category": "text",
    "boolean": True,
    "date": "2024-05-31",
    "image": "the base64 of a picture's file",
}
"""A value of each kind, as JSON has it."""

LONGEST_LIST = 300
"""Characters of a list of names, and of a row: with the rest of a message they stay below its 1,000."""

MOST_STRANGERS = 100
"""Unknown columns that a fault has in its field; a request may have any number of them."""


def missing_columns(
    missing: Sequence[str], strangers: Sequence[str], card: ModelCard, row: int | None, *, as_rows: bool = True
) -> InputFault:
    """The fault of a request, or of one of its rows, without these columns of the model.

    Args:
        missing: names of the model's columns, at least one.
        strangers: the request's own columns that the model does not know: perhaps one of them is misspelt.
        card: of the model.
        row: number of the row; None where every row lacks the columns.
        as_rows: whether to show a row to copy.
    """
    several = f"; {len(missing)} columns are missing: {listed(missing)}" if len(missing) > 1 else ""
    others = f"; no column of this model: {listed(strangers)}" if strangers else ""
    example = f"; a row is {example_row(card)}" if as_rows else ""
    reason = f"expected a value in every row, got none{several}{others}; null stands for a missing value{example}"
    return InputFault("missing_column", reason, row=row, column=missing[0], columns=tuple(missing))


def unknown_columns(strangers: Sequence[str], card: ModelCard, row: int | None) -> InputFault:
    """The fault of a request, or of one of its rows, with columns that the model does not know, at least one."""
    several = f", nor are {listed(strangers[1:])}" if len(strangers) > 1 else ""
    reason = f"no column of this model{several}; it knows {listed(card.names)}"
    names = tuple(map(short, strangers[:MOST_STRANGERS]))
    return InputFault("unknown_column", reason, row=row, column=names[0], columns=names)


def strangers_in(names: Iterable[str], card: ModelCard) -> list[str]:
    """Those names that are no columns of the model, and none of its data set either."""
    allowed = {*card.names, *card.ignored}
    return [name for name in names if name not in allowed]


def listed(names: Collection[str]) -> str:
    """The names in quotation marks; those that are too many for a message are counted."""
    shown: list[str] = []
    for text in (repr(short(name)) for name in names):
        if shown and sum(map(len, shown)) + len(text) > LONGEST_LIST:
            return f"{', '.join(shown)} and {len(names) - len(shown)} more"
        shown.append(text)
    return ", ".join(shown)


def example_row(card: ModelCard) -> str:
    """A row as JSON, with a value of the right kind in every column; cut and counted where there are many columns."""
    pairs = [f"{json.dumps(column.name, ensure_ascii=False)}: {json.dumps(EXAMPLES[column.kind])}"
             for column in card.columns]  # fmt: skip
    count = len(pairs)
    while len(pairs) > 1 and sum(map(len, pairs)) > LONGEST_LIST:
        pairs.pop()
    if len(pairs) == count:
        return f"{{{', '.join(pairs)}}}"
    return f"{{{', '.join(pairs)}, …}} with {count} columns, which GET /models/{card.model} lists"
