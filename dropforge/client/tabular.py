"""Rows to predict, read from a file by its ending, and answers written beside them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

from dropforge.client.faults import Fault
from dropforge.contract.names import format_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")


def read_rows(path: Path, kinds: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The file's rows as JSON records; fields of a CSV become numbers where the model's column is a number.

    Args:
        path: `.csv`, `.tsv` (either gzipped too), `.jsonl` or `.parquet`.
        kinds: column name to kind, from the model's card.

    Raises:
        Fault: no such file, another ending, or a field that is no number, with its line.
    """
    if not path.exists():
        raise Fault(f"no such file: {path}", "no_such_file", "file")
    found = format_of(path.name)
    if found in ("csv", "tsv"):
        yield from _delimited(path, "," if found == "csv" else "\t", kinds)
    elif found == "jsonl":
        with _opened(path) as lines:
            yield from (json.loads(line) for line in lines if line.strip())
    elif found == "parquet":
        yield from _parquet(path)
    else:
        raise Fault(f"{path.name}: expected .csv, .tsv, .jsonl or .parquet", "unknown_format", "file")


def _opened(path: Path) -> io.TextIOWrapper:
    raw: Any = gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _delimited(path: Path, delimiter: str, kinds: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    with _opened(path) as text:
        reader = csv.DictReader(text, delimiter=delimiter, strict=True)
        for row in reader:
            where = f"{path.name}, line {reader.line_num}"
            if None in row or None in row.values():
                expected = len(reader.fieldnames or ())
                raise Fault(f"{where}: expected {expected} fields as in the header", "ragged_row")
            yield {name: _value(field, kinds.get(name), f"{where}, {name}") for name, field in row.items()}


def _value(field: str, kind: str | None, where: str) -> Any:
    if kind != "number":
        return field
    if field.strip() in MISSING:
        return None
    try:
        return float(field)
    except ValueError:
        raise Fault(f"{where}: expected a number or nothing, got {field!r}", "wrong_type") from None


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    try:
        import polars
    except ImportError as fault:
        raise Fault(f"{path.name}: Parquet needs polars: pip install polars, or use .csv", "no_polars") from fault
    yield from json.loads(polars.read_parquet(path).write_json())


def write_answers(path: Path, rows: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> None:
    """Rows with `prediction`, a probability a class and `prediction_id`: JSON lines for `.jsonl`, CSV otherwise."""
    filled = [{**row, **_answer(answers, at)} for at, row in enumerate(rows)]
    with path.open("w", encoding="utf-8", newline="") as out:
        if path.suffix == ".jsonl":
            out.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in filled)
            return
        writer = csv.DictWriter(out, list(filled[0]) if filled else [])
        writer.writeheader()
        writer.writerows(filled)


def _answer(answers: Mapping[str, Any], at: int) -> dict[str, Any]:
    shares = answers["probabilities"][at] if answers["probabilities"] else {}
    named = {f"probability_{name}": share for name, share in shares.items()}
    return {"prediction": answers["predictions"][at], **named, "prediction_id": answers["ids"][at]}
