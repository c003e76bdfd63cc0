"""One job from data to a complete folder of model files: read, fit, score, export, prove, report, write."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dropforge.contract import names
from dropforge.contract.schema import FEATURES, ITEMS, PREDICTION, PROBABILITIES, SCORES, ModelCard
from dropforge.datasets.prepare import prepare
from training_container import evidence
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.devices import device_name, use_cores
from training_container.export.background import background
from training_container.export.graph import build
from training_container.export.parity import prove
from training_container.export.runtime import Runtime
from training_container.faults import JobFault
from training_container.native import Native
from training_container.progress import Progress
from training_container.report.page import write_report
from training_container.scoring.summaries import log_scores, write_summaries
from training_container.stopping import finishing
from training_container.tasks.table.selection import baseline_of, score, study
from training_container.tensorboard import write_tensorboard

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from dropforge.datasets.dataset import Dataset
    from training_container.export.parity import Proof
    from training_container.job import Job
    from training_container.tasks.table.selection import Study


OTHERS = {task: f"training_container.tasks.{task}.task" for task in ("recommendation", "clustering")}
"""Tasks with a way of their own from the data to the folder of files, and where it is."""


PICTURES = "training_container.tasks.images.task"


def are_pictures(job: Job) -> bool:
    """Whether the data set is one zip."""
    return [names.format_of(path.name) for path in job.data] == ["images"]


LEAST_LEFT = 0.1
"""Of the budget, however often a job was started again: a first model needs as much."""

MORE_OUTPUTS = {"recommendation": (ITEMS, SCORES), "clustering": (FEATURES,)}


class TaskOfItsOwn(Protocol):
    """Trains a prepared data set and leaves the model's files in `job.output`, all of them or none."""

    def __call__(self, job: Job, dataset: Dataset, budget: Budget, checkpoints: Checkpoints, progress: Progress,
                 start: float) -> None:  # fmt: skip
        """`start` is when the job began."""
        ...


def other_task(task: str) -> TaskOfItsOwn:
    """What trains such a task; imported when it is needed, for it builds on this module."""
    return importlib.import_module(OTHERS[task]).train_task  # type: ignore[no-any-return]  # each has it


def train(job: Job) -> None:
    """Trains `job` and leaves its files in `job.output`, all of them or none.

    Raises:
        DataFault, SpecFault, JobFault: the data or the wishes are wrong.
        ParityFault: the model file does not answer as torch does.
    """
    start, progress = time.monotonic(), Progress()
    use_cores()
    if are_pictures(job):
        return importlib.import_module(PICTURES).train_pictures(job, progress, start)  # type: ignore[no-any-return]  # it has it
    dataset = read(job, progress.step("read"))
    task = other_task(dataset.task) if dataset.task in OTHERS else train_table
    checkpoints = open_checkpoints(job)
    budget = Budget(remaining_minutes(job.spec.budget, checkpoints.spent))
    with finishing(budget):
        task(job, dataset, budget, checkpoints, progress, start)
    checkpoints.clear()
    progress.step("write").update(1.0, seconds=time.monotonic() - start)


def train_table(job: Job, dataset: Dataset, budget: Budget, checkpoints: Checkpoints, progress: Progress,
                start: float) -> None:  # fmt: skip
    """A table with a target: regression or classes."""
    done = study(dataset, metric=job.spec.metric, budget=budget, seed=job.seed, progress=progress.step("fit"),
                 search=job.spec.search, checkpoints=checkpoints)  # fmt: skip
    write(job, done, progress, start)


def remaining_minutes(minutes: float, spent: float) -> float:
    """What a job that was started again may still take, having spent so many seconds; enough to end well."""
    return max(minutes - spent / 60, LEAST_LEFT * minutes)


def open_checkpoints(job: Job) -> Checkpoints:
    """What an earlier try of the same job left: the same run by the same code."""
    if job.checkpoints is None:
        return Checkpoints()
    return Checkpoints.open(job.checkpoints, {"run": job.run, "seed": job.seed, "code": evidence.code_digest()})


