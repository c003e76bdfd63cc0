"""The registry's keys and rows: one DynamoDB table, laid out here and, where it is about models, in `models.py`.

| row | pk | sk | on the indexes |
|---|---|---|---|
| a run | `RUN#<run>` | `RUN` | `runs`, by creation |
| a content's claim, a lease of a run | `CONTENT#<model>#<digest>` | `CONTENT` | |
| the parts of a set, in pages | `PARTS#<run>#<identity>` | `<4 digits>` | |
| a version | `MODEL#<model>` | `VERSION#<8 digits>` | |
| the number that a run was registered under | `MODEL#<model>` | `RUN#<run>` | |
| the live pointer | `MODEL#<model>` | `LIVE` | `models`, by model |
| its history, append-only | `MODEL#<model>` | `HISTORY#<8 digits>` | |
| the reconciler's last look | `UPKEEP` | `LOOK` | |

A run's id is made of the version of the object that it is for, so the row of the run is the claim on that version.
Both indexes hold the listed rows: `listing` by kind, `listing-of-model` by the model that they are of.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from dropforge.contract.documents import Document, fields
from dropforge.contract.hops import Hop
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

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BatchRun",
    "HISTORY_PREFIX",
    "INDEX",
    "INDEX_PARTITION",
    "INDEX_SORT",
    "Key",
    "LOOK_KEY",
    "LiveRow",
    "MODELS",
    "MODEL_INDEX",
    "MODEL_INDEX_PARTITION",
    "PARTITION",
    "PARTS",
    "RUNS",
    "RUN_KINDS",
    "RunRow",
    "SORT",
    "TrainingRun",
    "VERSION_PREFIX",
    "VersionRow",
    "content_key",
    "history_key",
    "live_key",
    "model_partition",
    "parts_key",
    "registration_key",
    "run_key",
    "version_key",
]


def run_key(run: str) -> Key:
    """The row of a run."""
    return Key(f"RUN#{run}", "RUN")


PARTS = "parts-"
"""How the identity of a set begins whose parts Claim has listed in the registry."""


def parts_key(run: str, identity: str, page: int) -> Key:
    """A page of the parts that a run was claimed with. They are named by what they are, so that none is overwritten."""
    return Key(f"PARTS#{run}#{identity}", f"{page:04d}")


LOOK_KEY = Key("UPKEEP", "LOOK")
"""When the reconciler last compared bucket and registry."""


def content_key(model: str, digest: str) -> Key:
    """The claim on data, options and trainer together, which makes a repeated drop harmless."""
    return Key(f"CONTENT#{model}#{digest}", "CONTENT")


def registration_key(model: str, run: str) -> Key:
    """The version number of a registered run, which makes a repeated registration harmless."""
    return Key(model_partition(model), f"RUN#{run}")


class RunRow(Document):
    """What every run has; each step adds its fields. A stored row is read as a `TrainingRun` or a `BatchRun`.

    In JSON a run has the fields of both, those of the other kind at their defaults, so that all runs have the same
    fields in the table and in the API's responses.
    """

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
    kind: Literal["training", "batch"]
    reason: str = ""
    version: str | None = None
    """The version that was trained, or the one that predicts the batch."""

    def _encoded(self) -> dict[str, Any]:
        shared = {field.name: getattr(self, field.name) for field in fields(RunRow) if field.name != "kind"}
        others = [kind(**shared) for kind in RUN_KINDS if not isinstance(self, kind)]
        return {name: value for run in others for name, value in Document._encoded(run).items()} | super()._encoded()

    @classmethod
    def class_of(cls, value: Mapping[str, Any]) -> type[Self]:
        """The kind of run that the row says; of training where it says none that is known."""
        kind: type[RunRow] = BatchRun if value.get("kind") == "batch" else TrainingRun
        return kind if issubclass(kind, cls) else cls


class TrainingRun(RunRow):
    """A run that trains a model."""

    kind: Literal["training"] = "training"
    identity: str = ""
    """A text that is equal for equal data."""
    content: str = ""
    """Digest of data, wishes and trainer: the second half of the content claim's key."""
    sequencer: str = ""
    """S3's sequencer of the drop, which orders the versions of one key; empty if the event had none."""
    dropped: str = ""
    """When S3 took the object, by S3's clock; empty for runs from before this was kept."""
    generation: int | None = None
    """Generation of the live pointer when the run was claimed, 0 if there was none; None where unknown."""
    spec: str | None = None
    """Version id of the spec.yaml that the data were claimed with; empty where there was none, None where unknown."""
    task: str | None = None
    target: str | None = None
    duplicate_of: str | None = None
    """For a duplicate, the run with the same data."""
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
    instance_type: str | None = None
    """The type of the machine that trained the model."""
    device: str | None = None
    """What the model was trained on, as the trainer saw it: `cpu`, or the name of the GPU."""
    hops: tuple[Hop, ...] = ()
    """Places where training could not start or finish, and why."""
    forecast: float | None = None
    cost: float | None = None
    """US dollars, those of jobs that failed included."""

    def is_later_than(self, other: TrainingRun) -> bool:
        """Whether S3 took this drop after `other`, by S3's own order and never by a function's clock.

        The versions of one key are ordered by their sequencers. Those of different keys are ordered by S3's clock, in
        whole seconds; within a second the sequencers decide, as well as they can.
        """
        ours, theirs = (run.sequencer.upper() for run in (self, other))
        width = max(len(ours), len(theirs))
        by_sequencer = ours.ljust(width, "0") > theirs.ljust(width, "0")
        known = bool(ours and theirs)
        if known and (self.bucket, self.key) == (other.bucket, other.key):
            return by_sequencer
        if known and self.dropped == other.dropped:
            return by_sequencer
        return (self.dropped or self.created, self.created) > (other.dropped or other.created, other.created)


class BatchRun(RunRow):
    """A run that predicts a file, or the files of a set."""

    kind: Literal["batch"] = "batch"
    pieces: int = 0
    """Number of pieces to predict."""
    progress: dict[str, int] = field(default_factory=dict)
    """Number of finished rows by piece."""
    predicted: int | None = None
    """Once finished, the number of rows with a prediction; `failed` is that of rows without."""
    failed: int | None = None
    output: str | None = None
    """S3 URI of the predictions."""
    output_version: str | None = None
    """For one file, the S3 version id of its predictions; another batch may use the same key."""


RUN_KINDS: tuple[type[RunRow], ...] = (TrainingRun, BatchRun)
