"""A machine whose GPU the trainer does not see, and memory that was not enough: both are told in one typed line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from dropforge.contract.hops import GPU_NOT_SEEN, OUT_OF_MEMORY, gpu_remark
from dropforge.contract.remarks import remarks_in
from dropforge.contract.results import Manifest
from lambdas.pipeline.reroute.obstacles import Ended
from training_container import devices, trainer
from training_container.driver import say
from training_container.faults import JobFault, is_want_of_memory
from training_container.job import MlFolders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def on(root: Path, machine: str, **more: str) -> Path:
    """The job's folders on a machine of this type, with further hyperparameters."""
    config = root / "input/config"
    (config / "resourceconfig.json").write_text(json.dumps({"current_instance_type": machine}))
    parameters = json.loads((config / "hyperparameters.json").read_text())
    (config / "hyperparameters.json").write_text(json.dumps({**parameters, **more}))
    return root


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def failed(root: Path) -> str:
    """The job's cause, as Step Functions would have it."""
    reason = (root / "output/failure").read_text().strip()
    described = {"SecondaryStatus": "Failed", "FailureReason": f"AlgorithmError: {reason}, exit code: 1"}
    return json.dumps(described)


def test_a_job_that_misses_its_gpu_ends_at_once_if_it_is_to(ml_root: Callable[..., Path]) -> None:
    root = on(ml_root("penguins"), "ml.g6.xlarge", without_gpu="fail-over")
    assert trainer.main(["train", "--ml-root", str(root)]) == 1
    assert (root / "output/failure").read_text().startswith(f"{GPU_NOT_SEEN}: ml.g6.xlarge: expected a GPU")
    assert Ended("States.TaskFailed", failed(root)).obstacle == "gpu_not_seen"
    assert list((root / "model").iterdir()) == []


@pytest.mark.parametrize(
    ("machine", "more", "unseen"),
    [
        ("ml.g6.xlarge", {"without_gpu": "train"}, True),
        ("ml.g6.xlarge", {}, True),
        ("ml.m5.xlarge", {"without_gpu": "fail-over"}, False),
        ("local", {"without_gpu": "fail-over"}, False),
    ],
)
def test_other_jobs_train(
    ml_root: Callable[..., Path], capfd: pytest.CaptureFixture[str], machine: str, more: dict[str, str], unseen: bool
) -> None:
    job = MlFolders(on(ml_root("penguins"), machine, **more)).job()
    assert job.instance_type == machine
    assert devices.check_gpu(job) is unseen
    assert ("warning: ml.g6.xlarge: expected a GPU" in capfd.readouterr().err) is unseen


def test_a_gpu_that_is_seen_is_no_reason_to_stop(ml_root: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert not devices.check_gpu(MlFolders(on(ml_root("penguins"), "ml.g6.xlarge", without_gpu="fail-over")).job())


@pytest.mark.usefixtures("lean")
def test_a_job_that_trains_on_without_its_gpu_says_so_in_manifest_profile_and_report(
    ml_root: Callable[..., Path],
) -> None:
    root = on(ml_root("penguins", task="multiclass"), "ml.g6.xlarge", without_gpu="train")
    assert trainer.main(["train", "--ml-root", str(root)]) == 0
    model = root / "model"
    manifest = Manifest.from_json(json.loads((model / "manifest.json").read_text()))
    assert (manifest.instance_type, manifest.gpus, manifest.gpu_not_seen) == ("ml.g6.xlarge", 0, True)
    worst = remarks_in(json.loads((model / "profile.json").read_text()))[0]
    assert (worst.code, worst.severity) == ("gpu_not_seen", "warning")
    assert worst.sentence[:60] in (model / "report.html").read_text()


def test_the_worst_remark_stays_first() -> None:
    profile: dict[str, Any] = {"remarks": [], "told": ["b"]}
    say(profile, gpu_remark("ml.g6.xlarge", moved=False))
    assert [remark.code for remark in remarks_in(profile)] == ["gpu_not_seen"]
    assert len(profile["told"]) == 2


def test_want_of_memory_is_one_kind_of_failure(ml_root: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object) -> None:
        raise MemoryError("cannot allocate 9 GiB")

    monkeypatch.setattr("training_container.driver.open_task", starve)
    root = on(ml_root("penguins"), "ml.m5.xlarge")
    assert trainer.main(["train", "--ml-root", str(root)]) == 1
    assert (root / "output/failure").read_text().startswith(f"{OUT_OF_MEMORY}: cannot allocate")
    assert Ended("States.TaskFailed", failed(root)).obstacle == "out_of_memory"


@pytest.mark.parametrize(
    ("fault", "yes"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("std::bad_alloc"), True),
        (JobFault("the target has one value"), False),
        (ValueError("memory"), False),
    ],
)
def test_libraries_say_it_in_their_own_words(fault: Exception, yes: bool) -> None:
    assert is_want_of_memory(fault) is yes
