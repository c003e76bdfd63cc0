"""JSON lines to a table of texts: numbers keep the digits they were written with, null is the empty text."""

from __future__ import annotations

import io
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import polars as pl

from dropforge.contract.records import as_text, composed, kind, repeated
from dropforge.datasets.delimited import check_names
from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 50_000
"""Rows that become columns together."""


def parse_json_lines(text: bytes, limit: int | None) -> pl.DataFrame:
    """The table that UTF-8 `text` holds: String columns in the order of first sight, "" where a row has no such key.

    Raises:
        DataFault: a line that is no JSON object, a value that is a list or an object, a key that stands twice.
    """
    frames: list[pl.DataFrame] = []
    for frame in read_json_lines(iter([text])):
        frames.append(frame)
        if limit is not None and sum(frame.height for frame in frames) >= limit:
            break
    table = pl.concat(frames, how="diagonal").fill_null("") if frames else pl.DataFrame()
    check_names(table.columns)
    return table if limit is None else table.head(limit)


def read_json_lines(blocks: Iterator[bytes]) -> Iterator[pl.DataFrame]:
    """The same for text in blocks of whole lines: a frame of some rows at a time, with the columns seen until there.

    Raises:
        DataFault: as `parse_json_lines`.
    """
    names: dict[str, None] = {}
    rows = _rows(blocks)
    while some := list(islice(rows, ROWS)):
        table = _table(some, names)
        check_names([composed(name.strip()) for name in names])
        yield table.rename(lambda name: composed(name.strip()))


def _table(rows: list[tuple[int, dict[str, Any]]], names: dict[str, None]) -> pl.DataFrame:
    """The rows as columns; `names` gains the keys that are new."""
    columns: dict[str, list[str]] = {name: [""] * len(rows) for name in names}
    for place, (line, row) in enumerate(rows):
        for key, value in row.items():
            if key not in columns:
                _check_whole(key, line, "a key")
                columns[key] = [""] * len(rows)
            columns[key][place] = _text(value, line, key)
    names |= dict.fromkeys(columns)
    return pl.DataFrame({name: pl.Series(values, dtype=pl.String) for name, values in columns.items()})


def _rows(blocks: Iterator[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = (line for block in blocks for line in io.BytesIO(block))
    for number, line in enumerate(lines, 1):
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
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError(f"the key {repeated(name for name, _ in pairs)!r} stands twice")
    return record


def _check_whole(text: str, line: int, where: str) -> None:
    """Refuses half a character beyond U+FFFF, which JSON can spell and no other part can hold."""
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        half = f"\\u{ord(text[fault.start]):04x}"
        raise DataFault(
            f"line {line}: {where} holds {half}, half of a character; expected whole ones: export it again as utf-8"
        ) from fault


def _text(value: Any, line: int, key: str) -> str:
    text = as_text(value)
    if text is not None and "\0" in text:
        raise DataFault(f"line {line}: {key!r} holds a NUL character; expected text: export it again without")
    if text is not None:
        _check_whole(text, line, repr(key))
    if text is None:
        raise DataFault(
            f"line {line}: {key!r} holds {kind(value)}; expected a text, a number, true, false or null: "
            "give each part a column of its own"
        )
    return text
