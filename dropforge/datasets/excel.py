"""One sheet of an Excel workbook as a table of texts, by the reader calamine.

Values come out as a person would write them: `5` for a cell that holds 5.0, dates in ISO form, `true` and `false`. The
result of a formula is the one that Excel saved; an error such as `#DIV/0!` is a missing value. From there on a sheet is
read by the rules of every other text. Empty rows and columns around the table are left out. Calamine is all that is
needed beside the standard library, so that the SDK can read rows with it.
"""

from __future__ import annotations

import datetime
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from dropforge.contract.records import column_names
from dropforge.datasets.faults import DataFault
from dropforge.datasets.workbooks import check_cells, letters_of, sheets_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dropforge.datasets.workbooks import Sheet

NAMED = 5
"""Sheets, names and ranges that a message shows."""


def choose_sheet(path: Path, name: str, wished: str | int | None = None) -> tuple[str, tuple[str, ...]]:
    """The name of the sheet to read, and the names of the others that hold values and are not hidden.

    Args:
        path: of the workbook.
        name: under which it was dropped.
        wished: a sheet's name, or its number among those that are not hidden, from 1; the first with a value if None.

    Raises:
        DataFault: there is no such sheet, or none with a value.
    """
    sheets = sheets_of(path)
    visible = [sheet for sheet in sheets if not sheet.hidden]
    if wished is None:
        chosen = next((sheet for sheet in visible if sheet.has_values), None)
    else:
        chosen = _wished(wished, sheets, visible)
    shown = ", ".join(repr(sheet.name) for sheet in visible[:NAMED]) or "none that is not hidden"
    if chosen is None and wished is not None:
        raise DataFault(f"sheet: {wished!r} is no sheet of {name!r}; expected one of its sheets: {shown}")
    if chosen is None or not chosen.has_values:
        raise DataFault(f"{name!r} has no value in {shown if chosen is None else repr(chosen.name)}; expected a sheet "
                        "with a header and rows: name it with `sheet:` in spec.yaml")  # fmt: skip
    others = tuple(sheet.name for sheet in visible if sheet.has_values and sheet is not chosen)
    return chosen.name, others


def _wished(wished: str | int, sheets: Sequence[Sheet], visible: Sequence[Sheet]) -> Sheet | None:
    if isinstance(wished, int):
        return visible[wished - 1] if 0 < wished <= len(visible) else None
    return next((sheet for sheet in sheets if sheet.name.strip() == wished.strip()), None)


def same_sheet(path: Path, wished: str | int | None) -> str | int | None:
    """`wished` where the workbook has such a sheet, otherwise None: another workbook may have other sheets."""
    sheets = sheets_of(path) if wished is not None else []
    found = wished is not None and _wished(wished, sheets, [sheet for sheet in sheets if not sheet.hidden])
    return wished if found else None


def read_sheet(path: Path, name: str) -> tuple[list[str], Iterator[list[str]]]:
    """The column names and the rows of the sheet `name`, as texts; rows without a value are left out.

    Raises:
        DataFault: the workbook is damaged, the sheet is too large, cells of the table are merged, or its first row does
            not name the columns.
    """
    from python_calamine import CalamineWorkbook

    check_cells(path, next(sheet for sheet in sheets_of(path) if sheet.name == name))
    with _readable(path):
        sheet = CalamineWorkbook.from_path(path).get_sheet_by_name(name)
    if sheet.start is None:
        raise DataFault(f"sheet {name!r} has no value; expected a header and rows: name another with `sheet:`")
    top, left = sheet.start
    _check_merged(sheet, name)
    rows = islice(sheet.iter_rows(), top, None)  # it gives the empty rows above, and no columns to the left
    header = column_names(text_of(cell) for cell in next(rows))
    _check_header(header, name, top + 1, left + 1)
    texts = ([text_of(cell) for cell in row] for row in rows)
    return header, (row for row in texts if any(cell.strip() for cell in row))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    from python_calamine import CalamineError

    try:
        yield
    except (CalamineError, OSError, ValueError) as fault:
        raise unreadable(path.name, fault) from fault


def text_of(cell: Any) -> str:
    """The value of one cell as a person would write it."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2.0**63 else repr(cell)
    if isinstance(cell, datetime.datetime):
        midnight = cell.time() == datetime.time()
        return cell.date().isoformat() if midnight else cell.isoformat(timespec="auto")
    if isinstance(cell, datetime.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return str(cell)


def _check_merged(sheet: Any, name: str) -> None:
    """Refuses merged cells in the table: all but the first of them are empty."""
    (top, left), (bottom, right) = sheet.start, sheet.end
    merged = [
        _range_of(first, last)
        for first, last in sheet.merged_cell_ranges or ()
        if first[0] <= bottom and last[0] >= top and first[1] <= right and last[1] >= left
    ]
    if merged:
        raise DataFault(
            f"sheet {name!r} has merged cells ({', '.join(merged[:NAMED])}); expected a table, in which every cell has "
            "its own value and the first row names the columns: unmerge them, and delete titles above the header"
        )


def _range_of(first: tuple[int, int], last: tuple[int, int]) -> str:
    return ":".join(f"{letters_of(column + 1)}{row + 1}" for row, column in (first, last))


def _check_header(header: Sequence[str], name: str, row: int, left: int) -> None:
    unnamed = [place for place, text in enumerate(header) if not text]
    if unnamed and len(unnamed) < len(header):
        shown = ", ".join(repr(text) for text in header if text)[:200]
        raise DataFault(
            f"row {row} of sheet {name!r}, the first with a value, has names for {len(header) - len(unnamed)} of "
            f"{len(header)} columns ({shown}; none in column {letters_of(left + unnamed[0])}); expected the names of "
            "all columns: delete titles above the header, and what stands beside the table"
        )
