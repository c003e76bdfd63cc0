"""What the steps of a batch tell each other through S3: `plan.json` of the files to predict, a report a piece, totals.

All of it lies under `runs/<run-id>/batch/` until the predictions are whole.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from dropforge.contract.documents import Document, Record
from dropforge.contract.schema import ModelCard

Commas = Literal["thousands", "decimal", "unclear"]
"""What the commas in a column of numbers are, in every row of the batch alike; `unclear` takes none of them."""

TextFormat = Literal["csv", "jsonl"]


class BatchFile(Record):
    """One file of a batch: what its rows look like, and what the predictions are to look like."""

    name: str
    """Below `predictions/<model>/`."""
    format: TextFormat
    """Of the text that is read; `packing` says what the file itself is."""
    columns: tuple[str, ...] = ()
    """Of delimited text, in its order."""
    delimiter: str = ","
    packing: Literal["", "gzip", "parquet"] = ""
    """How the predictions are packed: as the file is."""


class Piece(Record):
    """Whole rows of UTF-8 text without a header: bytes `start` to `end` (exclusive) of an object's version."""

    file: int
    """Index in `BatchPlan.files`."""
    bucket: str
    key: str
    version: str
    start: int
    end: int
    line: int
    """Number of its first line in the file, counted from 1."""


class BatchPlan(Document):
    """What to predict, by which model, in which pieces."""

    SCHEMA: ClassVar[str] = "dropforge.batch/1"

    run: str
    model: str
    version: str
    """The version that was live when the batch was planned: it answers every row."""
    artifact: str
    """Key of model.onnx in the artifact bucket."""
    sha256: str
    card: ModelCard
    files: tuple[BatchFile, ...] = ()
    pieces: tuple[Piece, ...] = ()
    commas: dict[str, Commas] = field(default_factory=dict)
    """Of the columns of numbers that have any."""


class PieceReport(Document):
    """How many rows of a piece were answered, and how many could not be."""

    SCHEMA: ClassVar[str] = "dropforge.piece/1"

    predicted: int
    failed: int


class RowFault(Record):
    """A row that has no prediction: a line of `<file>.errors.jsonl`."""

    line: int
    """Number of its first line in the file, counted from 1; of Parquet the number of the row."""
    column: str | None
    why: str


class BatchSummary(Document):
    """`<file>.summary.json`: the totals, beside the predictions."""

    SCHEMA: ClassVar[str] = "dropforge.batch-summary/1"

    run: str
    model: str
    version: str
    file: str
    rows: int
    predicted: int
    failed: int
    pieces: int
    seconds: float
    """Since the run was claimed."""
    predictions: str
    """S3 URI; of a set the prefix of its parts."""
    errors: str
    """S3 URI."""
