"""Opens a candidate for the first time in a process of its own, with bounds for its time and its memory.

A model file is a program: it may loop for ever, ask for more memory than there is, or end the process that opens it.
The child opens it and predicts the golden rows. Only a file that comes through this is opened by Judge itself.

Run by `check`: `python -m lambdas.pipeline.judge.trial`, with the model and the rows on its standard input.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dropforge.contract.fitting import shortened
from dropforge.inference.faults import ModelFault


@dataclass(frozen=True)
class Limits:
    """What a model may take to be opened and to predict its golden rows."""

    seconds: int = 100
    """Of the processor, and of the clock."""
    memory: int = 2 * 2**30
    """Bytes beyond the interpreter and the runtime, and beyond four times the file."""


LIMITS = Limits()
KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "TZ", "HOME", "TMPDIR")
"""Variables that the child gets; the credentials of the function's role are not among them."""
LONGEST_MESSAGE = 300


def check(model: bytes, sha256: str, golden: bytes, limits: Limits | None = None) -> None:
    """Let a child open the model and predict the golden rows.

    Args:
        model: the file.
        sha256: what the manifest says of it.
        golden: `golden.jsonl`.
        limits: by default `LIMITS`.

    Raises:
        ModelFault: it cannot be opened, or takes more than the limits; the message says which.
    """
    limits = limits or LIMITS
    facts = {"sha256": sha256, "model": len(model), "seconds": limits.seconds, "memory": limits.memory}
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ |= {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "ORT_DISABLE_TELEMETRY": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "lambdas.pipeline.judge.trial"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    )
    try:
        said, _ = child.communicate(json.dumps(facts).encode() + b"\n" + model + golden, limits.seconds + 10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise _too_slow(limits) from None
    _raise_for(child.returncode, said, limits)


def _raise_for(code: int, said: bytes, limits: Limits) -> None:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _too_slow(limits)
    if code < 0:
        raise ModelFault(f"model file: it ends the process that opens it ({signal.Signals(-code).name})")
    try:
        fault = json.loads(said)["fault"]
    except (ValueError, KeyError):
        raise ModelFault(f"model file: it ends the process that opens it (exit code {code})") from None
    if fault:
        raise ModelFault(fault)


def _too_slow(limits: Limits) -> ModelFault:
    return ModelFault(
        f"model file: opening it and predicting its golden rows takes more than {limits.seconds} s or the memory of "
        "the machine; expected a model that answers in milliseconds"
    )


def main() -> None:
    """Read the model and the rows, try them within the limits, and print what was wrong, if anything was."""
    facts = json.loads(sys.stdin.buffer.readline())
    model = sys.stdin.buffer.read(facts["model"])
    golden = sys.stdin.buffer.read()
    from dropforge.inference.model import ServedModel
    from dropforge.inference.session import runtime
    from lambdas.pipeline.judge.evidence import parity  # with the runtime, so that the bound counts the model alone

    runtime()
    _bound(facts["seconds"], facts["memory"] + 4 * len(model))
    fault = ""
    try:
        parity(ServedModel.from_bytes(model, facts["sha256"]), golden)
    except MemoryError:
        fault = "model file: it asks for more memory than a model may use"
    except Exception as error:  # the runtime raises classes of its own, and whatever it says is the candidate's fault
        text = " ".join(str(error).split())
        too_large = "alloc" in text.lower()  # onnxruntime's own words for a failed allocation
        prefix = "model file: it asks for more memory than a model may use: " if too_large else ""
        fault = shortened(f"{prefix}{text}", LONGEST_MESSAGE)
    sys.stdout.write(json.dumps({"fault": fault}))
    sys.stdout.flush()
    os._exit(0)


def _bound(seconds: int, memory: int) -> None:
    """Bound the processor time and the memory of this process from now on."""
    statm = Path("/proc/self/statm")
    used = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 2**32
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    if sys.platform != "darwin":  # macOS refuses this bound
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))


if __name__ == "__main__":
    main()
