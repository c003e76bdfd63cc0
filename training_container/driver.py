"""Runs one job of any task, from the dropped files to a complete folder of model files.

The driver owns what all tasks share: reading, the budget and SIGTERM, checkpoints, and the files beside the model. What
a task does in between is in `tasks/`.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

from dropforge.contract import names
from dropforge.contract.hops import gpu_remark
from dropforge.contract.remarks import remarks_in, worst_first
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare
from training_container import evidence
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.devices import check_gpu, gpus, use_cores
from training_container.progress import Progress
from training_container.scoring.lines import log_scores
from training_container.stopping import finishing
from training_container.tensorboard import write_scalars, write_summaries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.contract.remarks import Remark
    from dropforge.datasets.dataset import Dataset
    from training_container.job import Job
    from training_container.tasks.task import Task

    AnyTask = Task[Any, Any, Any]

LEAST_BUDGET_SHARE = 0.1
"""The share of its budget that a job has however often it was started again: enough to fit a first model."""


def train(job: Job) -> None:
    """Trains `job` and leaves its files in `job.output`, all of them or none.

    Raises:
        DataFault, SpecFault, JobFault: the data or the spec are wrong.
        ParityFault: the model file does not answer as torch does.
    """
    start, progress = time.monotonic(), Progress()
    use_cores()
    gpu_not_seen = check_gpu(job)
    task = open_task(job, progress.step("read"))
    if gpu_not_seen:
        say(task.data.profile, gpu_remark(job.instance_type, moved=False))
    task.prepare()
    checkpoints = open_checkpoints(job)
    budget = Budget(remaining_minutes(job.spec.budget, checkpoints.spent))
    if kept := checkpoints.kept:
        progress.step("fit").update(0.0, resumed=kept, spent=checkpoints.spent)
    with finishing(budget):
        model = task.fit(budget, checkpoints, progress.step("fit").limited(budget.left))
        write_files(task, model, progress, start)
    if not budget.stopped:  # a machine that is taken away sends SIGTERM too: the job then begins anew elsewhere
        checkpoints.clear()
    progress.step("write").update(1.0, seconds=time.monotonic() - start)


def say(profile: dict[str, Any], remark: Remark) -> None:
    """Adds a remark to those of `profile.json`, which the report and the run show."""
    profile["remarks"] = [each.to_json() for each in worst_first([remark, *remarks_in(profile)])]
    profile["told"] = [remark.text, *profile.get("told", [])]


def open_task(job: Job, progress: Progress) -> AnyTask:
    """The task of the job's data, which is read to find it out; a task's libraries are imported when it is needed."""
    if has_images(job):
        from training_container.tasks.images.reading import read_set
        from training_container.tasks.images.task import ImageTask

        spec = job.wanted.wishes() if isinstance(job.wanted, Options) else job.spec
        return ImageTask(job, read_set(job.data[0], spec, progress))
    dataset = read_table(job, progress)
    match dataset.task:
        case "regression" | "binary" | "multiclass":
            from training_container.tasks.table.task import TableTask

            return TableTask(job, dataset)
        case "recommendation":
            from training_container.tasks.recommendation.task import RecommendationTask

            return RecommendationTask(job, dataset)
        case "clustering":
            from training_container.tasks.clustering.task import ClusteringTask

            return ClusteringTask(job, dataset)
        case _:
            assert_never(dataset.task)


def has_images(job: Job) -> bool:
    """Whether the data set is one zip of pictures."""
    return [names.format_of(path.name) for path in job.data] == ["images"]


def read_table(job: Job, progress: Progress) -> Dataset:
    """The rows of the job, split, with the kind of every column."""
    progress.update(0.0, files=len(job.data))
    dataset = prepare(job.data, job.wanted)
    progress.update(1.0, rows=dataset.counts["read"], columns=len(dataset.columns), train=len(dataset.train))
    return dataset


def remaining_minutes(minutes: float, spent: float) -> float:
    """The budget of a job that was started again after `spent` seconds; never too little to fit a first model."""
    return max(minutes - spent / 60, LEAST_BUDGET_SHARE * minutes)


def open_checkpoints(job: Job) -> Checkpoints:
    """The checkpoints that an earlier attempt of the same job left: the same run, by the same code."""
    if job.checkpoints is None:
        return Checkpoints()
    return Checkpoints.open(job.checkpoints, {"run": job.run, "seed": job.seed, "code": evidence.code_digest()})


def write_files(task: AnyTask, model: Any, progress: Progress, start: float) -> None:
    """Writes every file of the run; `start` is when the job began, by the monotonic clock."""
    with complete_folder(task.job.output) as folder:
        exported = task.export(model, folder, progress)
        evaluation = task.evaluate(model, exported)
        log_scores(evaluation.metrics, progress.step("score"))
        progress.step("report").update(0.0)
        evidence.write_json(folder / names.METRICS_FILE, evaluation.metrics.to_json())
        evidence.write_json(folder / names.BASELINE_FILE, evaluation.baseline.to_json())
        evidence.write_json(folder / names.PROFILE_FILE, evaluation.profile)
        tensorboard = folder / names.TENSORBOARD_FOLDER.strip("/")
        for name, curves in evaluation.curves.items():
            write_scalars(tensorboard, name, curves)
        write_summaries(tensorboard, evaluation.metrics)
        task.report(folder / names.REPORT_FILE, model, exported, evaluation.metrics)
        evidence.describe(folder / names.MODEL_FILE, exported.card, evaluation.metrics)
        evidence.write_manifest(folder, task.job, exported.card, task.device, time.monotonic() - start, gpus())


@contextmanager
def complete_folder(output: Path) -> Iterator[Path]:
    """A folder to write into; its files move to `output` when all went well, and are removed otherwise."""
    output.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".partial-", dir=output))
    try:
        yield scratch
        for path in sorted(scratch.iterdir(), key=lambda path: path.name == names.MANIFEST_FILE):  # it comes last
            _replace(path, output / path.name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _replace(path: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    path.replace(target)
