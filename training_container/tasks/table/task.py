"""Regression and classes from a table with a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dropforge.datasets.dataset import Dataset
from training_container.devices import device_name
from training_container.native import Native
from training_container.tasks.model_file import ExportedTable, export_table, make_card
from training_container.tasks.table.report import write_report
from training_container.tasks.table.selection import Study, baseline_of, score, study
from training_container.tasks.task import Evaluation, Task

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.results import Metrics
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.job import Job
    from training_container.progress import Progress


class TableTask(Task[Dataset, Study, ExportedTable]):
    """An ensemble of several families of models; the hold-out is answered by torch, which the file must equal."""

    def __init__(self, job: Job, data: Dataset) -> None:
        super().__init__(job, data)
        self.device = device_name()

    def fit(self, budget: Budget, checkpoints: Checkpoints, progress: Progress) -> Study:
        """Every family that there is time for, the best one tuned, and the ensemble of them."""
        return study(self.data, metric=self.metric, budget=budget, seed=self.job.seed, progress=progress,
                     search=self.job.spec.search, checkpoints=checkpoints)  # fmt: skip

    def export(self, model: Study, folder: Path, progress: Progress) -> ExportedTable:
        """The ensemble as one graph."""
        card = make_card(self.job, self.data)
        return export_table(folder, Native(model.encoder, model.predictor), self.data, card, progress)

    def evaluate(self, model: Study, exported: ExportedTable) -> Evaluation:
        """The scores with groups, calibration, importances and notes; the importances ask the model file."""
        metrics = score(model, exported.answers, exported.runtime.answers)
        curves = {trial.name: trial.fitted.curves for trial in model.trials}
        return Evaluation(metrics, baseline_of(self.data), self.data.profile, curves)

    def report(self, path: Path, model: Study, exported: ExportedTable, metrics: Metrics) -> None:
        """The page of tables."""
        write_report(path, model, exported.card, exported.answers, metrics, exported.proof)
