"""A piece of a batch from text to text: rows in chunks through the model, faults set aside, memory flat.

Knows no AWS: the text comes in blocks of bytes, and what is written goes to two callables.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dropforge.contract.batch import RowFault
from dropforge.inference.faults import NO_FINITE_ANSWER, InputFault, NotFinite
from dropforge.inference.unknown import reason_of, warnings_of
from dropforge.inference.values import to_array
from lambdas.batch.common.jsonlines import json_lines
from lambdas.batch.common.rows import Chunk, Layout, delimited, whole_lines
from lambdas.batch.common.writing import writer_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np

    from dropforge.contract.batch import BatchFile, Commas
    from dropforge.contract.schema import ModelCard
    from dropforge.inference.model import ServedModel
    from dropforge.inference.unknown import ValueWarning
    from lambdas.batch.common.writing import Writer


@dataclass
class Totals:
    """Rows so far."""

    predicted: int = 0
    failed: int = 0
    warnings: Counter[str] = field(default_factory=Counter)
    """The values that the model does not know, by column."""


@dataclass(frozen=True)
class Work:
    """What a piece is answered by."""

    model: ServedModel
    file: BatchFile
    run: str
    commas: Mapping[str, Commas]

    @property
    def wanted(self) -> tuple[str, ...]:
        """The model's columns."""
        return self.model.card.names

    @property
    def layout(self) -> Layout:
        """Of delimited rows."""
        return Layout(self.file.columns, self.file.delimiter, self.wanted)

    def chunks(self, blocks: Iterable[bytes], line: int) -> Iterator[Chunk]:
        """The piece's rows, the first of them in this line."""
        texts = whole_lines(blocks)
        return json_lines(texts, self.wanted, line) if self.file.format == "jsonl" else delimited(
            texts, self.layout, line)  # fmt: skip

    def writer(self) -> Writer:
        """What writes the piece's predictions."""
        kept = [] if self.file.format == "jsonl" else self.layout.kept
        return writer_for(self.file, kept, self.model, self.run)


def answer_piece(
    work: Work,
    blocks: Iterable[bytes],
    line: int,
    write: Callable[[bytes], None],
    report: Callable[[bytes], None],
) -> Iterator[Totals]:
    """Predicts the rows of a piece; gives the totals after each chunk.

    Args:
        work: model and file.
        blocks: the piece's bytes, UTF-8, whole rows, no header.
        line: number of the piece's first line in its file.
        write: takes the predictions, some rows at a time.
        report: takes the faults, JSON lines.

    Raises:
        ModelFault: the model is not what its card says.
    """
    writer, totals = work.writer(), Totals()
    for chunk in work.chunks(blocks, line):
        faults = list(chunk.faults)
        for readable, read in _readable(chunk, work.model.card, work.commas, faults):
            part, arrays = _accepted(work.model, readable, read, faults)
            if part.lines:
                totals.predicted += _answered(work.model, writer, part, arrays, write, faults, totals.warnings)
        totals.failed += len(faults)
        faults.sort(key=lambda fault: fault.line)
        if faults:
            report(b"".join(_line(fault) for fault in faults))
        yield totals


def _readable(
    chunk: Chunk, card: ModelCard, commas: Mapping[str, Commas], faults: list[RowFault]
) -> Iterator[tuple[Chunk, dict[str, np.ndarray]]]:
    """Parts of the chunk with the model's inputs; halves are tried apart until a fault's row stands alone."""
    if not chunk.lines:
        return
    try:
        arrays = {
            column.name: to_array(
                column, chunk.columns[column.name], text=True, commas=commas.get(column.name, "unclear")
            )
            for column in card.columns
        }
    except InputFault as fault:
        if len(chunk.lines) == 1:
            faults.append(RowFault(chunk.lines[0], fault.column, fault.reason))
            return
        for half in _halves(chunk):
            yield from _readable(half, card, commas, faults)
        return
    yield chunk, arrays


def _unknown(model: ServedModel, chunk: Chunk, arrays: Mapping[str, np.ndarray]) -> list[ValueWarning]:
    """Every value that the model does not know, or reads as another."""
    if not model.known and not model.card.rewritten:
        return []
    return warnings_of(model, arrays, chunk.columns, most=len(chunk.lines) * len(model.card.columns)).first


def _accepted(
    model: ServedModel, chunk: Chunk, arrays: dict[str, np.ndarray], faults: list[RowFault]
) -> tuple[Chunk, dict[str, np.ndarray]]:
    """The rows that the model answers: of a strict model those whose every value it knows."""
    unknown = _unknown(model, chunk, arrays) if model.card.strict else []
    if not unknown:
        return chunk, arrays
    first = {warning.row: warning for warning in reversed(unknown)}
    faults += [
        RowFault(chunk.lines[row], warning.column, reason_of(warning, model, arrays, chunk.columns))
        for row, warning in first.items()
    ]
    rows = [row for row in range(len(chunk.lines)) if row not in first]
    return chunk.take(rows), {name: array[rows] for name, array in arrays.items()}


def _answered(
    model: ServedModel,
    writer: Writer,
    chunk: Chunk,
    arrays: dict[str, np.ndarray],
    write: Callable[[bytes], None],
    faults: list[RowFault],
    counts: Counter[str],
) -> int:
    """Writes the rows that the model has a finite answer for; how many. Adds unknown values to the counts by column."""
    try:
        answers = model.predict(arrays)
    except NotFinite:
        if len(chunk.lines) == 1:
            faults.append(RowFault(chunk.lines[0], None, NO_FINITE_ANSWER))
            return 0
        middle = len(chunk.lines) // 2
        firsts = {name: array[:middle] for name, array in arrays.items()}
        seconds = {name: array[middle:] for name, array in arrays.items()}
        first, second = _halves(chunk)
        count = _answered(model, writer, first, firsts, write, faults, counts)
        return count + _answered(model, writer, second, seconds, write, faults, counts)
    warnings = [] if model.card.strict else _unknown(model, chunk, arrays)  # of a strict model `_accepted` has looked
    counts.update(warning.column for warning in warnings)
    text = writer.rows(chunk, answers, warnings)
    write(text.encode("utf-8", "backslashreplace"))  # half a surrogate pair, escaped in JSON
    return len(chunk.lines)


def _halves(chunk: Chunk) -> tuple[Chunk, Chunk]:
    count = len(chunk.lines)
    return chunk.part(0, count // 2), chunk.part(count // 2, count)


def _line(fault: RowFault) -> bytes:
    return json.dumps(fault.to_json(), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
