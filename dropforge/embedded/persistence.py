"""Saves MiniStack's state regularly, so that a killed server goes on where it was.

By itself MiniStack saves on an orderly stop only, and a service whose records change at that moment is left out.

Executions are captured before all other services and written after them. So the saved executions are never ahead of
the saved registry: what ran at a kill begins again, and finds what it has written already.

Remove this when MiniStack saves while it runs (`tests/embedded/test_caught_up.py` says when).
"""

from __future__ import annotations

import copy
import importlib
import json
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropforge.embedded.journal import Journal

INTERVAL = "DROPFORGE_SAVE_SECONDS"
"""Environment variable of the server: seconds between two saves, 5 by default."""
EXECUTIONS = "stepfunctions"
ATTEMPTS = 50
"""How often the state of a service is captured again if its records change meanwhile."""


class Saver:
    """Saves the state of every service in a separate thread, if there was a request since the last time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._one = threading.Lock()
        self._written: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="dropforge-saver", daemon=True)

    def start(self) -> None:
        """Start saving; MiniStack's own save at its end then works in the same way."""
        let_records_change_while_copied()
        app: Any = importlib.import_module("ministack.app")
        app.save_all = self.save_all
        self._thread.start()

    def changed(self) -> None:
        """Note that there may be something new to save."""
        self._changed.set()

    def stop(self) -> None:
        """Stop after a save in progress, which must not overlap with MiniStack's own last save."""
        self._stop.set()
        self._thread.join()

    def save(self) -> bool:
        """Save everything now; gives whether all of it was written."""
        return self.save_all(importlib.import_module("ministack.app")._build_persistence_save_dict())

    def save_all(self, services: Mapping[str, Callable[[], Any]]) -> bool:
        """Save these services: one file for each, each atomically, executions last."""
        with self._one:
            delivered = self._journal.delivered()
            try:
                last = {EXECUTIONS: captured(services[EXECUTIONS], EXECUTIONS)} if EXECUTIONS in services else {}
                for name, state in services.items():
                    if name != EXECUTIONS:
                        self._write(name, captured(state, name))
                for name, text in last.items():
                    self._write(name, text)
                self._journal.forget(delivered)
            except (OSError, RuntimeError) as fault:
                logging.getLogger(__name__).error("the state was not saved: %s", fault)
                return False
            return True

    def _write(self, name: str, text: str | None) -> None:
        if text is None or self._written.get(name) == text:
            return
        folder = Path(os.environ["STATE_DIR"])
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{name}.json.tmp"
        part.write_text(text)
        part.replace(folder / f"{name}.json")
        self._written[name] = text

    def _run(self) -> None:
        seconds = float(os.environ.get(INTERVAL, "5"))
        while not self._stop.wait(seconds):
            if self._changed.is_set():
                self._changed.clear()
                if not self.save():
                    self._changed.set()


def captured(state: Callable[[], Any], name: str) -> str | None:
    """The state of a service as the text of its file; None if it has nothing to save.

    Raises:
        RuntimeError: its records changed during every attempt.
    """
    persistence: Any = importlib.import_module("ministack.core.persistence")
    for attempt in range(ATTEMPTS):
        try:
            payload = state()
            if payload is None:
                return None
            document = {"__ministack_format__": persistence._state_format_version(name), "payload": payload}
            return json.dumps(document, default=persistence._json_default)
        except RuntimeError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the loop returns or raises")


def let_records_change_while_copied() -> None:
    """Let `copy.deepcopy` copy a dictionary that other threads change: it begins with a list of the entries."""

    def snapshot(value: dict[Any, Any], memo: dict[int, Any], deepcopy: Any = copy.deepcopy) -> dict[Any, Any]:
        copied: dict[Any, Any] = {}
        memo[id(value)] = copied
        for key, entry in list(value.items()):
            copied[deepcopy(key, memo)] = deepcopy(entry, memo)
        return copied

    copy._deepcopy_dispatch[dict] = snapshot  # type: ignore[attr-defined]
