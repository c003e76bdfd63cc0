"""What was guessed and changed where texts are numbers: the decimal mark, units, and words that count as missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.contract.remarks import remark, yaml_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from dropforge.contract.remarks import Remark
    from dropforge.datasets.columns import Described
    from dropforge.datasets.styles import Style

NAMED = 5
"""Columns that have a remark of their own, or that a sentence names."""

SHOWN = 3
"""Values that a sentence shows."""


def number_remarks(described: Mapping[str, Described], style: Style, masked: Collection[str]) -> list[Remark]:
    """All of them, of columns that the model reads.

    Args:
        described: the columns of the data set.
        style: how its numbers are written.
        masked: columns whose values are not to be shown.
    """
    return [*_style(style, masked), *_strays(described, masked), *_units(described)]


def _style(style: Style, masked: Collection[str]) -> list[Remark]:
    if not style.remark or style.example_of in masked:
        return []
    return [remark("number_style", style.remark, option=style.option, column=style.example_of)]


def _strays(described: Mapping[str, Described], masked: Collection[str]) -> list[Remark]:
    """The texts in columns of numbers and dates that are missing values."""
    columns = [column for column in described.values() if column.strays and not column.dropped]
    remarks = []
    for column in columns[:NAMED]:
        rows = round(sum(column.strays.values()))
        examples = ", ".join(map(repr, list(column.strays)[:SHOWN]))
        such = "" if column.name in masked else f" ({examples}{', …' if len(column.strays) > SHOWN else ''})"
        sentence = (
            f"{rows:,} of {column.known:,} values of {column.name!r} are no {column.kind}s{such} and count as missing, "
            "as they will in requests."
        )
        option = f"kinds: {{{yaml_text(column.name)}: category}}"
        remarks.append(remark("strays", sentence, option=option, column=column.name))
    more = len(columns) - NAMED
    return [*remarks, *([remark("strays", f"{more:,} further columns have such values.")] if more > 0 else [])]


def _units(described: Mapping[str, Described]) -> list[Remark]:
    """Numbers with a unit, and those that are none for having several."""
    read = [column for column in described.values() if not column.dropped]
    units = [f"{column.name!r} ({column.numbers.unit})" for column in read if column.numbers and column.numbers.unit]
    more = f" and {len(units) - NAMED:,} more" if len(units) > NAMED else ""
    remarks = [remark("units", f"Read as numbers with a unit: {', '.join(units[:NAMED])}{more}.")] if units else []
    several = [column for column in described.values() if column.units]
    return remarks + [
        remark(
            "several_units",
            f"Column {column.name!r} is a category, because its numbers have several units or none "
            f"({', '.join(column.units[:NAMED])}). Write them in one unit, and they are numbers.",
            column=column.name,
        )
        for column in several[:NAMED]
    ]
