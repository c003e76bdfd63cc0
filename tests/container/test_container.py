"""The training image, built and run as SageMaker would: /opt/ml mounted, no network, not root.

make test-container                                  (or: pytest -m container tests/container)
BASE_IMAGE=my/python:3.11 make test-container        where the default base cannot be pulled
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dropforge.contract.parity import TOLERANCE, difference, scale_of
from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.results import Manifest
from examples.datasets import load
from training_container.export.runtime import Runtime

pytestmark = pytest.mark.container

ROOT = Path(__file__).parents[2]
IMAGE = "dropforge-trainer:test"
LOCAL_BASE = "local/python:3.11"
"""Taken as the base when it is there and BASE_IMAGE is not set: a machine without a registry has made its own."""

NO_ENGINE = (
    "no Docker engine answers `docker info`: install one (Debian and Ubuntu: apt-get install docker.io; elsewhere "
    "Docker Desktop or colima), start it (`dockerd &` where no service manager runs), or point DOCKER_HOST at one. "
    "Without a registry, make a base image with debootstrap (include python3, python3-venv, python3-pip, "
    "ca-certificates) and `docker import`, and name it: BASE_IMAGE=<image> make test-container"
)


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One docker command; with `check` a failure fails the test with the command's own words."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        pytest.fail(
            f"docker {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
    return done


def base_image() -> str:
    """The base to build on."""
    given = os.environ.get("BASE_IMAGE")
    if given:
        return given
    return LOCAL_BASE if docker("image", "inspect", LOCAL_BASE, check=False).returncode == 0 else "python:3.11-slim"


@pytest.fixture(scope="session")
def image() -> str:
    """The built image; fails where there is no engine, because a skipped proof is none."""
    if shutil.which("docker") is None or docker("info", check=False).returncode:
        pytest.fail(NO_ENGINE)
    docker("build", "--network", "host", "--build-arg", f"BASE_IMAGE={base_image()}", "--file",
           str(ROOT / "training_container" / "Dockerfile"), "--tag", IMAGE, str(ROOT))  # fmt: skip
    return IMAGE


def lay_out(root: Path, target: str = "Miles_per_Gallon") -> Path:
    """SageMaker's folders for one training job, as a host mounts them: its own user's (root's, mostly), mode 0755."""
    for part in ("input/config", "input/data/data", "input/data/plan", "model", "output", "checkpoints"):
        (root / part).mkdir(parents=True)
    load("cars").write_csv(root / "input/data/data/cars.csv")
    lineage = Lineage("bucket", "datasets/cars/cars.csv", "v1", 1, "etag", IMAGE)
    plan = Plan("run-0123456789abcdef", "cars", target, "regression", DataFormat("csv"), lineage)
    (root / "input/data/plan/plan.json").write_text(json.dumps(plan.to_json()))
    (root / "input/config/hyperparameters.json").write_text(json.dumps({"run": plan.run}))
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return root


def run(image: str, root: Path) -> subprocess.CompletedProcess[str]:
    """The job as SageMaker starts it."""
    return docker("run", "--rm", "--network", "none", "--volume", f"{root}:/opt/ml", image, "train", check=False)


@pytest.fixture(scope="session")
def trained(image: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder that the container made."""
    root = lay_out(tmp_path_factory.mktemp("container"))
    done = run(image, root)
    assert done.returncode == 0, done.stderr
    assert "dropforge step=write" in done.stdout
    assert not (root / "output/failure").exists()
    return root / "model"


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


def test_its_model_is_the_processs_model(trained: Path, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "ml")
    command = [sys.executable, "-m", "training_container.trainer", "train", "--ml-root", str(root)]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    for folder, golden in ((trained, trained), (trained, root / "model"), (root / "model", trained)):
        expected, got = answers(folder, golden)
        scale = scale_of(expected)
        assert max(difference(a, b, scale) for a, b in zip(expected, got, strict=True)) <= TOLERANCE


def test_a_failure_is_left_where_sagemaker_reads_it(image: str, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "ml", target="no such column")
    done = run(image, root)
    assert done.returncode == 1
    assert "no such column" in (root / "output/failure").read_text()
    assert list((root / "model").iterdir()) == []


def test_a_stop_ends_it_in_time(image: str, tmp_path: Path) -> None:
    root = lay_out(tmp_path / "ml")
    name = docker("run", "--detach", "--network", "none", "--volume", f"{root}:/opt/ml", image, "train").stdout.strip()
    try:
        with subprocess.Popen(["docker", "logs", "--follow", name], stdout=subprocess.PIPE, text=True) as log:
            assert log.stdout is not None
            assert any("model=neural" in line for line in log.stdout)
            docker("stop", "--time", "60", name)
            log.stdout.read()
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name).stdout.strip() == "1"
        assert "stopped by SIGTERM" in (root / "output/failure").read_text()
    finally:
        docker("rm", "--force", name)


def test_it_is_not_root_and_holds_the_trainer_alone(image: str) -> None:
    def inside(script: str) -> str:
        return docker("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", script).stdout.strip()

    assert inside("id -u") == "1000"
    assert inside("ls /opt/dropforge").split() == ["dropforge", "training_container"]
    assert inside("ls /opt/dropforge/dropforge | grep -v __pycache__").split() == [
        "__init__.py",
        "contract",
        "pictures.py",
    ]
    assert inside("touch /opt/dropforge/x 2>/dev/null || echo kept") == "kept"
    assert inside("pip list 2>/dev/null | grep -ci -e boto -e aws || true") == "0"
