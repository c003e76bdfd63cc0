"""What an image is built from where no registry answers: a base from Debian's packages, and this machine's wheels."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .engine import docker
from .serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "training_container" / "requirements.txt"
PYTHON = "3.11"
SUITE, PACKAGES = "bookworm", "python3,python3-venv,ca-certificates,libgomp1"
CPU_TORCH = "https://download.pytorch.org/whl/cpu"
OWN_BASE = "dropforge-base:test"
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")
NO_BASE = (
    "the base image {image} cannot be pulled, and none can be made here: that takes root and debootstrap (Debian and "
    "Ubuntu: apt-get install debootstrap). Name an image with Python 3.11 that this engine has: "
    "BASE_IMAGE=<image> make test-container"
)


def default_base() -> str:
    """The base image that the Dockerfile names."""
    text = (ROOT / "training_container" / "Dockerfile").read_text()
    found = re.search(r"^ARG BASE_IMAGE=(.+)$", text, re.MULTILINE)
    assert found is not None
    return found[1]


def base_image(folder: Path) -> str:
    """The base to build on: BASE_IMAGE, the Dockerfile's own, or a minimal Debian where that cannot be pulled."""
    wanted = os.environ.get("BASE_IMAGE")
    if wanted:
        return wanted
    if docker("pull", "--quiet", default_base(), check=False).returncode == 0:
        return default_base()
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.fail(NO_BASE.format(image=default_base()))
    make_base(folder, OWN_BASE)
    return OWN_BASE


def make_base(folder: Path, image: str) -> None:
    """Makes an image of Debian's base system and its Python, from the package source of this machine."""
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(folder)]
    done = subprocess.run([*command, mirror()], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"debootstrap: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-1000:]}")
    with subprocess.Popen(["tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE) as archive:
        subprocess.run(["docker", "import", "-", image], stdin=archive.stdout, check=True, capture_output=True)
    shutil.rmtree(folder)


def mirror() -> str:
    """The Debian mirror of this machine, or Debian's own."""
    found = [
        match[1]
        for path in (*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list"))
        if path.exists()
        for match in re.finditer(r"^(?:URIs:|deb)\s+(http\S+/debian/?)\s", path.read_text(), re.MULTILINE)
    ]
    return found[0] if found else "http://deb.debian.org/debian"


@contextmanager
def package_index(folder: Path) -> Iterator[str]:
    """The URL of an index on the loopback that has every wheel of the image, as this machine's own pip gets them.

    So the build needs none of this machine's settings, proxies and certificates, and torch is the CPU build.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder), "--only-binary", ":all:"]
    command += ["--python-version", PYTHON, *(part for name in PLATFORMS for part in ("--platform", name))]
    torch = next(line for line in REQUIREMENTS.read_text().splitlines() if line.startswith("torch=="))
    # An index that cannot be reached is no fault: this machine's pip may have a CPU build of its own.
    subprocess.run([*command, "--no-deps", "--retries", "0", "--index-url", CPU_TORCH, torch], check=True)
    subprocess.run([*command, "--find-links", str(folder), "-r", str(REQUIREMENTS)], check=True)
    for wheel in [*folder.glob("*.whl")]:  # an index has a folder for each project, under its normalized name
        project = folder / "simple" / re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()
        project.mkdir(parents=True, exist_ok=True)
        wheel.rename(project / wheel.name)
    with serving(partial(Quiet, directory=str(folder))) as url:
        yield f"{url}/simple"
    shutil.rmtree(folder)


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that logs nothing."""

    def log_message(self, *_: object) -> None:
        """Logs nothing."""
