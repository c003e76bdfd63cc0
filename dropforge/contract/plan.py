"""`plan.json`: what inspect decided and the trainer obeys; its second input channel."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from dropforge.contract.documents import Document, Record
from dropforge.contract.spec import Spec
from dropforge.contract.tasks import Task

Format = Literal["csv", "parquet", "jsonl", "excel", "images"]
"""`images` is a zip with one folder a class."""


class DataFormat(Record):
    """How the bytes of a data set are read."""

    format: Format
    delimiter: str = ","
    encoding: str = "utf-8"
    gzip: bool = False
    skipped_lines: int = 0
    """Lines above the header that say how the file is written, such as Excel's `sep=;`."""
    carriage_returns: bool = False
    """Whether lines end in a carriage return alone, as old spreadsheets write them."""
    sheet: str = ""
    """Of a workbook, the name of the sheet that is read."""
    other_sheets: tuple[str, ...] = ()
    """The visible sheets of the workbook that hold values too, and are not read."""


class Lineage(Record):
    """Where a model comes from: enough to find the very bytes and the very code again."""

    bucket: str
    key: str
    version: str
    """S3 version id of the object that was dropped."""
    size: int
    """Bytes."""
    identity: str
    """S3's checksum (or ETag) of the object: equal bytes have an equal identity."""
    image: str
    """The training image, by its digest or content tag."""


class Plan(Document):
    """What to train, on what, how long."""

    SCHEMA: ClassVar[str] = "dropforge.plan/1"

    run: str
    model: str
    target: str
    task: Task
    data: DataFormat
    lineage: Lineage
    spec: Spec = field(default_factory=Spec)
    seed: int = 0
