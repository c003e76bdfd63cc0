"""Checks of this machine: what deploying, and the embedded cloud, need of it."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dropforge.cli.cloud import NEEDED
from dropforge.client.doctor import Finding
from dropforge.embedded import node
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.settings import ADDRESS, DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 11)
TARGET = "3.13"
"""The Python of the functions on AWS."""
ROOT = Path(__file__).parents[2]


def examine_machine() -> Iterator[Finding]:
    """The findings on this machine."""
    yield _python()
    yield _byte_code()
    yield _packages()
    yield _node()
    yield _port()
    yield _docker()


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info[:2] < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return Finding(
            "Python", "blocks", f"{version}; expected {wanted} or newer", f"install Python {wanted} or newer"
        )
    return Finding("Python", "ok", version)


def _byte_code() -> Finding:
    found = shutil.which(f"python{TARGET}")
    if found is None or not _runs([found, "-c", ""]):
        message = f"no python{TARGET} that starts: functions on AWS are packed without byte code and start more slowly"
        return Finding("byte code", "warning", message, f"install Python {TARGET} and put it on the PATH")
    return Finding("byte code", "ok", found)


def _packages() -> Finding:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        message = f"{', '.join(missing)} not installed: no `dropforge up` and no deployment from here"
        return Finding("packages", "blocks", message, "run `make setup` in a checkout", "make setup")
    return Finding("packages", "ok", ", ".join(NEEDED))


def _node() -> Finding:
    try:
        tools = node.find(ROOT)
    except CloudFault as fault:
        return Finding("Node and the CDK CLI", "blocks", str(fault), "install Node, then run `npm ci`", "npm ci")
    return Finding("Node and the CDK CLI", "ok", tools.node)


def _port() -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, DEFAULT_PORT))
        except OSError:
            message = f"{DEFAULT_PORT} is taken; `dropforge up` takes another one unless this is its own"
            return Finding("port", "warning", message, "choose one with `dropforge up --port NUMBER`")
    return Finding("port", "ok", f"{DEFAULT_PORT} is free")


def _docker() -> Finding:
    if shutil.which("docker") is None or not _runs(["docker", "version"]):
        message = "no engine answers; it is needed only for -c dropforge:image-build=docker and to run the images here"
        fix = "start Docker for that; by default CodeBuild builds the images in the account"
        return Finding("Docker", "warning", message, fix)
    return Finding("Docker", "ok", "an engine answers")


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
