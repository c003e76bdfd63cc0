"""One job of pictures, from the zip to a complete folder of model files."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract import names
from dropforge.contract.results import METRICS, PRIMARY, Candidate, Metrics
from dropforge.datasets.dataset import Options
from dropforge.metrics.baseline import learn_baseline
from dropforge.metrics.evaluation import beyond_chance, of_baseline, of_table
from dropforge.metrics.scores import known
from training_container import evidence
from training_container.budget import Budget
from training_container.devices import device_name, training_device
from training_container.driver import complete_folder
from training_container.scoring.calibration import calibration
from training_container.scoring.notes import notes
from training_container.scoring.summaries import log_scores, write_summaries
from training_container.stopping import finishing
from training_container.tasks.images.checkpoint import FILE as CHECKPOINT
from training_container.tasks.images.fit import fit
from training_container.tasks.images.graph import build, card_of, native, prove
from training_container.tasks.images.proofs import golden_pictures, write_picture_holdout
from training_container.tasks.images.reading import read_set
from training_container.tasks.images.report import write_report
from training_container.tensorboard import write_scalars

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.baseline import Baseline
    from dropforge.contract.schema import ModelCard
    from training_container.export.parity import Proof
    from training_container.job import Job
    from training_container.progress import Progress
    from training_container.tasks.images.fit import Fitted
    from training_container.tasks.images.sets import ImageSet

NAME = "residual-net"


@dataclass(frozen=True)
class ImageModel:
    """The network, the pictures, and its answers on the hold-out, [N, classes]."""

    images: ImageSet
    fitted: Fitted
    answers: np.ndarray


def train_pictures(job: Job, progress: Progress, start: float) -> None:
    """Trains on the zip of `job` and leaves the model's files in `job.output`, all of them or none.

    Raises:
        DataFault, SpecFault: the pictures or the wishes are wrong.
        ParityFault: the model file does not answer as torch does.
    """
    wishes = job.wanted.wishes() if isinstance(job.wanted, Options) else job.spec
    images = read_set(job.data[0], wishes, progress.step("read"))
    budget = Budget(job.spec.budget)
    with finishing(budget):
        done = learn(job, images, budget, progress.step("fit"))
        write(job, done, progress, start)
    forget(job.checkpoints)
    progress.step("write").update(1.0, seconds=time.monotonic() - start)


def learn(job: Job, images: ImageSet, budget: Budget, progress: Progress) -> ImageModel:
    """The network, from this run's checkpoint where there is one."""
    identity = f"{job.run} {job.seed} {evidence.code_digest()}"
    fitted = fit(images, minutes=job.spec.budget, seed=job.seed, progress=progress, device=training_device(),
                 budget=budget, checkpoints=job.checkpoints, identity=identity)  # fmt: skip
    return ImageModel(images, fitted, native(fitted, images.holdout.pixels))


def forget(checkpoints: Path | None) -> None:
    """Removes the checkpoint: the job is complete."""
    if checkpoints is not None:
        (checkpoints / CHECKPOINT).unlink(missing_ok=True)


def write(job: Job, done: ImageModel, progress: Progress, start: float) -> None:
    """All files of the run; `start` is when the job began."""
    card = card_of(job.model, job.run, done.images)
    measured = measure(done, job.spec.metric or PRIMARY[done.images.task], job.seed)
    with complete_folder(job.output) as folder:
        proof = export(folder, job, done, card, progress)
        log_scores(measured, progress.step("score"))
        progress.step("report").update(0.0)
        evidence.write_json(folder / names.METRICS_FILE, measured.to_json())
        evidence.write_json(folder / names.BASELINE_FILE, baseline_of(done.images).to_json())
        evidence.write_json(folder / names.PROFILE_FILE, done.images.profile)
        boards = folder / names.TENSORBOARD_FOLDER.strip("/")
        write_scalars(boards, NAME, done.fitted.curves, {})
        write_summaries(boards, measured)
        write_report(folder / names.REPORT_FILE, done, card, measured, proof)
        evidence.write_manifest(folder, job, card, device_name(), time.monotonic() - start)


def measure(done: ImageModel, metric: str, seed: int) -> Metrics:
    """The scores on the hold-out, once, beside those of the classes' shares, with everything needed to believe them."""
    images, fitted = done.images, done.fitted
    task, truth, answers = images.task, images.holdout.codes, done.answers.astype(np.float64)
    ours, trivial = of_table(task, truth, answers), of_baseline(truth, baseline_of(images))
    comparison = beyond_chance(ours, trivial, metric, seed)
    measured = Metrics(
        task=task,
        metric=metric,
        direction=METRICS[task][metric],
        chosen=NAME,
        holdout=comparison.scores,
        validation=known(fitted.validation),
        baseline=comparison.other,
        candidates=(Candidate(NAME, known(fitted.validation), round(fitted.seconds, 3), settings_of(fitted)),),
        rows={**images.counts, "without_target": images.counts["unreadable"] + images.counts["contradicting"]},
        intervals=comparison.intervals,
        baseline_intervals=comparison.other_intervals,
        gains=comparison.gains,
        calibration=calibration(truth, answers, seed),
    )
    said = (*left_out(images.counts), *notes(measured, truth, answers, images.classes))
    return replace(measured, notes=said)


def settings_of(fitted: Fitted) -> dict[str, object]:
    """What the network was trained with."""
    parameters = sum(each.numel() for each in fitted.network.parameters())
    return {**fitted.recipe.to_json(), "epochs": fitted.epochs, "temperature": fitted.temperature,
            "parameters": parameters, "resumed": fitted.resumed}  # fmt: skip


def baseline_of(images: ImageSet) -> Baseline:
    """The shares of the classes in training and validation."""
    learned = np.concatenate([images.train.codes, images.validation.codes])
    return learn_baseline(images.task, learned, len(images.classes))


def left_out(counts: dict[str, int]) -> list[str]:
    """What was not learned from, in sentences."""
    said = {
        "unreadable": "could not be read and were set aside: the report names them.",
        "contradicting": "lie in two classes with the same pixels and were left out: put each into one folder.",
        "duplicates": "repeat another picture's pixels and count once.",
    }
    return [f"{counts[name]:,} of {counts['read']:,} pictures {words}" for name, words in said.items() if counts[name]]


def export(folder: Path, job: Job, done: ImageModel, card: ModelCard, progress: Progress) -> Proof:
    """Writes the model file, proves it on the bytes that were written, and leaves the evidence beside it."""
    progress.step("export").update(0.0)
    model = build(card, done.fitted).SerializeToString()
    (folder / names.MODEL_FILE).write_bytes(model)
    progress.step("prove").update(0.0, bytes=len(model))
    proof, _ = prove(model, card, done.fitted, done.images.holdout)
    evidence.write_golden(folder / names.GOLDEN_FILE, golden_pictures(done.images, done.answers, job.data[0]))
    write_picture_holdout(folder / names.HOLDOUT_FILE, done.images)
    progress.step("prove").update(1.0, pictures=proof.rows, largest=proof.largest)
    return proof
