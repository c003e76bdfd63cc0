"""Reads the rows of a piece of JSON lines, every value as the text that it has in a data set."""

from __future__ import annotations

import io
import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from dropforge.contract.batch import RowFault
from dropforge.contract.records import Digits, as_text, kind, repeated, spelled_as
from lambdas.batch.common.rows import CHUNK_ROWS, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _InvalidRow(ValueError):
    """A line is no valid row; `column` says where."""

    def __init__(self, reason: str, column: str | None = None) -> None:
        super().__init__(reason)
        self.column = column


def json_lines(texts: Iterable[str], wanted: tuple[str, ...], line: int) -> Iterator[Chunk]:
    """Reads rows from whole lines; a key that a record lacks is a missing value.

    Args:
        texts: blocks of whole lines.
        wanted: the model's columns.
        line: number of the first line.
    """
    numbered = enumerate((record for text in texts for record in io.StringIO(text)), line)
    while batch := list(islice(numbered, CHUNK_ROWS)):
        yield _chunk(batch, wanted)


def _chunk(numbered: list[tuple[int, str]], wanted: tuple[str, ...]) -> Chunk:
    lines, records, rows, faults = [], [], [], []
    is_ascii = all(map(str.isascii, wanted))
    for line, text in numbered:
        if not text.strip():
            continue
        try:
            record = _record(text)
            spelled = record if is_ascii else dict(zip(spelled_as(wanted, record), record.values(), strict=True))
            row = [_text(name, spelled.get(name)) for name in wanted]
        except _InvalidRow as fault:
            faults.append(RowFault(line, fault.column, str(fault)))
            continue
        lines.append(line)
        records.append(record)
        rows.append(row)
    columns = zip(*rows, strict=True) if rows else [()] * len(wanted)
    return Chunk(lines, dict(zip(wanted, columns, strict=True)), records, faults)


def _record(text: str) -> dict[str, Any]:
    """The JSON object of one line; its numbers keep the digits with which they are written."""
    try:
        value = json.loads(
            text, parse_float=Digits, parse_int=Digits, parse_constant=str, object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError) as fault:
        raise _InvalidRow(f"expected one JSON object: {fault}") from fault
    if not isinstance(value, dict):
        raise _InvalidRow(f"expected one JSON object, got {text.strip()[:40]!r}")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = {name.strip(): value for name, value in pairs}
    if len(record) < len(pairs):
        raise ValueError(f"the key {repeated(name.strip() for name, _ in pairs)!r} stands twice")
    return record


def _text(name: str, value: Any) -> str:
    text = as_text(value)
    if text is None:
        raise _InvalidRow(f"expected a text, a number, true, false or null, got {kind(value)}", name)
    return text
