"""A Docker engine for the tests: the one that answers, or one of their own, started on a private socket and stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = STOP_SECONDS = 60
NO_ENGINE = (
    "no Docker engine answers `docker info`, and none can be started here: that takes root and `dockerd` (Debian and "
    "Ubuntu: apt-get install docker.io). Elsewhere start Docker Desktop or colima, or point DOCKER_HOST at an engine"
)


def docker(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """One docker command; with `check` a failure fails the test with the command's own words."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if check and done.returncode:
        pytest.fail(
            f"docker {' '.join(arguments)}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
        )
    return done


@contextmanager
def engine() -> Iterator[None]:
    """An engine that every `docker` command of this process reaches."""
    if answers():
        yield
        return
    if shutil.which("docker") is None or shutil.which("dockerd") is None or os.geteuid() != 0:
        pytest.fail(NO_ENGINE)
    folder = Path(tempfile.mkdtemp(prefix="dropforge-engine-", dir="/var/tmp"))  # images are too large for a tmpfs
    with pytest.MonkeyPatch.context() as patch, own_engine(folder) as address:
        patch.setenv("DOCKER_HOST", address)
        yield


@contextmanager
def own_engine(folder: Path) -> Iterator[str]:
    """The address of an engine that keeps everything in `folder`, which is removed with it.

    It needs no firewall and no bridge, so that it runs inside containers and bare machines; builds take the network of
    the host.
    """
    address = f"unix://{folder}/socket"
    command = ["dockerd", "--iptables=false", "--bridge=none", "--host", address, "--data-root", f"{folder}/data"]
    command += ["--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    log = folder / "log"
    with log.open("w") as file:  # a session of its own, so that Ctrl-C ends it below and not amid the tests
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"dockerd does not answer at {address}: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        unmount(folder)
        shutil.rmtree(folder, ignore_errors=True)


def answers(address: str = "") -> bool:
    """Whether an engine answers, at `address` or where the environment says."""
    if shutil.which("docker") is None:
        return False
    where = ["--host", address] if address else []
    return subprocess.run(["docker", *where, "info"], capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Unmounts what an engine that was killed left mounted below `folder`."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)
