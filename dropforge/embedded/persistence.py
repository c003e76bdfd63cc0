"""Saves MiniStack's state regularly. By itself it saves only on an orderly stop, and a kill loses everything since.

Remove this when MiniStack saves while it runs (`tests/embedded/test_caught_up.py` says when).
"""

from __future__ import annotations

import importlib
import os
import threading

INTERVAL = "DROPFORGE_SAVE_SECONDS"
"""Environment variable of the server: seconds between two saves, 5 by default."""


class Saver:
    """Saves the state of every service in a separate thread, if there was a request since the last time."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dropforge-saver", daemon=True)

    def start(self) -> None:
        """Start saving."""
        self._thread.start()

    def changed(self) -> None:
        """Note that there may be something new to save."""
        self._changed.set()

    def stop(self) -> None:
        """Stop after a save in progress, which must not overlap with MiniStack's own last save."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        seconds = float(os.environ.get(INTERVAL, "5"))
        while not self._stop.wait(seconds):
            if self._changed.is_set():
                self._changed.clear()
                save()


def save() -> None:
    """Write the state of every loaded service to the state folder: one file per service, each atomically."""
    app = importlib.import_module("ministack.app")
    importlib.import_module("ministack.core.persistence").save_all(app._build_persistence_save_dict())
