"""A journal of S3's events: each is on disk before its request is answered, and until its deliveries are saved.

The bodies and versions of objects are on disk before an answer in any case. What a kill would lose is that something
must still happen to them.
"""

from __future__ import annotations

import errno
import json
import os
import threading
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Event = dict[str, Any]


class Journal:
    """The events of one home that are not yet known to be delivered, in a file with a line for each."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = threading.Lock()
        self._open: dict[str, Event] = dict(_lines(file))
        self._delivered: set[str] = set()
        if self._open:
            self._rewrite()  # without half a line at its end

    def pending(self) -> dict[str, Event]:
        """The events that an earlier server left, and those of this one, by their ids."""
        with self._lock:
            return dict(self._open)

    def add(self, events: Iterable[Event]) -> list[str]:
        """Write the events to the file, and return their ids.

        Raises:
            OSError: the file cannot be written; then none of them is in it.
        """
        added = {uuid.uuid4().hex: event for event in events}
        with self._lock:
            self._append(_text(added))
            self._open |= added
        return list(added)

    def mark(self, name: str) -> None:
        """Note that an event was delivered; its line remains until what it caused is saved."""
        with self._lock:
            self._delivered.add(name)

    def delivered(self) -> set[str]:
        """The ids of the events whose deliveries a save that begins now contains."""
        with self._lock:
            return set(self._delivered)

    def forget(self, names: set[str]) -> None:
        """Take events out of the file.

        Raises:
            OSError: the file cannot be written.
        """
        if not names:
            return
        with self._lock:
            self._open = {name: event for name, event in self._open.items() if name not in names}
            self._delivered -= names
            self._rewrite()

    def _append(self, text: bytes) -> None:
        with self.file.open("ab", buffering=0) as file:
            end = file.tell()
            try:
                if file.write(text) != len(text):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError:
                file.truncate(end)
                raise

    def _rewrite(self) -> None:
        part = self.file.with_suffix(".part")
        part.write_bytes(_text(self._open))
        part.replace(self.file)


def _text(events: dict[str, Event]) -> bytes:
    return "".join(json.dumps([name, event]) + "\n" for name, event in events.items()).encode()


def _lines(file: Path) -> Iterable[tuple[str, Event]]:
    """The complete lines of the file; a kill may have left half a line at its end, of a request without an answer."""
    if not file.exists():
        return
    for line in file.read_text(errors="replace").splitlines():
        try:
            name, event = json.loads(line)
        except ValueError:
            continue
        yield str(name), event
