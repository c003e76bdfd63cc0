"""A training image run by a Docker engine: no network, /opt/ml mounted, gone when the job is."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from dropforge.embedded.settings import ENGINE

if TYPE_CHECKING:
    from dropforge.embedded.training.layout import Layout

MARK = "container"
"""File in the job's folder that says that a container of the job's name may run."""


def missing() -> str | None:
    """Why no container can be run here, or None."""
    if shutil.which("docker") is None:
        return "it takes a Docker engine, and no docker command was found"
    asked = _docker("version", "--format", "{{.Server.Version}}")
    return None if asked.returncode == 0 else f"no Docker engine answers: {asked.stderr.strip().splitlines()[-1]}"


def command(image: str, job: str, layout: Layout, variables: dict[str, str]) -> list[str]:
    """The words that run the image as SageMaker does, as this process's user, so that its files can be removed."""
    (layout.root / MARK).touch()
    given = {**variables, "HOME": "/tmp"}
    words = ["docker", "run", "--rm", "--name", job, "--network", "none", "--user", f"{os.getuid()}:{os.getgid()}"]
    words += ["--volume", f"{layout.root}:/opt/ml"]
    return [*words, *(word for name in given for word in ("--env", f"{name}={given[name]}")), image, "train"]


def environment(environ: dict[str, str]) -> dict[str, str]:
    """The environment of the docker command itself: `environ` and where the engine is."""
    return {**environ, "DOCKER_HOST": os.environ[ENGINE]} if os.environ.get(ENGINE) else environ


def remove(job: str) -> None:
    """End and remove the job's container; nothing happens when there is none."""
    _docker("rm", "--force", job)


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    return subprocess.run(
        ["docker", *words], env=environment(inherited), capture_output=True, text=True, check=False, timeout=60
    )
