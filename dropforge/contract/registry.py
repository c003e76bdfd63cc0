"""The registry's keys and rows: one DynamoDB table, laid out here and, where it is about models, in `models.py`.

| row | pk | sk | on the indexes |
|---|---|---|---|
| a run | `RUN#<run>` | `RUN` | `runs`, by creation |
| an object version's claim | `CLAIM#<bucket>/<key>@<version>` | `CLAIM` | |
| a content's claim | `CONTENT#<model>#<digest>` | `CONTENT` | |
| a version | `MODEL#<model>` | `VERSION#<8 digits>` | |
| the number that a run was registered under | `MODEL#<model>` | `RUN#<run>` | |
| the live pointer | `MODEL#<model>` | `LIVE` | `models`, by model |
| its history, append-only | `MODEL#<model>` | `HISTORY#<8 digits>` | |

Both indexes hold the listed rows: `listing` by kind, `listing-of-model` by the model that they are of.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from dropforge.contract.documents import Document
from dropforge.contract.models import (
    HISTORY_PREFIX,
    INDEX,
    INDEX_PARTITION,
    INDEX_SORT,
    MODEL_INDEX,
    MODEL_INDEX_PARTITION,
    MODELS,
    PARTITION,
    RUNS,
    SORT,
    VERSION_PREFIX,
    Key,
    LiveRow,
    VersionRow,
    history_key,
    live_key,
    model_partition,
    version_key,
)
from dropforge.contract.scores import Gain, Interval, Suspect
from dropforge.contract.steps import ShownStatus

__all__ = [
    "HISTORY_PREFIX",
    "INDEX",
    "INDEX_PARTITION",
    "INDEX_SORT",
    "Key",
    "LiveRow",
    "MODELS",
    "MODEL_INDEX",
    "MODEL_INDEX_PARTITION",
    "PARTITION",
    "RUNS",
    "RunRow",
    "SORT",
    "VERSION_PREFIX",
    "VersionRow",
    "claim_key",
    "content_key",
    "history_key",
    "live_key",
    "model_partition",
    "registration_key",
    "run_key",
    "version_key",
]


def run_key(run: str) -> Key:
    """The row of a run."""
    return Key(f"RUN#{run}", "RUN")


def claim_key(bucket: str, key: str, version: str) -> Key:
    """The claim on one version of one object: what makes a repeated event harmless."""
    return Key(f"CLAIM#{bucket}/{key}@{version}", "CLAIM")


def content_key(model: str, digest: str) -> Key:
    """The claim on data, wishes and trainer together: what makes the same file dropped again harmless."""
    return Key(f"CONTENT#{model}#{digest}", "CONTENT")


def registration_key(model: str, run: str) -> Key:
    """The number that a run was registered under: what makes a repeated registration harmless."""
    return Key(model_partition(model), f"RUN#{run}")


class RunRow(Document):
    """A run as the API shows it; filled by the steps as they go."""

    SCHEMA: ClassVar[str] = "dropforge.run/1"

    run: str
    model: str
    status: ShownStatus
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
    spec: str | None = None
    """Version id of the spec.yaml that the data were claimed with; empty where there was none, None where unknown."""
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
    gains: dict[str, Gain] = field(default_factory=dict)
    """How much better the candidate is than the trivial baseline, on the same rows."""
    suspects: tuple[Suspect, ...] = ()
    """Columns that tell the target almost by themselves."""
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
    output_version: str | None = None
    """Of a batch of one file: the version id of its predictions; another batch may write under the same key."""
