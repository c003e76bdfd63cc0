"""JSON lines to a table of texts: numbers keep the digits they were written with, null is the empty text."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from training_container.data.delimited import check_names
from training_container.data.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterator


def parse_json_lines(text: bytes, limit: int | None) -> pl.DataFrame:
    """The table that UTF-8 `text` holds: String columns in the order of first sight, "" where a row has no such key.

    Raises:
        DataFault: a line that is no JSON object, a value that is a list or an object, a key that stands twice.
    """
    columns: dict[str, list[str]] = {}
    height = 0
    for line, row in _rows(text):
        if height == limit:
            break
        for key, value in row.items():
            if key not in columns:
                columns[key] = [""] * height
            columns[key].append(_text(value, line, key))
        height += 1
        for values in columns.values():
            if len(values) < height:
                values.append("")
    check_names([name.strip() for name in columns])
    return pl.DataFrame({name.strip(): pl.Series(values, dtype=pl.String) for name, values in columns.items()})


def _rows(text: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(io.BytesIO(text), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_once)
        except (ValueError, RecursionError) as fault:
            raise DataFault(f"line {number}: {fault}; expected one JSON object: write each row on a line") from fault
        if not isinstance(row, dict):
            shown = line.strip()[:40].decode(errors="replace")
            raise DataFault(f"line {number} is {shown!r}; expected a JSON object: write each row as {{name: value}}")
        yield number, row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice")
    return found


def _text(value: Any, line: int, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    found = "an object" if isinstance(value, dict) else "a list"
    raise DataFault(
        f"line {line}: {key!r} holds {found}; expected a text, a number, true, false or null: "
        "give each part a column of its own"
    )
