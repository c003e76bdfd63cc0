"""Classes of pictures, from a zip with one folder a class."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract import names
from dropforge.contract.results import Candidate
from dropforge.metrics.baseline import learn_baseline
from dropforge.metrics.evaluation import beyond_chance, of_baseline, of_table
from dropforge.metrics.scores import known
from training_container import evidence
from training_container.devices import device_name, training_device
from training_container.scoring.calibration import calibration
from training_container.scoring.notes import notes
from training_container.tasks.images.fit import fit
from training_container.tasks.images.graph import build, card_of, native, prove
from training_container.tasks.images.model import ImageModel
from training_container.tasks.images.proofs import golden_pictures, write_picture_holdout
from training_container.tasks.images.reading import remarks_on_pictures
from training_container.tasks.images.report import write_report
from training_container.tasks.images.sets import ImageSet
from training_container.tasks.task import Evaluation, Exported, Task, metrics_of

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.baseline import Baseline
    from dropforge.contract.results import Metrics
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.job import Job
    from training_container.progress import Progress
    from training_container.tasks.images.fit import Fitted

MODEL_NAME = "residual-net"


class ImageTask(Task[ImageSet, ImageModel, Exported]):
    """A residual network; the baseline answers every picture with the shares of the classes."""

    def __init__(self, job: Job, data: ImageSet) -> None:
        super().__init__(job, data)
        self.device = device_name()

    def fit(self, budget: Budget, checkpoints: Checkpoints, progress: Progress) -> ImageModel:
        """A network as wide as the budget allows, with its answers to the hold-out."""
        fitted = fit(self.data, minutes=self.job.spec.budget, seed=self.job.seed, progress=progress,
                     device=training_device(), checkpoints=checkpoints, budget=budget)  # fmt: skip
        return ImageModel(self.data, fitted, native(fitted, self.data.holdout.pixels))

    def export(self, model: ImageModel, folder: Path, progress: Progress) -> Exported:
        """The network with its temperature as one graph, from decoded pixels to label and probabilities."""
        progress.step("export").update(0.0)
        card = card_of(self.job.model, self.job.run, self.data, self.job.spec.capture)
        content = build(card, model.fitted).SerializeToString()
        (folder / names.MODEL_FILE).write_bytes(content)
        progress.step("prove").update(0.0, bytes=len(content))
        proof, _ = prove(content, card, model.fitted, self.data.holdout)
        golden = golden_pictures(self.data, model.answers, self.job.data[0])
        evidence.write_golden(folder / names.GOLDEN_FILE, golden)
        write_picture_holdout(folder / names.HOLDOUT_FILE, self.data)
        progress.step("prove").update(1.0, pictures=proof.rows, largest=proof.largest)
        return Exported(card, proof)

    def evaluate(self, model: ImageModel, exported: Exported) -> Evaluation:  # noqa: ARG002  # others need it
        """The scores with calibration and notes, the pictures that were left out among them."""
        baseline = baseline_of(self.data)
        metrics = measure(model, self.metric, self.job.seed, baseline)
        return Evaluation(metrics, baseline, self.data.profile, {MODEL_NAME: model.fitted.curves})

    def report(self, path: Path, model: ImageModel, exported: Exported, metrics: Metrics) -> None:
        """The scores, which classes the network mixes up, and the pictures that it got wrong."""
        write_report(path, model, exported.card, metrics, exported.proof)


def measure(model: ImageModel, metric: str, seed: int, baseline: Baseline) -> Metrics:
    """The scores on the hold-out, once, beside those of the classes' shares."""
    images, fitted = model.images, model.fitted
    task, truth, answers = images.task, images.holdout.codes, model.answers.astype(np.float64)
    comparison = beyond_chance(of_table(task, truth, answers), of_baseline(truth, baseline), metric, seed)
    metrics = metrics_of(
        task,
        metric,
        comparison,
        chosen=MODEL_NAME,
        validation=known(fitted.validation),
        candidates=(Candidate(MODEL_NAME, known(fitted.validation), round(fitted.seconds, 3), settings_of(fitted)),),
        rows={**images.counts, "without_target": images.counts["unreadable"] + images.counts["contradicting"]},
    )
    metrics = replace(metrics, calibration=calibration(truth, answers, seed))
    left_out = (remark.sentence for remark in remarks_on_pictures(images.counts))
    return replace(metrics, notes=(*left_out, *notes(metrics, truth, answers, images.classes)))


def settings_of(fitted: Fitted) -> dict[str, object]:
    """The settings that the network was trained with."""
    parameters = sum(parameter.numel() for parameter in fitted.network.parameters())
    return {**fitted.recipe.to_json(), "epochs": fitted.epochs, "temperature": fitted.temperature,
            "parameters": parameters, "resumed": fitted.resumed}  # fmt: skip


def baseline_of(images: ImageSet) -> Baseline:
    """The shares of the classes in training and validation."""
    codes = np.concatenate([images.train.codes, images.validation.codes])
    return learn_baseline(images.task, codes, len(images.classes))
