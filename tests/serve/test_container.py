"""The container's recipe without a Docker engine: the same packages, files and command in a folder of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.serve.conftest import ROOT, STARTS_WITHIN, Server, place_run
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = (ROOT / "docker" / "serve.Dockerfile").read_text()
COPIED = [line.split()[1] for line in RECIPE.splitlines() if line.startswith("COPY ")]


def placed(folder: Path) -> None:
    """Copies what the recipe copies, of what its ignore file lets through."""
    ignore = (ROOT / "docker" / "serve.Dockerfile.dockerignore").read_text().splitlines()
    allowed = {path for line in ignore if line.startswith("!") for path in ROOT.glob(line[1:])}
    wanted = [
        path for name in COPIED for path in ((ROOT / name).rglob("*.py") if (ROOT / name).is_dir() else [ROOT / name])
    ]
    for path in wanted:
        assert path in allowed, f"{path} is copied but ignored"
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


def files_of(place: Path) -> list[Path]:
    """The file itself, or the modules of a folder."""
    return sorted(place.rglob("*.py")) if place.is_dir() else [place]


def test_the_files_of_the_recipe_are_all_that_the_server_imports(tmp_path: Path) -> None:
    placed(tmp_path)
    code = "import dropforge.serve.__main__, dropforge.serve.app, dropforge.serve.store, dropforge.inference.pictures"
    code += ", dropforge.inference.protocols.v2.dialect, dropforge.inference.explain"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, env={"PYTHONPATH": str(tmp_path)})


def test_the_image_has_no_function() -> None:
    assert not [name for name in COPIED if name.startswith("lambdas")]


def test_the_recipe_has_the_versions_that_are_tested() -> None:
    pinned = (ROOT / "requirements" / "constraints.txt").read_text().splitlines()
    listed = (ROOT / "docker" / "serve.requirements.txt").read_text().splitlines()
    assert set(listed) <= set(pinned)


@pytest.mark.slow
def test_the_recipe_serves(tmp_path: Path) -> None:
    placed(tmp_path / "app")
    run = place_run(tmp_path / "run", "multiclass")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "-r",
        str(tmp_path / "app" / "docker/serve.requirements.txt"),
    ]
    subprocess.run(install, check=True, capture_output=True)
    (found,) = re.findall(r"^ENTRYPOINT (.*)$", RECIPE, re.MULTILINE)
    command = [str(python), *json.loads(found)[1:], str(run), "--host", "127.0.0.1"]
    process = subprocess.Popen(command, cwd=tmp_path / "app", stdout=subprocess.PIPE, text=True, env={"PORT": "0"})
    try:
        assert process.stdout is not None
        (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        reply = Server(process, int(port), tmp_path).predict("flowers", little("multiclass").rows(5))
        assert (reply.status, len(reply.body["predictions"])) == (200, 5)
    finally:
        process.terminate()
        process.communicate(timeout=STARTS_WITHIN)
    assert process.returncode == 0
    size = sum(path.stat().st_size for path in (tmp_path / "venv").rglob("*") if path.is_file())
    print(f"environment of the recipe: {size / 2**20:.0f} MiB")
