"""Runs a command in a process group of its own, ends the whole group, and never lets it outlive the parent.

Run: `python guard.py GRACE COMMAND…`. The parent holds the other end of standard input and never writes. On SIGTERM, or
when that end closes because the parent is gone, the group gets SIGTERM and, GRACE seconds later, SIGKILL. Exit code:
the command's, or 128 + the signal that ended it, which the last line of the output then names.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading

ORPHAN_SECONDS = 0.5
"""Seconds of grace if the parent has ended and nobody waits for the outputs."""

KILLED = "the trainer was killed"
"""Begins the line that says how the command was killed."""


def main() -> None:
    """Run the command until it ends or is ended."""
    grace, command = float(sys.argv[1]), sys.argv[2:]
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as fault:
        sys.exit(f"cannot start {command[0]}: {fault.strerror}")
    signal.signal(signal.SIGTERM, lambda *_: _end(child.pid, grace))
    threading.Thread(target=_watch, args=(child.pid, min(grace, ORPHAN_SECONDS)), daemon=True).start()
    code = child.wait()
    if code < 0:
        print(_death(-code), flush=True)
    _signal(child.pid, signal.SIGKILL)  # ends what the command left running, as the end of a container does
    sys.exit(code if code >= 0 else 128 - code)


def _death(number: int) -> str:
    """How the command was killed, and the memory that its largest process had used by then."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    name = signal.Signals(number).name
    return f"{KILLED} by {name}; its largest process had used {used / 1e9:.1f} GB of the machine's {total / 1e9:.1f} GB"


def _watch(group: int, grace: float) -> None:
    while os.read(0, 1024):
        pass
    _end(group, grace)


def _end(group: int, grace: float) -> None:
    _signal(group, signal.SIGTERM)
    last = threading.Timer(grace, _signal, (group, signal.SIGKILL))
    last.daemon = True
    last.start()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    main()
