"""What a task does and what it leaves to the driver: the interface of every package in this room."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from dropforge.contract.results import METRICS, PRIMARY, Metrics
from training_container.faults import JobFault

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract import tasks
    from dropforge.contract.baseline import Baseline
    from dropforge.contract.results import Candidate
    from dropforge.contract.schema import ModelCard
    from dropforge.metrics.evaluation import Comparison
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.export.parity import Proof
    from training_container.job import Job
    from training_container.progress import Progress


class TaskData(Protocol):
    """A data set that was read: a `Dataset` or an `ImageSet`."""

    @property
    def task(self) -> tasks.Task:
        """The task that the data set is for."""
        ...

    @property
    def profile(self) -> dict[str, Any]:
        """`profile.json`"""
        ...


@dataclass(frozen=True)
class Exported:
    """A model file that was written and proven."""

    card: ModelCard
    proof: Proof


@dataclass(frozen=True)
class Evaluation:
    """What a run tells of its model, but for the report."""

    metrics: Metrics
    baseline: Baseline
    profile: dict[str, Any]
    """`profile.json`"""
    curves: dict[str, dict[str, list[float]]]
    """Learning curves for TensorBoard: the model's name to its curves by name."""


DataT = TypeVar("DataT", bound=TaskData)
ModelT = TypeVar("ModelT")
ExportedT = TypeVar("ExportedT", bound=Exported)


class Task(ABC, Generic[DataT, ModelT, ExportedT]):
    """One kind of task; the driver calls its methods in the order in which they stand here.

    Files are complete or absent, and checkpoints, the budget and SIGTERM are the driver's business: a task fits what it
    can within the budget and returns the best model that it has.
    """

    device = "cpu"
    """The device that the manifest and the report name."""

    def __init__(self, job: Job, data: DataT) -> None:
        self.job, self.data = job, data
        self.metric = ""
        """The metric that decides; `prepare` sets it."""

    def prepare(self) -> None:
        """Checks the spec against the data before any time is spent on fitting.

        Raises:
            JobFault: the spec names a metric that the task does not have.
        """
        self.metric = metric_of(self.data.task, self.job.spec.metric)

    @abstractmethod
    def fit(self, budget: Budget, checkpoints: Checkpoints, progress: Progress) -> ModelT:
        """The best model of the training and validation rows that the budget allows.

        Raises:
            JobFault: no model can be fitted to this data.
        """

    @abstractmethod
    def export(self, model: ModelT, folder: Path, progress: Progress) -> ExportedT:
        """Writes the model file, the golden rows and the hold-out; proves the file on the bytes that were written.

        Raises:
            ParityFault: the model file does not answer as torch does.
        """

    @abstractmethod
    def evaluate(self, model: ModelT, exported: ExportedT) -> Evaluation:
        """Scores the model on the hold-out, once, beside a trivial baseline.

        Raises:
            JobFault: the hold-out cannot be scored.
        """

    @abstractmethod
    def report(self, path: Path, model: ModelT, exported: ExportedT, metrics: Metrics) -> None:
        """Writes the report as one HTML file."""


def metric_of(task: tasks.Task, wanted: str | None) -> str:
    """The metric that decides: the one that the spec names, or the task's primary one.

    Raises:
        JobFault: the spec names a metric that the task does not have.
    """
    metric = wanted or PRIMARY[task]
    if metric not in METRICS[task]:
        raise JobFault(f"spec: metric: expected one of {list(METRICS[task])} for {task}, got {metric!r}")
    return metric


def metrics_of(task: tasks.Task, metric: str, comparison: Comparison, *, chosen: str, validation: dict[str, float],
               candidates: tuple[Candidate, ...], rows: dict[str, int]) -> Metrics:  # fmt: skip
    """The metrics of a model that was compared with the trivial baseline on the hold-out."""
    return Metrics(
        task=task,
        metric=metric,
        direction=METRICS[task][metric],
        chosen=chosen,
        holdout=comparison.scores,
        validation=validation,
        baseline=comparison.other,
        candidates=candidates,
        rows=rows,
        intervals=comparison.intervals,
        baseline_intervals=comparison.other_intervals,
        gains=comparison.gains,
    )
