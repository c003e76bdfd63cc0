"""The server as a background process: start it, check it, wait until it answers, stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.embedded import lock
from dropforge.embedded.fault import CloudFault
from dropforge.embedded.settings import ADDRESS, DEFAULT_PORT, Address, clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.embedded.home import Home

START_SECONDS = 30.0
STOP_SECONDS = 30.0
REPORT_SECONDS = 3.0
"""Between two lines about a server that is still stopping."""

HEALTH = "/_ministack/health"


@dataclass(frozen=True)
class Server:
    """A running server."""

    pid: int
    address: Address


def find(home: Home) -> Server | None:
    """The server that runs in this home; None if there is none, whatever a dead one left behind."""
    if not lock.held(home.server_lock):
        return None
    words = home.server_lock.read_text().split()
    if len(words) != 3:
        return None  # it has only just started
    return Server(int(words[0]), Address(int(words[1]), words[2] == "strict"))


def choose_port(wanted: int | None, last: int | None) -> int:
    """`wanted` if it is free; without it the previous port, 4566, or any other free port.

    Raises:
        CloudFault: the wanted port is taken.
    """
    if wanted:
        if not _free(wanted):
            raise CloudFault(f"port {wanted} is taken by another program: choose another with --port, or --port 0")
        return wanted
    for port in (last, DEFAULT_PORT):
        if port and _free(port):
            return port
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def start(home: Home, address: Address) -> Server:
    """Start a server in the background and wait until it answers.

    Raises:
        CloudFault: it died, or was not ready in time; the message ends with the last line of its log.
    """
    command = [sys.executable, "-m", "dropforge.embedded.server", "--home", str(home.root), "--port", str(address.port)]
    environ = {**clean_environment(), **{key: os.environ[key] for key in ("DOCKER_HOST",) if key in os.environ}}
    with home.log.open("wb") as log:
        child = subprocess.Popen(
            [*command, *(["--strict"] if address.strict else [])],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environ,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise CloudFault(f"the server died at start: {last_line(home)} (see {home.log})")
        if healthy(home, address):
            child.returncode = 0  # it outlives this process, so Python must not warn that nobody waited for it
            return Server(child.pid, address)
        time.sleep(0.05)
    stop(Server(child.pid, address))
    raise CloudFault(f"the server did not answer within {START_SECONDS:.0f} s: {last_line(home)} (see {home.log})")


def healthy(home: Home, address: Address) -> bool:
    """Whether the server answers."""
    context = ssl.create_default_context(cafile=str(home.tls / "server.crt")) if address.strict else None
    try:
        with urllib.request.urlopen(f"{address.url}{HEALTH}", timeout=2, context=context) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(server: Server, report: Callable[[str], None] = lambda _line: None) -> None:
    """Ask the server to save and stop, then kill what is left of its group, such as busy functions.

    `report` gets a line every few seconds for as long as that takes.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(server.pid, signal.SIGTERM)
    begun = told = time.monotonic()
    while _alive(server.pid) and time.monotonic() < begun + STOP_SECONDS:
        time.sleep(0.05)
        if time.monotonic() > told + REPORT_SECONDS:
            told = time.monotonic()
            spent = told - begun
            report(f"still stopping after {spent:.0f} s; what does not end within {STOP_SECONDS:.0f} s is killed")
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


def last_line(home: Home) -> str:
    """The last line that the server wrote."""
    lines = [line for line in home.log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"


def _alive(pid: int) -> bool:
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass  # not our child; another `up` started it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True
