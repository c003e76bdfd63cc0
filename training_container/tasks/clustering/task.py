"""Groups of rows that are alike, from a table without a target."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.baseline import Baseline
from dropforge.contract.figures import figure
from dropforge.contract.parity import TOLERANCE
from dropforge.contract.results import Candidate
from dropforge.contract.tasks import FEATURES
from dropforge.datasets.dataset import Dataset
from dropforge.metrics.evaluation import compare, dealt, of_clusters
from training_container.faults import JobFault, ParityFault
from training_container.scoring.notes import notes
from training_container.tasks.clustering.model import ClusterModel, fit_clusters
from training_container.tasks.clustering.predictor import ClusterNative
from training_container.tasks.clustering.report import write_report
from training_container.tasks.model_file import ExportedTable, export_table, make_card
from training_container.tasks.task import Evaluation, Task, metrics_of

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.results import Metrics
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress


class ClusteringTask(Task[Dataset, ClusterModel, ExportedTable]):
    """The best of several ways to cluster; the baseline deals clusters of the same sizes at random."""

    def fit(self, budget: Budget, checkpoints: Checkpoints, progress: Progress) -> ClusterModel:
        """Every way with every number of clusters that there is time for, and the best of them."""
        return fit_clusters(self.data, self.metric, budget, self.job.seed, progress, checkpoints)

    def export(self, model: ClusterModel, folder: Path, progress: Progress) -> ExportedTable:
        """The memberships, and the points that they are made of, as one graph; both are proven."""
        card = make_card(self.job, model.dataset)
        holdout = dataclasses.replace(model.dataset.holdout, target=model.labels(model.dataset.holdout))
        dataset = dataclasses.replace(model.dataset, holdout=holdout)
        exported = export_table(folder, ClusterNative(model.encoder, model.predictor), dataset, card, progress)
        points = exported.runtime.run([FEATURES], holdout.columns)[0]
        largest = float(np.abs(points - model.points(holdout)).max())
        if largest > TOLERANCE:
            raise ParityFault(
                f"features of hold-out rows: expected torch's to within {TOLERANCE}, got "
                f"{figure(largest, digits=2)} apart"
            )
        return exported

    def evaluate(self, model: ClusterModel, exported: ExportedTable) -> Evaluation:  # noqa: ARG002  # others need it
        """The scores of the clusters of the hold-out's rows."""
        holdout, seed = model.dataset.holdout, self.job.seed
        points, labels = model.points(holdout), model.labels(holdout)
        ours, trivial = of_clusters(points, labels), of_clusters(points, dealt(labels, seed))
        if ours is None or trivial is None:
            raise JobFault(
                f"all {len(labels)} hold-out rows fall into one cluster; expected at least 2: drop more rows"
            )
        chosen = model.search.chosen
        metrics = metrics_of(
            "clustering",
            self.metric,
            compare(ours, trivial, seed),
            chosen=chosen.way,
            validation=chosen.validation,
            candidates=tuple(
                Candidate(fit.way, fit.validation, round(fit.seconds, 3), {"clusters": fit.clusters, "bic": fit.bic})
                for fit in model.search.best
            ),
            rows=dict(model.dataset.counts),
        )
        metrics = dataclasses.replace(metrics, notes=notes(metrics, labels, labels, ()))
        return Evaluation(metrics, Baseline("clustering"), model.dataset.profile, _finite_curves(model))

    def report(self, path: Path, model: ClusterModel, exported: ExportedTable, metrics: Metrics) -> None:
        """How many clusters and why, what each is like, and pictures of them."""
        write_report(path, model, exported.card, metrics, exported.proof)


def _finite_curves(model: ClusterModel) -> dict[str, dict[str, list[float]]]:
    """The scores of every way by number of clusters, without those that did not count."""
    return {
        fit.way: {
            score: [value for value in values if not np.isnan(value)]
            for score, values in model.search.curves[fit.way].items()
        }
        for fit in model.search.best
    }
