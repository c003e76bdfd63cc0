"""A server that takes its time to stop: whoever waits for it is told."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from dropforge.embedded import process
from dropforge.embedded.process import Server
from dropforge.embedded.settings import Address

if TYPE_CHECKING:
    import pytest

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"


def test_a_slow_stop_is_told_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "STOP_SECONDS", 1.0)
    monkeypatch.setattr(process, "REPORT_SECONDS", 0.2)
    lines: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", DEAF], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as deaf:
        assert deaf.stdout is not None and deaf.stdout.readline() == "ready\n"
        process.stop(Server(deaf.pid, Address(0, strict=False)), lines.append)
        assert deaf.wait(timeout=20) != 0
    assert len(lines) >= 2 and all("still stopping" in line for line in lines)
