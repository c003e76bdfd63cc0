"""What a training run leaves and what the judge says of it: `manifest.json`, `metrics.json`, `verdict.json`."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Literal

from dropforge.contract.documents import Document, Record
from dropforge.contract.fast import FastForm
from dropforge.contract.instances import has_gpu
from dropforge.contract.plan import Lineage
from dropforge.contract.rollouts import Disagreement
from dropforge.contract.schema import ModelCard
from dropforge.contract.scores import Calibration, Gain, GroupedBy, Importance, Interval
from dropforge.contract.tasks import TASK_NAMES, TASKS, Direction, Task

PRIMARY = {task: TASKS[task].primary for task in TASK_NAMES}
"""The metric that a run is judged by, unless the spec names another of the same task."""

METRICS = {task: TASKS[task].metrics for task in TASK_NAMES}
"""Every metric of a task and its better direction."""


class FileFact(Record):
    """One file of a run, by its content."""

    sha256: str
    size: int


class Candidate(Record):
    """One model that was tried: its validation scores decided whether it was chosen."""

    name: str
    validation: dict[str, float]
    seconds: float
    settings: dict[str, Any] = field(default_factory=dict)


class Metrics(Document):
    """Scores of a run, every dict by metric name; the hold-out was seen by nothing that chose the model.

    What was added after the first files were written has a default, so that version 1 is read by old and new alike.
    """

    SCHEMA: ClassVar[str] = "dropforge.metrics/1"

    task: Task
    metric: str
    direction: Direction
    chosen: str
    holdout: dict[str, float]
    validation: dict[str, float]
    baseline: dict[str, float]
    """The trivial baseline on the same hold-out rows: mean, classes' shares, popular items, clusters at random."""
    candidates: tuple[Candidate, ...]
    rows: dict[str, int]
    """`read`, `duplicates`, `without_target`, `train`, `validation`, `holdout`; of classes `rare` ones too."""
    intervals: dict[str, Interval] = field(default_factory=dict)
    """Of the scores in `holdout`."""
    baseline_intervals: dict[str, Interval] = field(default_factory=dict)
    gains: dict[str, Gain] = field(default_factory=dict)
    """The scores of `holdout` against those of `baseline`, on the same rows."""
    groups: tuple[GroupedBy, ...] = ()
    calibration: Calibration | None = None
    """None for regression."""
    importances: tuple[Importance, ...] = ()
    """Of every column that the model reads, the largest fall first."""
    notes: tuple[str, ...] = ()
    """What the scores cannot say, and what to do about it."""
    split: str = ""
    """How the hold-out was chosen, as a sentence; empty in files of before it was written."""


class Manifest(Document):
    """The contract between all steps after training: what was made, of what, and the files by their content."""

    SCHEMA: ClassVar[str] = "dropforge.manifest/1"

    run: str
    model: str
    created: str
    """UTC, ISO 8601."""
    card: ModelCard
    lineage: Lineage | None
    """None for a model trained by hand."""
    code: str
    """SHA-256 over the trainer's sources."""
    files: dict[str, FileFact]
    """Name in the run's folder to content."""
    versions: dict[str, str]
    """Package name to version, as trained."""
    device: str
    seconds: float
    instance_type: str = ""
    """The machine's type as the service names it; empty for a model trained elsewhere."""
    gpus: int | None = None
    """GPUs that the trainer saw; None in files of before it was written."""

    @property
    def gpu_not_seen(self) -> bool:
        """Whether the machine has a GPU that the trainer did not see."""
        return has_gpu(self.instance_type) and self.gpus == 0


class Verdict(Document):
    """Whether a candidate may serve, with every reason against it and the scores that were compared."""

    SCHEMA: ClassVar[str] = "dropforge.verdict/1"

    outcome: Literal["approved", "refused"]
    reasons: tuple[str, ...]
    metric: str
    direction: Direction
    candidate: dict[str, float]
    baseline: dict[str, float]
    champion: dict[str, float] | None
    champion_version: str | None
    parity: float | None
    """Largest relative difference between the trainer's golden answers and the serving runtime's; None when a class
    differed or nothing was answered."""
    sha256: str
    """Of the judged model.onnx."""
    notes: tuple[str, ...] = ()
    """What was not compared, what a wish accepted, and what callers have to change."""
    fast: FastForm | None = None
    """Of a large model that was approved: the form that loads at once, which answered the golden rows alike."""
    rows: int = 0
    """Hold-out rows that every score here is of: the first ones, of a large hold-out."""
    intervals: dict[str, Interval] = field(default_factory=dict)
    """Of the candidate's scores."""
    gains: dict[str, Gain] = field(default_factory=dict)
    """How much better the candidate is than the trivial baseline, by metric."""
    champion_gains: dict[str, Gain] = field(default_factory=dict)
    """How much better the candidate is than the champion, by metric."""
    disagreement: Disagreement | None = None
    """How often candidate and champion differ on the hold-out; None if they were not compared, and for clusterings."""
