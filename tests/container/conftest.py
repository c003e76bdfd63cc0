"""The engine, the image and the folders of a job."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.spec import Spec
from examples.datasets import load

from .engine import docker, engine
from .ingredients import ROOT, base_image, package_index

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Build = Callable[..., subprocess.CompletedProcess[str]]

IMAGE = "dropforge-trainer:test"
BUDGET = 10
"""Minutes of fitting, more than the small table of cars takes: no model depends on this machine's speed."""


@pytest.fixture(scope="session", autouse=True)
def _engine() -> Iterator[None]:
    """Fails where there is no engine, because a skipped proof is none."""
    with engine():
        yield


@pytest.fixture(scope="session")
def build(_engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """Builds an image from the Dockerfile, of what this machine has."""
    base = base_image(tmp_path_factory.mktemp("base"))
    with package_index(tmp_path_factory.mktemp("packages")) as index:
        common = {"BASE_IMAGE": base, "PACKAGE_INDEX": index, "TORCH_INDEX": index}

        def run(tag: str, **arguments: str) -> subprocess.CompletedProcess[str]:
            options = [f"--build-arg={name}={value}" for name, value in {**common, **arguments}.items()]
            dockerfile = str(ROOT / "training_container" / "Dockerfile")
            command = ["build", "--network", "host", *options, "--file", dockerfile, "--tag", tag, str(ROOT)]
            return docker(*command, check=False)

        yield run


@pytest.fixture(scope="session")
def image(_engine: None, request: pytest.FixtureRequest) -> str:
    """The CPU image, built here, or the image that TRAINING_IMAGE names."""
    if "TRAINING_IMAGE" in os.environ:
        return os.environ["TRAINING_IMAGE"]
    done = request.getfixturevalue("build")(IMAGE)
    assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-3000:]}"
    return IMAGE


def lay_out(root: Path, target: str = "Miles_per_Gallon") -> Path:
    """SageMaker's folders for one training job, as a host mounts them: its own user's (root's, mostly), mode 0755."""
    for part in ("input/config", "input/data/data", "input/data/plan", "model", "output", "checkpoints"):
        (root / part).mkdir(parents=True)
    load("cars").write_csv(root / "input/data/data/cars.csv")
    lineage = Lineage("bucket", "datasets/cars/cars.csv", "v1", 1, "etag", IMAGE)
    spec = Spec.read({"budget": BUDGET, "search": "none"})
    plan = Plan("run-0123456789abcdef", "cars", target, "regression", DataFormat("csv"), lineage, spec)
    (root / "input/data/plan/plan.json").write_text(json.dumps(plan.to_json()))
    (root / "input/config/hyperparameters.json").write_text(json.dumps({"run": plan.run}))
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return root
