"""Predictions of an Excel file: converts the text of the pieces to a workbook of one sheet, on disk."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

import polars as pl
import xlsxwriter

from lambdas.batch.join.converted import converted, types_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dropforge.contract.schema import ModelCard
    from lambdas.common.uploads import Upload

SHEET = "predictions"
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?(e[+-]?\d{1,2})?")
"""Texts of the file's own columns that were numbers in its cells; `007` was none."""


def write_excel(blocks: Iterable[bytes], card: ModelCard, upload: Upload) -> None:
    """Writes the predictions, in memory that does not grow with the rows. Dates of the file's own columns are texts.

    Args:
        blocks: delimited text with a header, as Answer writes it.
        card: the model's card.
        upload: where to write.
    """
    with converted(blocks, upload) as (text, packed):
        with xlsxwriter.Workbook(packed, {"constant_memory": True, "tmpdir": packed.parent}) as workbook:
            _write_rows(text, card, workbook.add_worksheet(SHEET))


def _write_rows(text: Path, card: ModelCard, sheet: Any) -> None:
    csv.field_size_limit(1 << 24)
    with text.open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        header = next(reader)
        types = types_of(header, card)
        for column, name in enumerate(header):
            sheet.write_string(0, column, name)
        for row, fields in enumerate(reader, 1):
            for column, (name, value) in enumerate(zip(header, fields, strict=True)):
                _write_cell(sheet, row, column, value, types.get(name))


def _write_cell(sheet: Any, row: int, column: int, value: str, kind: type[pl.DataType] | None) -> None:
    """Writes texts as texts whatever they begin with: none becomes a formula or a link."""
    if value == "":
        return
    if kind is pl.Boolean:
        sheet.write_boolean(row, column, value == "true")
    elif kind is not pl.String and (kind is not None or NUMBER.fullmatch(value)):
        sheet.write_number(row, column, float(value))
    else:
        sheet.write_string(row, column, value)
