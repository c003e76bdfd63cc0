"""The registry's keys and rows: one DynamoDB table, and the one module that knows how it is laid out.

| row | pk | sk | on the index `listing` |
|---|---|---|---|
| a run | `RUN#<run>` | `RUN` | `runs`, by creation |
| an object version's claim | `CLAIM#<bucket>/<key>@<version>` | `CLAIM` | |
| a content's claim | `CONTENT#<model>#<digest>` | `CONTENT` | |
| a version | `MODEL#<model>` | `VERSION#<8 digits>` | |
| the live pointer | `MODEL#<model>` | `LIVE` | `models`, by model |
| its history, append-only | `MODEL#<model>` | `HISTORY#<8 digits>` | |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from dropforge.contract.documents import Document
from dropforge.contract.fast import FastForm
from dropforge.contract.scores import Interval
from dropforge.contract.steps import Status

PARTITION = "pk"
SORT = "sk"
INDEX = "listing"
INDEX_PARTITION = "listing"
INDEX_SORT = "listed_by"
RUNS = "runs"
MODELS = "models"


@dataclass(frozen=True)
class Key:
    """Where a row lies."""

    pk: str
    sk: str

    def to_item(self) -> dict[str, str]:
        """The key's attributes."""
        return {PARTITION: self.pk, SORT: self.sk}


def run_key(run: str) -> Key:
    """The row of a run."""
    return Key(f"RUN#{run}", "RUN")


def claim_key(bucket: str, key: str, version: str) -> Key:
    """The claim on one version of one object: what makes a repeated event harmless."""
    return Key(f"CLAIM#{bucket}/{key}@{version}", "CLAIM")


def content_key(model: str, digest: str) -> Key:
    """The claim on data, wishes and trainer together: what makes the same file dropped again harmless."""
    return Key(f"CONTENT#{model}#{digest}", "CONTENT")


def model_partition(model: str) -> str:
    """The partition with everything of one model."""
    return f"MODEL#{model}"


VERSION_PREFIX = "VERSION#"
HISTORY_PREFIX = "HISTORY#"


def version_key(model: str, version: str) -> Key:
    """One version of a model; versions are '1', '2', …"""
    return Key(model_partition(model), f"{VERSION_PREFIX}{int(version):08d}")


def live_key(model: str) -> Key:
    """The live pointer of a model."""
    return Key(model_partition(model), "LIVE")


def history_key(model: str, generation: int) -> Key:
    """One move of the live pointer."""
    return Key(model_partition(model), f"{HISTORY_PREFIX}{generation:08d}")


@dataclass(frozen=True)
class RunRow(Document):
    """A run as the API shows it; filled by the steps as they go."""

    SCHEMA: ClassVar[str] = "dropforge.run/1"

    run: str
    model: str
    status: Status
    step: str
    """The last state that reported."""
    created: str
    """UTC, ISO 8601, as all times here."""
    updated: str
    execution: str
    bucket: str
    key: str
    object_version: str
    size: int
    identity: str
    content: str
    """Digest of data, wishes and trainer: the second half of the content claim's key."""
    task: str | None = None
    target: str | None = None
    reason: str = ""
    duplicate_of: str | None = None
    """The run that has the same data already, for a duplicate."""
    version: str | None = None
    metric: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    """Hold-out scores of the candidate."""
    baseline: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    """Of the hold-out scores, 95 %."""
    notes: tuple[str, ...] = ()
    """What the scores cannot say."""
    report: str | None = None
    """S3 URI of report.html."""
    job: str | None = None
    forecast: float | None = None
    cost: float | None = None
    """US dollars."""
    kind: Literal["training", "batch"] = "training"
    pieces: int = 0
    """Of a batch: how many there are to answer."""
    progress: dict[str, int] = field(default_factory=dict)
    """Of a batch: rows done, by the piece's number."""
    predicted: int | None = None
    """Of a batch that has ended: rows with a prediction; `failed` are those without."""
    failed: int | None = None
    output: str | None = None
    """Of a batch: S3 URI of the predictions."""


@dataclass(frozen=True)
class VersionRow(Document):
    """An immutable version of a model."""

    SCHEMA: ClassVar[str] = "dropforge.version/1"

    model: str
    version: str
    run: str
    created: str
    outcome: str
    """`approved` or `refused`."""
    reason: str
    artifact: str
    """Key of model.onnx in the artifact bucket."""
    sha256: str
    manifest: str
    """Key of manifest.json in the artifact bucket."""
    task: str
    target: str
    metric: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    lineage: dict[str, Any]
    cost: float
    fast: FastForm | None = None
    """Of a large model, in the folder of its run."""


@dataclass(frozen=True)
class LiveRow(Document):
    """What serves now. `generation` counts the moves; a move is conditional on the generation it saw."""

    SCHEMA: ClassVar[str] = "dropforge.live/1"

    model: str
    version: str
    run: str
    artifact: str
    sha256: str
    generation: int
    moved: str
    previous: str | None = None
    """The version that served before."""
    fast: FastForm | None = None
    withdrawn: bool = False
    """Whether the model was removed: then nothing serves, and the version is the one that did last."""
