"""Writes predictions as text, in the format of the file that they are for.

Delimited text has the columns `line`, those that the model does not read, `warnings` (for models that read texts),
`prediction`, a `probability_<class>` per class, `recommendations` (JSON, for recommenders) and `prediction_id`. JSON
lines have the same names, with all probabilities in one object, and `warnings` only where there are any. A name that
the file already has gets underscores appended. Numbers have nine digits, enough to tell any two float32 apart.

A warning names a column whose value the model does not know: `city: unknown_category`, separated by semicolons.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Protocol

from dropforge.contract.ids import digest
from dropforge.contract.records import Digits
from dropforge.contract.tasks import ITEMS, TASKS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dropforge.contract.batch import BatchFile
    from dropforge.contract.schema import ModelCard
    from dropforge.inference.model import Answers, ServedModel
    from dropforge.inference.unknown import ValueWarning
    from lambdas.batch.common.rows import Chunk

LINE, PREDICTION, PROBABILITIES, LISTS, ID = "line", "prediction", "probabilities", "recommendations", "prediction_id"
WARNINGS = "warnings"


class Writer(Protocol):
    """Writes predicted rows as text."""

    def header(self) -> str:
        """The text before the first row of a file."""

    def rows(self, chunk: Chunk, answers: Answers, warnings: Sequence[ValueWarning]) -> str:
        """The rows, one per line, with what the model does not know of them."""


def writer_for(file: BatchFile, kept: Sequence[str], model: ServedModel, run: str) -> Writer:
    """The writer for the predictions of `file`.

    Args:
        file: the file.
        kept: its columns that the model does not read; in JSON lines they differ from row to row.
        model: the model.
        run: the batch. A prediction id is made of it, the file's name and the line, so repeating a piece keeps it.
    """
    ids = f"p-{digest(run, file.name)[:16]}"
    if file.format == "jsonl":
        return JsonWriter(model.card, ids)
    return DelimitedWriter(file.delimiter, kept, model.card, ids, warned=bool(model.known or model.card.rewritten))


def by_row(warnings: Sequence[ValueWarning]) -> dict[int, list[ValueWarning]]:
    """The warnings of each row that has any."""
    rows: dict[int, list[ValueWarning]] = {}
    for warning in warnings:
        rows.setdefault(warning.row, []).append(warning)
    return rows


def unused_name(name: str, taken: Collection[str]) -> str:
    """`name`, with underscores appended as long as the file has a column of that name."""
    while name in taken:
        name += "_"
    return name


class DelimitedWriter:
    """Writes delimited text with a header; `warned` says whether it has a column of warnings."""

    def __init__(self, delimiter: str, kept: Sequence[str], card: ModelCard, ids: str, *, warned: bool = False) -> None:
        self._delimiter, self._kept = delimiter, kept
        self._needs_quotes = re.compile(f'[{re.escape(delimiter)}"\r\n]')
        self._lists = ITEMS in TASKS[card.task].outputs
        shares = [f"probability_{name}" for name in card.classes]
        self._warned = warned
        added = [*([WARNINGS] if warned else []), PREDICTION, *shares, *([LISTS] if self._lists else []), ID]
        self._names = [unused_name(LINE, kept), *kept, *(unused_name(name, kept) for name in added)]
        texts = ["%s"] * len(kept)
        fields = [
            "%d",
            *texts,
            *(["%s"] if warned else []),
            "%s",
            *(["%.9g"] * len(shares)),
            *(["%s"] if self._lists else []),
            f"{ids}%016x",
        ]
        self._row = delimiter.join(fields) + "\n"

    def header(self) -> str:
        """The names of all columns."""
        return self._delimiter.join(map(self._field, self._names)) + "\n"

    def rows(self, chunk: Chunk, answers: Answers, warnings: Sequence[ValueWarning]) -> str:
        """The rows, one per line."""
        beside = [map(self._field, column) for column in zip(*chunk.kept, strict=True)]
        shares = [] if answers.probabilities is None else answers.probabilities.T.tolist()
        lists = [map(self._list, answers.recommendations or ())] if self._lists else []
        warned = [self._warnings(len(chunk.lines), warnings)] if self._warned else []
        columns = [chunk.lines, *beside, *warned, self._predictions(answers), *shares, *lists, chunk.lines]
        row = self._row
        return "".join([row % fields for fields in zip(*columns, strict=True)])

    def _warnings(self, rows: int, warnings: Sequence[ValueWarning]) -> list[str]:
        """The field of every row; empty where the model knows all values."""
        texts = [""] * rows
        for row, those in by_row(warnings).items():
            texts[row] = self._field("; ".join(f"{warning.column}: {warning.kind}" for warning in those))
        return texts

    def _predictions(self, answers: Answers) -> Sequence[str]:
        if answers.probabilities is None:
            return list(map(_number, answers.predictions))
        spelled = {label: self._field(_label(label)) for label in set(answers.predictions)}
        return [spelled[label] for label in answers.predictions]

    def _list(self, items: list[dict[str, Any]] | None) -> str:
        return "" if items is None else self._field(json.dumps(items, ensure_ascii=False))

    def _field(self, text: str) -> str:
        """The text, quoted if it needs quotes."""
        return '"' + text.replace('"', '""') + '"' if self._needs_quotes.search(text) else text


class JsonWriter:
    """Writes JSON lines, one object per row."""

    def __init__(self, card: ModelCard, ids: str) -> None:
        self._card, self._ids = card, ids
        self._wanted = set(card.names)

    def header(self) -> str:
        """Empty: JSON lines have no header."""
        return ""

    def rows(self, chunk: Chunk, answers: Answers, warnings: Sequence[ValueWarning]) -> str:
        """The rows, one per line."""
        shares: Any = [None] * len(chunk.lines) if answers.probabilities is None else answers.probabilities.tolist()
        lists = answers.recommendations or [None] * len(chunk.lines)
        warned = by_row(warnings)
        those = [warned.get(row, ()) for row in range(len(chunk.lines))]
        rows = zip(chunk.lines, chunk.kept, answers.predictions, shares, lists, those, strict=True)
        return "".join([self._row(*row) for row in rows])

    def _row(
        self,
        line: int,
        record: dict[str, Any],
        label: Any,
        shares: list[float] | None,
        items: Any,
        warnings: Sequence[ValueWarning],
    ) -> str:
        kept = {name: dumped(value) for name, value in record.items() if name not in self._wanted}
        added = {LINE: str(line)}
        if warnings:
            added[WARNINGS] = json.dumps(
                [f"{warning.column}: {warning.kind}" for warning in warnings], ensure_ascii=False
            )
        added |= {PREDICTION: _number(label) if type(label) is float else json.dumps(label)}
        if shares is not None:
            parts = (
                f"{dumped(name)}: {_number(share)}" for name, share in zip(self._card.classes, shares, strict=True)
            )
            added[PROBABILITIES] = f"{{{', '.join(parts)}}}"
        if items is not None:
            added[LISTS] = json.dumps(items, ensure_ascii=False)
        added[ID] = f'"{self._ids}{line:016x}"'
        whole = {**kept, **{unused_name(name, kept): text for name, text in added.items()}}
        return f"{{{', '.join(f'{dumped(name)}: {text}' for name, text in whole.items())}}}\n"


def dumped(value: Any) -> str:
    """`value` as JSON; numbers keep their digits."""
    if isinstance(value, Digits):
        return str(value)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{dumped(name)}: {dumped(entry)}' for name, entry in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(dumped, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    return f"{value:.9g}"


def _label(label: Any) -> str:
    return ("false", "true")[label] if isinstance(label, bool) else str(label)
