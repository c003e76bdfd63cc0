"""The documents that the steps of a batch exchange through S3: the plan, one report per piece, and totals.

All of it lies under `runs/<run-id>/batch/` until the predictions are whole.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from dropforge.contract.documents import Document, Record
from dropforge.contract.schema import ModelCard

Commas = Literal["thousands", "decimal", "unclear"]
"""The meaning of commas in a numeric column, the same for every row of the batch; `unclear` accepts none."""

TextFormat = Literal["csv", "jsonl"]


class BatchFile(Record):
    """One file of a batch: the format of its rows, and that of the predictions."""

    name: str
    """Key of the predictions below `predictions/<model>/`."""
    format: TextFormat
    """Format of the text that is read; `packing` is that of the file itself."""
    columns: tuple[str, ...] = ()
    """Columns of delimited text, in file order."""
    delimiter: str = ","
    packing: Literal["", "gzip", "parquet", "excel"] = ""
    """Compression of the predictions, which is that of the file."""


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
    """Number of the first line in the file, counted from 1."""


class BatchPlan(Document):
    """The plan of a batch: what to predict, with which model, in which pieces."""

    SCHEMA: ClassVar[str] = "dropforge.batch/1"

    run: str
    model: str
    version: str
    """The version that was live when the batch was planned; it predicts every row."""
    artifact: str
    """Key of model.onnx in the artifact bucket."""
    sha256: str
    card: ModelCard
    files: tuple[BatchFile, ...] = ()
    pieces: tuple[Piece, ...] = ()
    commas: dict[str, Commas] = field(default_factory=dict)
    """The meaning of commas, for each numeric column that has any."""


class PieceReport(Document):
    """The number of rows of a piece with and without a prediction."""

    SCHEMA: ClassVar[str] = "dropforge.piece/1"

    predicted: int
    failed: int
    warnings: dict[str, int] = field(default_factory=dict)
    """How many values of each column the model does not know."""


class RowFault(Record):
    """A row without a prediction: one line of `<file>.errors.jsonl`."""

    line: int
    """Number of its first line in the file, counted from 1; of Parquet and Excel the number of the row."""
    column: str | None
    why: str


class BatchSummary(Document):
    """The totals of a batch, stored as `<file>.summary.json` next to the predictions."""

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
    """Seconds since the run was claimed."""
    predictions: str
    """S3 URI of the predictions; for a set, the prefix of its parts."""
    errors: str
    """S3 URI."""
    warnings: dict[str, int] = field(default_factory=dict)
    """How many values of each column the model does not know, in rows that it predicted nevertheless."""
