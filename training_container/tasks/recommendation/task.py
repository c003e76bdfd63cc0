"""Recommendation from a table of users, items and ratings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract import names
from dropforge.datasets.dataset import Dataset
from training_container import evidence
from training_container.export.runtime import Runtime
from training_container.tasks.model_file import make_card
from training_container.tasks.recommendation.evaluation import baseline_of, measure
from training_container.tasks.recommendation.golden import golden_rows
from training_container.tasks.recommendation.graph import build
from training_container.tasks.recommendation.proof import prove
from training_container.tasks.recommendation.recommender import RecommenderModel, fit_recommender
from training_container.tasks.recommendation.report import write_report
from training_container.tasks.task import Evaluation, Exported, Task

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.results import Metrics
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress


class RecommendationTask(Task[Dataset, RecommenderModel, Exported]):
    """A blend of recommenders; the baseline answers the mean rating and shows everybody the most rated items."""

    def fit(self, budget: Budget, checkpoints: Checkpoints, progress: Progress) -> RecommenderModel:
        """Every part of the blend, weighed on the validation ratings and fitted again on all."""
        return fit_recommender(self.data, budget, self.job.seed, progress, checkpoints)

    def export(self, model: RecommenderModel, folder: Path, progress: Progress) -> Exported:
        """Ratings and lists as one graph."""
        progress.step("export").update(0.0)
        card, holdout = make_card(self.job, self.data), self.data.holdout
        content = build(card, model.tables).SerializeToString()
        (folder / names.MODEL_FILE).write_bytes(content)
        progress.step("prove").update(0.0, bytes=len(content))
        proof = prove(model.tables, Runtime(content, card), holdout)
        evidence.write_golden(folder / names.GOLDEN_FILE, golden_rows(model.tables, holdout))
        evidence.write_holdout(folder / names.HOLDOUT_FILE, holdout, ())
        progress.step("prove").update(1.0, rows=proof.rows, largest=proof.largest)
        return Exported(card, proof)

    def evaluate(self, model: RecommenderModel, exported: Exported) -> Evaluation:  # noqa: ARG002  # others need it
        """The scores of ratings and lists; the baseline file covers the users of the hold-out file."""
        metrics = measure(model, self.metric, self.job.seed)
        written = self.data.holdout.take(np.arange(min(evidence.HOLDOUT_ROWS, len(self.data.holdout))))
        return Evaluation(metrics, baseline_of(model, written), self.data.profile, model.blended.curves)

    def report(self, path: Path, model: RecommenderModel, exported: Exported, metrics: Metrics) -> None:
        """How far off ratings are, how good lists are, and what the blend is made of."""
        write_report(path, model, exported.card, metrics, exported.proof)
