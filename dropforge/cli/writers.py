"""Writes rows with their predictions as CSV or JSON lines while they arrive."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from dropforge.client.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dropforge.client import Predictions
    from dropforge.client.batches import Batch

Writer = Callable[["Batch", "Predictions"], None]


def writer_for(path: Path) -> Callable[[IO[str]], Writer]:
    """The writer for the ending of `path`; `Fault` for an unknown one."""
    kinds: dict[str, Callable[[IO[str]], Writer]] = {".csv": csv_writer, ".jsonl": jsonl_writer}
    if path.suffix.lower() not in kinds:
        raise Fault(f"--out {path}: expected a name ending in .csv or .jsonl", "out", "out")
    return kinds[path.suffix.lower()]


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Opens a file that gets its name only once it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8", newline="", errors="surrogatepass") as file:
            yield file
        part.replace(path)
    except OSError as fault:
        raise Fault(f"--out {path}: cannot be written: {fault.strerror or fault}", "out", "out") from fault
    finally:
        part.unlink(missing_ok=True)


def csv_writer(file: IO[str]) -> Writer:
    """Writes the input columns, then `prediction`, `probability_<class>`, `recommendations` (JSON) and `prediction_id`.

    With explanations, `base` and `contribution_<column>` come before `prediction_id`.
    """
    plain = csv.writer(file, lineterminator="\n")
    quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    columns: list[str] = []

    def write(batch: Batch, answer: Predictions) -> None:
        if not columns:
            columns.extend(batch.columns or list(batch.rows[0]))
            plain.writerow([*columns, *_added(columns, answer).values()])
        for at, row in enumerate(batch.rows):
            shares = list(answer.probabilities[at].values()) if answer.probabilities else []
            fields = [_field(row.get(name)) for name in columns]
            # A lone carriage return ends a row for most readers, and csv would not quote it.
            out = quoted if any("\r" in str(field) for field in fields) else plain
            told = [*_listed(answer, at), *_contributed(answer, at).values()]
            out.writerow([*fields, _field(answer.predictions[at]), *shares, *told, answer.ids[at]])

    return write


def jsonl_writer(file: IO[str]) -> Writer:
    """Writes one object per line: the input row, `prediction`, `probabilities`, `explanation`, `prediction_id`."""

    def write(batch: Batch, answer: Predictions) -> None:
        for at, row in enumerate(batch.rows):
            shares = {"probabilities": answer.probabilities[at]} if answer.probabilities else {}
            listed = {"recommendations": answer.recommendations[at]} if answer.recommendations else {}
            told = {"explanation": answer.explanations[at]} if answer.explanations else {}
            added = {"prediction": answer.predictions[at], **shares, **listed, **told, "prediction_id": answer.ids[at]}
            renamed = {free(name, row): value for name, value in added.items()}
            file.write(json.dumps({**row, **renamed}, ensure_ascii=False) + "\n")

    return write


def _added(columns: list[str], answer: Predictions) -> dict[str, str]:
    classes = list(answer.probabilities[0]) if answer.probabilities else []
    lists = ["recommendations"] if answer.recommendations is not None else []
    told = _contributed(answer, 0)
    names = ["prediction", *(f"probability_{each}" for each in classes), *lists, *told, "prediction_id"]
    return {name: free(name, columns) for name in names}


def _listed(answer: Predictions, at: int) -> list[str]:
    """The recommendations of a row as JSON, empty in a row without them; no cell if the model is no recommender."""
    if answer.recommendations is None:
        return []
    found = answer.recommendations[at]
    return ["" if found is None else json.dumps(found, ensure_ascii=False)]


def _contributed(answer: Predictions, at: int) -> dict[str, float]:
    """The explanation of a row as columns; empty without one."""
    if answer.explanations is None:
        return {}
    told = answer.explanations[at]
    return {"base": told["base"], **{f"contribution_{name}": each for name, each in told["contributions"].items()}}


def free(name: str, taken: list[str] | Mapping[str, Any]) -> str:
    """`name`, followed by underscores as long as the input has a column with that name."""
    while name in taken:
        name += "_"
    return name


def _field(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
