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
from dropforge.contract.remarks import Remark
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
    """The claim on one version of one object, which makes a repeated event harmless."""
    return Key(f"CLAIM#{bucket}/{key}@{version}", "CLAIM")


def content_key(model: str, digest: str) -> Key:
    """The claim on data, options and trainer together, which makes a repeated drop harmless."""
    return Key(f"CONTENT#{model}#{digest}", "CONTENT")


def registration_key(model: str, run: str) -> Key:
    """The version number of a registered run, which makes a repeated registration harmless."""
    return Key(model_partition(model), f"RUN#{run}")


class RunRow(Document):
    """A run as the API shows it; each step adds its fields."""

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
    """For a duplicate, the run with the same data."""
    version: str | None = None
    metric: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    """Hold-out scores of the candidate."""
    baseline: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    """95 % intervals of the hold-out scores, by metric."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """How much better the candidate is than the trivial baseline, on the same rows."""
    suspects: tuple[Suspect, ...] = ()
    """Columns that reveal the target almost by themselves."""
    notes: tuple[str, ...] = ()
    """Warnings about the scores, and every remark as plain text."""
    remarks: tuple[Remark, ...] = ()
    """What was left out, changed or guessed, the worst first; from Inspect on, if it could look at all rows."""
    more_remarks: int = 0
    """How many more there are than `remarks` holds; `profile.json` has all of them."""
    budget: float | None = None
    """Minutes that training may take."""
    report: str | None = None
    """S3 URI of report.html."""
    job: str | None = None
    forecast: float | None = None
    cost: float | None = None
    """US dollars."""
    kind: Literal["training", "batch"] = "training"
    pieces: int = 0
    """For a batch, the number of pieces to predict."""
    progress: dict[str, int] = field(default_factory=dict)
    """For a batch, the number of finished rows by piece."""
    predicted: int | None = None
    """For a finished batch, the number of rows with a prediction; `failed` is that of rows without."""
    failed: int | None = None
    output: str | None = None
    """For a batch, the S3 URI of the predictions."""
    output_version: str | None = None
    """For a batch of one file, the S3 version id of its predictions; another batch may use the same key."""
