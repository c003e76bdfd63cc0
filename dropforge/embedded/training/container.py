"""Runs a training image with a Docker engine: without network, with /opt/ml mounted, removed after the job."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from dropforge.embedded.settings import ENGINE

if TYPE_CHECKING:
    from dropforge.embedded.training.layout import Layout

MARK = "container"
"""File in the job's folder; it says that a container with the job's name may be running."""


def missing() -> str | None:
    """Why no container can run here; None if one can."""
    if shutil.which("docker") is None:
        return "it takes a Docker engine, and no docker command was found"
    asked = _docker("version", "--format", "{{.Server.Version}}")
    return None if asked.returncode == 0 else f"no Docker engine answers: {asked.stderr.strip().splitlines()[-1]}"


def command(image: str, job: str, layout: Layout, variables: dict[str, str]) -> list[str]:
    """The command that runs the image as SageMaker does, as this process's user, so that its files can be removed."""
    (layout.root / MARK).touch()
    given = {**variables, "HOME": "/tmp"}
    words = ["docker", "run", "--rm", "--name", job, "--network", "none", "--user", f"{os.getuid()}:{os.getgid()}"]
    words += ["--volume", f"{layout.root}:/opt/ml"]
    return [*words, *(word for name in given for word in ("--env", f"{name}={given[name]}")), image, "train"]


def environment(environ: dict[str, str]) -> dict[str, str]:
    """The environment of the docker command itself: `environ` and the address of the engine."""
    return {**environ, "DOCKER_HOST": os.environ[ENGINE]} if os.environ.get(ENGINE) else environ


def remove(job: str) -> None:
    """Stop and remove the job's container, if there is one."""
    _docker("rm", "--force", job)


def _docker(*words: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DOCKER_HOST"}
    return subprocess.run(
        ["docker", *words], env=environment(inherited), capture_output=True, text=True, check=False, timeout=60
    )