def write(job: Job, done: Study, progress: Progress, start: float) -> None:
    """All files of a run, from what was fitted; `start` is when the job began."""
    card = make_card(job, done.dataset)
    with complete_folder(job.output) as folder:
        made = export(folder, Native(done.encoder, done.predictor), done.dataset, card, progress)
        measured = score(done, made.answers, made.runtime.answers)
        log_scores(measured, progress.step("score"))
        progress.step("report").update(0.0)
        evidence.write_json(folder / names.METRICS_FILE, measured.to_json())
        evidence.write_json(folder / names.BASELINE_FILE, baseline_of(done.dataset).to_json())
        evidence.write_json(folder / names.PROFILE_FILE, done.dataset.profile)
        write_tensorboard(folder / names.TENSORBOARD_FOLDER.strip("/"), done.trials)
        write_summaries(folder / names.TENSORBOARD_FOLDER.strip("/"), measured)
        write_report(folder / names.REPORT_FILE, done, card, made.answers, measured, made.proof)
        evidence.write_manifest(folder, job, card, device_name(), time.monotonic() - start)


def read(job: Job, progress: Progress) -> Dataset:
    """The prepared data set.

    Raises:
        JobFault: a column has the name of one of the model's outputs.
    """
    progress.update(0.0, files=len(job.data))
    dataset = prepare(job.data, job.wanted)
    outputs = (PREDICTION, PROBABILITIES, *MORE_OUTPUTS.get(dataset.task, ()))
    taken = [column.name for column in dataset.columns if column.name in outputs]
    if taken:
        raise JobFault(f"column {taken[0]!r}: expected another name, this is the model's output: rename or drop it")
    progress.update(1.0, rows=dataset.counts["read"], columns=len(dataset.columns), train=len(dataset.train))
    return dataset


def make_card(job: Job, dataset: Dataset) -> ModelCard:
    """The card that travels in the model file."""
    return ModelCard(
        model=job.model,
        run=job.run,
        task=dataset.task,
        target=dataset.target,
        label_type=dataset.label_type,
        classes=dataset.classes,
        columns=dataset.columns,
        ignored=dataset.ignored,
        masked=dataset.masked,
        likeliest=bool(dataset.classes),
    )


@dataclass(frozen=True)
class Exported:
    """A model file that was written and proven."""

    runtime: Runtime
    proof: Proof
    answers: np.ndarray
    """To the hold-out's rows."""


def export(folder: Path, native: Native, dataset: Dataset, card: ModelCard, progress: Progress) -> Exported:
    """Writes the model file, proves it on the bytes that were written, and leaves the evidence beside it."""
    progress.step("export").update(0.0)
    holdout, encoder = dataset.holdout, native.encoder
    compared = background(card, encoder, dataset.train)
    model = build(card, encoder, native.predictor, encoder.encode(holdout.columns), compared).SerializeToString()
    (folder / names.MODEL_FILE).write_bytes(model)
    progress.step("prove").update(0.0, bytes=len(model))
    runtime, answers = Runtime(model, card), native.answer(holdout.columns)
    proof = prove(native, runtime, holdout, answers)
    evidence.write_golden(folder / names.GOLDEN_FILE, evidence.golden_rows(native, card, holdout))
    evidence.write_holdout(folder / names.HOLDOUT_FILE, holdout, card.classes)
    progress.step("prove").update(1.0, rows=proof.rows, largest=proof.largest)
    return Exported(runtime, proof, answers)


@contextmanager
def complete_folder(output: Path) -> Iterator[Path]:
    """A folder to write into; its files go to `output` when all went well, and nowhere otherwise."""
    output.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".partial-", dir=output))
    try:
        yield scratch
        for path in sorted(scratch.iterdir(), key=lambda each: each.name == names.MANIFEST_FILE):
            _replace(path, output / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _replace(path: Path, place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    path.replace(place)
