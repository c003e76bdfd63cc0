"""Saving MiniStack's state now and then: by itself it saves on an orderly stop only, and a kill loses the rest.

Remove this when MiniStack saves while it runs (`tests/embedded/test_caught_up.py` says when).
"""

from __future__ import annotations

import importlib
import os
import threading

INTERVAL = "DROPFORGE_SAVE_SECONDS"
"""Environment of the server: seconds between two saves, 5 unless set."""


class Saver:
    """Saves every service's state from a thread of its own, when there was any request since the last time."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dropforge-saver", daemon=True)

    def start(self) -> None:
        """Begin to save."""
        self._thread.start()

    def changed(self) -> None:
        """Say that there may be something new to save."""
        self._changed.set()

    def stop(self) -> None:
        """End, after a save in progress: MiniStack's own last save must not meet it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        seconds = float(os.environ.get(INTERVAL, "5"))
        while not self._stop.wait(seconds):
            if self._changed.is_set():
                self._changed.clear()
                save()


def save() -> None:
    """Write the state of every loaded service to the state folder, one file a service, each in one step."""
    app = importlib.import_module("ministack.app")
    importlib.import_module("ministack.core.persistence").save_all(app._build_persistence_save_dict())
