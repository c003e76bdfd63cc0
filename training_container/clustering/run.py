"""One clustering job from the prepared rows to a complete folder of model files."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract import names
from dropforge.contract.parity import TOLERANCE
from dropforge.contract.results import METRICS, Candidate, Metrics
from dropforge.contract.schema import FEATURES
from training_container import evidence
from training_container.clustering.body import ClusterBody, ClusterNative, answer
from training_container.clustering.fitting import Search, scores, search
from training_container.clustering.story import write_story
from training_container.curves import write_scalars
from training_container.encoding import Encoder
from training_container.export.background import background
from training_container.export.graph import build
from training_container.export.parity import prove
from training_container.export.runtime import Runtime
from training_container.faults import JobFault, ParityFault
from training_container.models.features import plain_features
from training_container.selection import metric_of
from training_container.training import complete_folder, make_card
from training_container.watch import Budget

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.schema import ModelCard
    from training_container.data.dataset import Dataset, Rows
    from training_container.export.parity import Proof
    from training_container.job import Job
    from training_container.watch import Watch


@dataclass(frozen=True)
class Clustered:
    """The chosen clustering, with the data and all that was tried."""

    dataset: Dataset
    encoder: Encoder
    body: ClusterBody
    found: Search

    def labels(self, rows: Rows) -> np.ndarray:
        """Codes of the clusters, int64 [N]."""
        codes: np.ndarray = answer(self.body, self.encoder.encode(rows.columns))[0].argmax(1)
        return codes

    def points(self, rows: Rows) -> np.ndarray:
        """[N, F]."""
        return answer(self.body, self.encoder.encode(rows.columns))[1]


def train_task(job: Job, dataset: Dataset, watch: Watch, start: float) -> None:
    """Trains on `dataset` and leaves the model's files in `job.output`, all of them or none.

    Raises:
        JobFault: no clusters are found, or the spec names a metric that the task does not have.
        ParityFault: the model file does not answer as torch does.
    """
    done = learn(dataset, metric_of(dataset, job.spec.metric), job.spec.budget, job.seed, watch.step("fit"))
    measured, card = measure(done, metric_of(dataset, job.spec.metric), job.seed), make_card(job, done.dataset)
    watch.step("score").tell(1.0, model=measured.chosen, metric=measured.metric,
                             holdout=measured.holdout[measured.metric],
                             baseline=measured.baseline[measured.metric])  # fmt: skip
    with complete_folder(job.output) as folder:
        proof = export(folder, done, card, watch)
        watch.step("report").tell(0.0)
        evidence.write_json(folder / names.METRICS_FILE, measured.to_json())
        evidence.write_json(folder / names.PROFILE_FILE, done.dataset.profile)
        for each in done.found.best:
            curves = {
                name: [v for v in values if not np.isnan(v)] for name, values in done.found.curves[each.way].items()
            }
            write_scalars(folder / names.TENSORBOARD_FOLDER.strip("/"), each.way, curves, each.validation)
        write_story(folder / names.REPORT_FILE, done, card, measured, proof)
        evidence.write_manifest(folder, job, card, "cpu", time.monotonic() - start)
    watch.step("write").tell(1.0, seconds=time.monotonic() - start)


def learn(dataset: Dataset, metric: str, minutes: float, seed: int, watch: Watch) -> Clustered:
    """The best clustering of the training rows; its clusters are called `1`, `2`, … from the largest."""
    encoder = Encoder.learn(dataset.columns, dataset.train.columns, dataset.date_formats)
    table = encoder.encode(dataset.train.columns)
    features = plain_features(table, [each.size for each in encoder.vocabularies])
    with torch.no_grad():
        train, validation = (
            torch.cat([features(chunk.groups) for chunk in encoder.encode(part.columns).chunks()]).numpy()
            for part in (dataset.train, dataset.validation)
        )
    found = search(train, validation, metric=metric, direction=METRICS["clustering"][metric], seed=seed,
                   budget=Budget(minutes), watch=watch)  # fmt: skip
    body = ClusterBody(tuple(table.groups), features, found.chosen.members)
    classes = tuple(str(at + 1) for at in range(found.chosen.clusters))
    done = Clustered(dataclasses.replace(dataset, classes=classes), encoder, body, found)
    counts = np.bincount(done.labels(dataset.train), minlength=len(classes)).tolist()
    target = {**dataset.profile["target"], "classes": list(classes), "counts": dict(zip(classes, counts, strict=True))}
    profile = {**dataset.profile, "target": target}
    return dataclasses.replace(done, dataset=dataclasses.replace(done.dataset, profile=profile))


def measure(done: Clustered, metric: str, seed: int) -> Metrics:
    """The scores on the hold-out, once, beside those of clusters of the same sizes dealt at random."""
    points, labels = done.points(done.dataset.holdout), done.labels(done.dataset.holdout)
    ours = scores(points, labels)
    trivial = scores(points, np.random.default_rng(seed).permutation(labels))
    if ours is None or trivial is None:
        raise JobFault(f"all {len(labels)} hold-out rows fall into one cluster; expected at least 2: drop more rows")
    chosen = done.found.chosen
    return Metrics(
        task="clustering",
        metric=metric,
        direction=METRICS["clustering"][metric],
        chosen=chosen.way,
        holdout=ours,
        validation=chosen.validation,
        baseline=trivial,
        candidates=tuple(
            Candidate(each.way, each.validation, round(each.seconds, 3), {"clusters": each.clusters, "bic": each.bic})
            for each in done.found.best
        ),
        rows=dict(done.dataset.counts),
    )


def export(folder: Path, done: Clustered, card: ModelCard, watch: Watch) -> Proof:
    """Writes the model file, proves it on the bytes that were written, and leaves the evidence beside it."""
    watch.step("export").tell(0.0)
    holdout, native = done.dataset.holdout, ClusterNative(done.encoder, done.body)
    compared = background(card, done.encoder, done.dataset.learning)
    table = done.encoder.encode(holdout.columns)
    model = build(card, done.encoder, done.body, table, compared).SerializeToString()
    (folder / names.MODEL_FILE).write_bytes(model)
    watch.step("prove").tell(0.0, bytes=len(model))
    runtime = Runtime(model, card)
    proof = prove(native, runtime, holdout)
    apart = float(np.abs(runtime.run([FEATURES], holdout.columns)[0] - done.points(holdout)).max())
    if apart > TOLERANCE:
        raise ParityFault(f"features of hold-out rows: expected torch's to within {TOLERANCE}, got {apart:.2g} apart")
    evidence.write_golden(folder / names.GOLDEN_FILE, evidence.golden_rows(native, card, holdout))
    labelled = dataclasses.replace(holdout, target=done.labels(holdout))
    evidence.write_holdout(folder / names.HOLDOUT_FILE, labelled, card.classes)
    watch.step("prove").tell(1.0, rows=proof.rows, largest=proof.largest)
    return proof
