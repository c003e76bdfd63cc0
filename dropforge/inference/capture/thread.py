"""The carrier of a process that goes on after its answer: a thread that writes what is due."""

from __future__ import annotations

import atexit
import time
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.inference.capture.buffer import Buffer
    from dropforge.inference.capture.writer import Writer

LOOK_SECONDS = 0.25
"""Between two looks while something waits."""


class ThreadCarrier:
    """Writes what waits in a buffer from a thread, and the rest when the process ends in an orderly way."""

    def __init__(self, buffer: Buffer, writer: Writer) -> None:
        self._buffer, self._writer = buffer, writer
        self._waits = Event()
        self._ended = False
        Thread(target=self._run, name="captures", daemon=True).start()
        atexit.register(self.end)

    def done(self) -> None:
        """An answer has been made: what it left in the buffer is written soon."""
        if self._buffer.records and not self._waits.is_set():
            self._waits.set()

    def end(self) -> None:
        """Writes the rest; nothing follows."""
        if not self._ended:
            self._ended = True
            atexit.unregister(self.end)
            self._writer.end()

    def _run(self) -> None:
        while True:
            self._waits.wait()
            self._waits.clear()
            while self._buffer.records and not self._ended:
                if self._buffer.due():
                    self._writer.write()
                else:
                    time.sleep(LOOK_SECONDS)
