"""The training image, run as SageMaker would: /opt/ml mounted with root's folders, no network, and a read-only root.

make test-container                                  (or: pytest -m container tests/container)
BASE_IMAGE=my/python:3.11 make test-container        on another base
TRAINING_IMAGE=dropforge-trainer:gpu make test-container        an image that is there
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract.parity import TOLERANCE, difference, scale_of
from dropforge.contract.results import Manifest
from training_container.checkpoints import Checkpoints
from training_container.entry import WRITTEN
from training_container.export.runtime import Runtime

from .conftest import lay_out
from .engine import docker
from .ingredients import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Build

pytestmark = [pytest.mark.container, pytest.mark.timeout(1800)]

TRAINER_ID = 10001
AS_A_JOB = ("--network", "none", "--read-only", "--tmpfs", "/tmp")
"""What a job has: no network, and nothing that it can write but its own folders and /tmp."""


def run(image: str, root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The job as SageMaker starts it."""
    return docker("run", "--rm", *AS_A_JOB, *options, "--volume", f"{root}:/opt/ml", image, "train", check=False)


@pytest.fixture(scope="session")
def job(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a job that ran to its end."""
    root = lay_out(tmp_path_factory.mktemp("container"))
    done = run(image, root)
    assert done.returncode == 0, done.stderr
    assert "dropforge step=write" in done.stdout
    return root


def answers(folder: Path, golden: Path) -> tuple[list[float], list[float]]:
    """What the golden rows of one folder expect, and what the model of another answers."""
    card = Manifest.from_json(json.loads((folder / "manifest.json").read_text())).card
    rows: list[dict[str, Any]] = [json.loads(line) for line in (golden / "golden.jsonl").read_text().splitlines()]
    feed = {
        column.name: np.array(
            [np.nan if row["row"][column.name] is None else row["row"][column.name] for row in rows], np.float32
        )
        if column.kind == "number"
        else np.array([row["row"][column.name] or "" for row in rows], dtype=object)
        for column in card.columns
    }
    got, _ = Runtime((folder / "model.onnx").read_bytes(), card).answer(feed)
    return [row["prediction"] for row in rows], got.tolist()


def test_its_model_is_the_processs_model(job: Path, tmp_path: Path) -> None:
    root, trained = lay_out(tmp_path / "ml"), job / "model"
    command = [sys.executable, "-m", "training_container.trainer", "train", "--ml-root", str(root)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    for folder, golden in ((trained, trained), (trained, root / "model"), (root / "model", trained)):
        expected, got = answers(folder, golden)
        scale = scale_of(expected)
        assert max(difference(a, b, scale) for a, b in zip(expected, got, strict=True)) <= TOLERANCE


def test_folders_of_root_are_written_without_its_rights(job: Path) -> None:
    assert not (job / "output/failure").exists()
    assert {path.stat().st_uid for path in (job / "model").rglob("*")} == {TRAINER_ID}
    assert job.stat().st_uid == os.geteuid()


def test_a_failure_is_left_where_sagemaker_reads_it(image: str, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "ml", target="no such column")
    done = run(image, root)
    assert done.returncode == 1
    assert "no such column" in (root / "output/failure").read_text()
    assert list((root / "model").iterdir()) == []


@pytest.mark.parametrize("closed", WRITTEN)
def test_a_folder_that_nobody_can_write_is_told_before_anything_is_read(
    image: str, tmp_path: Path, closed: str
) -> None:
    """It is told in the failure file, or in the log alone where that file is what cannot be written."""
    root = lay_out(tmp_path / "ml")
    done = run(image, root, "--volume", f"{root}/{closed}:/opt/ml/{closed}:ro")
    assert done.returncode == 1
    assert f"/opt/ml/{closed}" in done.stderr
    assert "dropforge step=" not in done.stdout
    if closed != "output":
        assert f"/opt/ml/{closed}: expected a folder" in (root / "output/failure").read_text()


def test_a_user_without_rights_is_told_what_it_cannot_write(image: str, tmp_path: Path) -> None:
    """A host that starts the container as somebody else, with only the output folder open."""
    root = lay_out(tmp_path / "ml")
    (root / "output").chmod(0o777)
    done = run(image, root, "--user", "4711")
    assert done.returncode == 1
    assert "/opt/ml/model: expected a folder that the user 4711 can write" in (root / "output/failure").read_text()


def test_a_stopped_job_keeps_its_checkpoints_and_goes_on_from_them(image: str, tmp_path: Path) -> None:
    """As after a spot loss: SIGTERM amid fitting, and only the checkpoints again on another machine."""
    root = lay_out(tmp_path / "ml")
    name = docker("run", "--detach", *AS_A_JOB, "--volume", f"{root}:/opt/ml", image, "train").stdout.strip()
    try:
        with subprocess.Popen(["docker", "logs", "--follow", name], stdout=subprocess.PIPE, text=True) as log:
            assert log.stdout is not None
            assert any("model=lightgbm" in line for line in log.stdout)
            docker("stop", "--time", "100", name)  # SageMaker waits for 120 seconds
            log.stdout.read()
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name).stdout.strip() == "0"
    finally:
        docker("rm", "--force", name)
    kept = Checkpoints(root / "checkpoints").kept
    assert kept > 0
    again = lay_out(tmp_path / "again")
    shutil.copytree(root / "checkpoints", again / "checkpoints", dirs_exist_ok=True)  # root's again, as from S3
    done = run(image, again)
    assert done.returncode == 0, done.stderr
    assert f"resumed={kept} " in done.stdout
    assert (again / "model" / "manifest.json").exists()


@pytest.mark.skipif("TRAINING_IMAGE" in os.environ, reason="nothing is built")
@pytest.mark.usefixtures("image")
def test_a_build_with_another_cuda_than_promised_fails(build: Build) -> None:
    """Its jobs would train on the CPU of a machine that is paid for its GPU. The layers before are the image's own."""
    done = build("dropforge-trainer:wrong", CUDA="12")
    assert done.returncode != 0
    assert 'expected a build for CUDA "12"' in done.stdout + done.stderr


def test_it_holds_the_trainer_alone_and_nothing_that_its_user_can_change(image: str) -> None:
    def inside(script: str) -> str:
        options = ("--rm", "--network", "none", "--user", "trainer", "--entrypoint", "sh")
        return docker("run", *options, image, "-c", script).stdout.strip()

    assert inside("id -u") == str(TRAINER_ID)
    assert inside("ls /opt/dropforge").split() == ["dropforge", "training_container"]
    assert inside("ls /opt/dropforge/dropforge | grep -v __pycache__").split() == [
        "__init__.py",
        "contract",
        "datasets",
        "metrics",
        "pictures.py",
    ]
    assert inside("touch /opt/dropforge/x 2>/dev/null || echo kept") == "kept"
    assert inside("pip list 2>/dev/null | grep -ci -e boto -e aws || true") == "0"
