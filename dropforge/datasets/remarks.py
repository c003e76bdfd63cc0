"""What was left out, merged or guessed on the way from the file to the rows, in sentences for people.

Each says which line of spec.yaml overrules it. They stand in `profile.json`, and from there in the run, the report, the
CLI and the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.datasets.spellings import spellings_of, words_that_are_classes
from dropforge.datasets.values import stripped, without_missing

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl

    from dropforge.contract.plan import DataFormat
    from dropforge.datasets.columns import Described
    from dropforge.datasets.styles import Style

NAMED = 5
"""Columns, and spellings, that a sentence names."""


def remarks(
    described: Mapping[str, Described],
    target: pl.Series,
    counts: Mapping[str, int],
    data: DataFormat | None,
    *,
    style: Style,
    masked: Collection[str] = (),
) -> list[str]:
    """Every sentence about a data set, the weightiest first.

    Args:
        described: its columns.
        target: the target as it stands in the file.
        counts: rows, as `Dataset.counts` has them.
        data: how the file was read, if that is known.
        style: how its numbers are written.
        masked: columns, the target among them, whose values are not to be shown.
    """
    sentences = [*_columns(described), *_rows(target.name, counts), *([] if target.name in masked else _target(target))]
    sentences += [style.remark] if style.remark and style.example_of not in masked else []
    sentences += [*_strays(described, masked), *_units(described), *_dates(described)]
    if data is not None and data.encoding in ("latin-1", "cp1252"):
        sentences.append(
            f"The file is no UTF-8 and was read as {data.encoding}; `encoding:` in spec.yaml says another."
        )
    if data is not None and data.other_sheets:
        others = ", ".join(map(repr, data.other_sheets[:NAMED]))
        sentences.append(
            f"The sheet {data.sheet!r} of the workbook was read, not {others}; `sheet:` in spec.yaml names another."
        )
    return sentences


def _columns(described: Mapping[str, Described]) -> list[str]:
    """The columns that are left out though their values differ, by reason."""
    left_out = [
        column
        for column in described.values()
        if column.left_out is not None and column.left_out.why in ("id", "text", "group")
    ]
    sentences = [
        f"Column {column.name!r} is left out: {column.dropped}. `kinds: {{{column.name}: {column.kind}}}` in spec.yaml "
        "keeps it."
        for column in left_out[:NAMED]
    ]
    more = len(left_out) - NAMED
    return [*sentences, *([f"{more:,} further columns are left out; the report names them."] if more > 0 else [])]


def _rows(target: str, counts: Mapping[str, int]) -> list[str]:
    sentences = []
    if counts["without_target"]:
        sentences.append(f"{counts['without_target']:,} of {counts['read']:,} rows have no value in {target!r} and are "
                         "left out.")  # fmt: skip
    if counts["duplicates"]:
        sentences.append(
            f"{counts['duplicates']:,} of {counts['read']:,} rows are exact copies of others and count once."
        )
    return sentences


def _target(target: pl.Series) -> list[str]:
    """How a target of texts was read."""
    if target.dtype.is_numeric():
        return []
    texts = stripped(target)
    words, others = words_that_are_classes(texts), spellings_of(without_missing(texts))
    sentences = [
        f"{word!r} is a class of {target.name!r}, for no cell is empty; a file that leaves missing values empty says "
        "otherwise."
        for word in words
    ]
    if others:
        named = ", ".join(f"{text!r} for {best!r}" for text, best in sorted(others.items())[:NAMED])
        more = f" and {len(others) - NAMED:,} more" if len(others) > NAMED else ""
        sentences.append(f"Spellings of one class in {target.name!r} are taken together: {named}{more}.")
    return sentences


def _strays(described: Mapping[str, Described], masked: Collection[str]) -> list[str]:
    """The texts in columns of numbers and dates that are missing values."""
    columns = [column for column in described.values() if column.strays and not column.dropped]
    sentences = []
    for column in columns[:NAMED]:
        rows = round(sum(column.strays.values()))
        examples = ", ".join(map(repr, list(column.strays)[:3]))
        such = "" if column.name in masked else f" ({examples}{', …' if len(column.strays) > 3 else ''})"
        sentences.append(
            f"{rows:,} of {column.known:,} values of {column.name!r} are no {column.kind}s{such} and count as missing, "
            f"as they will in requests. `kinds: {{{column.name}: category}}` in spec.yaml keeps them."
        )
    more = len(columns) - NAMED
    return [*sentences, *([f"{more:,} further columns have such values."] if more > 0 else [])]


def _units(described: Mapping[str, Described]) -> list[str]:
    """Numbers with a unit, and those that are none for having several."""
    read = [column for column in described.values() if not column.dropped]
    units = [f"{column.name!r} ({column.numbers.unit})" for column in read if column.numbers and column.numbers.unit]
    more = f" and {len(units) - NAMED:,} more" if len(units) > NAMED else ""
    sentences = [f"Read as numbers with a unit: {', '.join(units[:NAMED])}{more}."] if units else []
    return (
        sentences
        + [
            f"Column {column.name!r} is a category, because its numbers have several units or none "
            f"({', '.join(column.units[:NAMED])}); write them in one unit, and they are numbers."
            for column in described.values()
            if column.units
        ][:NAMED]
    )


def _dates(described: Mapping[str, Described]) -> list[str]:
    """How dates between slashes are read."""
    return [
        f"Dates such as 05/03/2024 in {column.name!r} are read with the {column.dates.slashes.partition('-')[0]} first."
        for column in described.values()
        if column.dates is not None and column.dates.slashes is not None and not column.dropped
    ]
