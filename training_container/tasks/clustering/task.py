"""One clustering job from the prepared rows to a complete folder of model files."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract import names
from dropforge.contract.baseline import Baseline
from dropforge.contract.parity import TOLERANCE
from dropforge.contract.results import METRICS, Candidate, Metrics
from dropforge.contract.schema import FEATURES
from dropforge.metrics.evaluation import compare, dealt, of_clusters
from training_container import evidence
from training_container.driver import complete_folder, export, make_card
from training_container.encoding import Encoder
from training_container.faults import JobFault, ParityFault
from training_container.models.features import plain_features
from training_container.scoring.notes import notes
from training_container.scoring.summaries import log_scores, write_summaries
from training_container.tasks.clustering.fitting import Points, Search, search
from training_container.tasks.clustering.predictor import ClusterNative, ClusterPredictor, answer
from training_container.tasks.clustering.report import write_report
from training_container.tasks.table.selection import metric_of
from training_container.tensorboard import write_scalars

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.schema import ModelCard
    from dropforge.datasets.dataset import Dataset, Rows
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.export.parity import Proof
    from training_container.job import Job
    from training_container.progress import Progress


@dataclass(frozen=True)
class ClusterModel:
    """The chosen clustering, with the data and all that was tried."""

    dataset: Dataset
    encoder: Encoder
    predictor: ClusterPredictor
    found: Search

    def labels(self, rows: Rows) -> np.ndarray:
        """Codes of the clusters, int64 [N]."""
        codes: np.ndarray = answer(self.predictor, self.encoder.encode(rows.columns))[0].argmax(1)
        return codes

    def points(self, rows: Rows) -> np.ndarray:
        """[N, F]."""
        return answer(self.predictor, self.encoder.encode(rows.columns))[1]


def train_task(job: Job, dataset: Dataset, budget: Budget, checkpoints: Checkpoints, progress: Progress,
               start: float) -> None:  # fmt: skip
    """Trains on `dataset` and leaves the model's files in `job.output`, all of them or none.

    Raises:
        JobFault: no clusters are found, or the spec names a metric that the task does not have.
        ParityFault: the model file does not answer as torch does.
    """
    metric = metric_of(dataset, job.spec.metric)
    done = learn(dataset, metric, budget, job.seed, progress.step("fit"), checkpoints)
    measured, card = measure(done, metric, job.seed), make_card(job, done.dataset)
    with complete_folder(job.output) as folder:
        proof = export_clusters(folder, done, card, progress)
        log_scores(measured, progress.step("score"))
        progress.step("report").update(0.0)
        evidence.write_json(folder / names.METRICS_FILE, measured.to_json())
        evidence.write_json(folder / names.BASELINE_FILE, Baseline("clustering").to_json())
        evidence.write_json(folder / names.PROFILE_FILE, done.dataset.profile)
        boards = folder / names.TENSORBOARD_FOLDER.strip("/")
        for each in done.found.best:
            curves = done.found.curves[each.way].items()
            write_scalars(boards, each.way, {name: [v for v in line if not np.isnan(v)] for name, line in curves}, {})
        write_summaries(boards, measured)
        write_report(folder / names.REPORT_FILE, done, card, measured, proof)
        evidence.write_manifest(folder, job, card, "cpu", time.monotonic() - start)


def learn(
    dataset: Dataset, metric: str, budget: Budget, seed: int, progress: Progress, checkpoints: Checkpoints
) -> ClusterModel:
    """The best clustering of the training rows; its clusters are called `1`, `2`, … from the largest."""
    encoder = Encoder.learn(dataset.columns, dataset.train.columns, dataset.date_formats)
    table = encoder.encode(dataset.train.columns)
    features = plain_features(table, [each.size for each in encoder.vocabularies])
    with torch.no_grad():
        train, validation = (
            torch.cat([features(chunk.groups) for chunk in encoder.encode(part.columns).chunks()]).numpy()
            for part in (dataset.train, dataset.validation)
        )
    points = Points(train, validation, metric, METRICS["clustering"][metric], seed, checkpoints)
    found = search(points, budget, progress)
    predictor = ClusterPredictor(tuple(table.groups), features, found.chosen.members)
    classes = tuple(str(at + 1) for at in range(found.chosen.clusters))
    done = ClusterModel(dataclasses.replace(dataset, classes=classes), encoder, predictor, found)
    counts = np.bincount(done.labels(dataset.train), minlength=len(classes)).tolist()
    target = {**dataset.profile["target"], "classes": list(classes), "counts": dict(zip(classes, counts, strict=True))}
    profile = {**dataset.profile, "target": target}
    return dataclasses.replace(done, dataset=dataclasses.replace(done.dataset, profile=profile))


def measure(done: ClusterModel, metric: str, seed: int) -> Metrics:
    """The scores on the hold-out, once, beside those of clusters of the same sizes dealt at random."""
    points, labels = done.points(done.dataset.holdout), done.labels(done.dataset.holdout)
    ours, trivial = of_clusters(points, labels), of_clusters(points, dealt(labels, seed))
    if ours is None or trivial is None:
        raise JobFault(f"all {len(labels)} hold-out rows fall into one cluster; expected at least 2: drop more rows")
    comparison = compare(ours, trivial, seed)
    chosen = done.found.chosen
    measured = Metrics(
        task="clustering",
        metric=metric,
        direction=METRICS["clustering"][metric],
        chosen=chosen.way,
        holdout=comparison.scores,
        validation=chosen.validation,
        baseline=comparison.other,
        candidates=tuple(
            Candidate(each.way, each.validation, round(each.seconds, 3), {"clusters": each.clusters, "bic": each.bic})
            for each in done.found.best
        ),
        rows=dict(done.dataset.counts),
        intervals=comparison.intervals,
        baseline_intervals=comparison.other_intervals,
        gains=comparison.gains,
    )
    return dataclasses.replace(measured, notes=notes(measured, labels, labels, ()))


def export_clusters(folder: Path, done: ClusterModel, card: ModelCard, progress: Progress) -> Proof:
    """The model file, proven in its features too, with the evidence beside it."""
    holdout = dataclasses.replace(done.dataset.holdout, target=done.labels(done.dataset.holdout))
    made = export(folder, ClusterNative(done.encoder, done.predictor),
                  dataclasses.replace(done.dataset, holdout=holdout), card, progress)  # fmt: skip
    apart = float(np.abs(made.runtime.run([FEATURES], holdout.columns)[0] - done.points(holdout)).max())
    if apart > TOLERANCE:
        raise ParityFault(f"features of hold-out rows: expected torch's to within {TOLERANCE}, got {apart:.2g} apart")
    return made.proof
