"""Runs the algorithm as a separate process: the command for an image, its environment, its time limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dropforge.embedded.settings import clean_environment
from dropforge.embedded.training import container, guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.embedded.home import Home
    from dropforge.embedded.training.layout import Layout

TRAINER = "dropforge-trainer:"
ALGORITHMS = "DROPFORGE_ALGORITHMS"
"""Environment variable of the server: JSON of further image prefixes, each with a command on this machine."""
GRACE = "DROPFORGE_TRAINING_GRACE"
"""Environment variable of the server: seconds between SIGTERM and SIGKILL; by default 120, as on SageMaker."""


@dataclass(frozen=True)
class Ended:
    """How the algorithm ended."""

    exit_code: int
    """128 + n: ended by signal n."""
    out_of_time: bool
    death: str = ""
    """How it was killed, if it was."""


def process_of(image: str) -> list[str] | None:
    """The command on this machine to run for the image; None to run the image itself."""
    more = json.loads(os.environ.get(ALGORITHMS, "{}"))
    known = {TRAINER: [sys.executable, "-m", "training_container.trainer"], **more}
    return next((words for prefix, words in known.items() if image.startswith(prefix)), None)


def command(image: str, job: str, layout: Layout, variables: dict[str, str]) -> list[str]:
    """The command to run for the training image: a process of this Python, or a container."""
    words = process_of(image)
    if words is None:
        return container.command(image, job, layout, variables)
    return [*words, "train", "--ml-root", str(layout.root)]


def environment(home: Home, request: dict[str, Any], arn: str) -> dict[str, str]:
    """The environment of the algorithm: its job's name and ARN, its own variables, and no credentials."""
    inherited = {name: value for name, value in clean_environment().items() if not name.startswith("DROPFORGE_")}
    return {
        **inherited,
        "HOME": str(home.training / request["TrainingJobName"]),
        "XDG_CACHE_HOME": str(home.cache),
        "MPLCONFIGDIR": str(home.cache / "matplotlib"),
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONUNBUFFERED": "1",
        **variables(request, arn),
    }


def variables(request: dict[str, Any], arn: str) -> dict[str, str]:
    """The variables that SageMaker itself sets in the container."""
    named = {"TRAINING_JOB_NAME": request["TrainingJobName"], "TRAINING_JOB_ARN": arn}
    return {**named, **request.get("Environment", {})}


def run(words: list[str], layout: Layout, environ: dict[str, str], seconds: float, say: Callable[[str], None]) -> Ended:
    """Run the command for at most `seconds`, then send SIGTERM and later SIGKILL; its lines go to `say`.

    It runs under `guard`: when this server dies, however it dies, the algorithm dies too.
    """
    grace = os.environ.get(GRACE, "120")
    if words[0] == "docker":
        environ = container.environment(environ)
    with subprocess.Popen(
        [sys.executable, "-I", "-S", guard.__file__, grace, *words],
        cwd=layout.root,
        env=environ,
        text=True,
        errors="replace",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        last: deque[str] = deque(maxlen=1)
        reader = threading.Thread(target=_read, args=(child.stdout, say, last), daemon=True)
        reader.start()
        ended = _wait(child, seconds)
        reader.join(timeout=5)
    killed = next((line for line in last if line.startswith(guard.KILLED)), "")
    return replace(ended, death=killed)


def _wait(child: subprocess.Popen[str], seconds: float) -> Ended:
    try:
        return Ended(child.wait(seconds), out_of_time=False)
    except subprocess.TimeoutExpired:
        child.terminate()
        return Ended(child.wait(), out_of_time=True)


def _read(lines: Any, say: Callable[[str], None], last: deque[str]) -> None:
    for line in lines:
        last.append(line.rstrip("\n"))
        say(last[0])
