"""Writes what waits: an object for each unbroken row of numbers within an hour. A failed write fails no answer."""

from __future__ import annotations

import os
import time
import zlib
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from dropforge.contract.captures import KEEP_DAYS, KEEP_TAG, end_key, object_key
from dropforge.contract.errors import ServiceError
from dropforge.contract.log import log
from dropforge.inference.after import Answered
from dropforge.inference.capture.ends import left
from dropforge.inference.capture.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dropforge.inference.capture.buffer import Buffer, Pending, Stream

GZIP = 31
"""zlib's window for gzip's format: `gzip` itself is another import."""

PATIENCE = 0.3
"""Seconds that the end of a process waits for a write that is under way: Lambda gives it 300 to 500 ms."""


class Put(Protocol):
    """Writes an object."""

    def __call__(self, key: str, body: bytes, tags: str) -> None:
        """Raises whatever it likes; `tags` is `name=value`, or empty."""


class Writer:
    """Writes what waits in a buffer.

    Args:
        buffer: where it waits.
        put: writes an object.
        salt: what units are hashed with.
    """

    def __init__(self, buffer: Buffer, put: Put, salt: str) -> None:
        self._buffer, self._put, self._salt = buffer, put, salt
        self._writing = Lock()
        self._looked = False
        self.lost = 0
        """Records that could not be written."""

    def write(self) -> None:
        """Writes all that waits; what cannot be written is logged and counted, never raised."""
        with self._writing:
            self._write_all()
            if not self._looked:
                self._looked = True
                self._tell_of_predecessors()

    def end(self) -> None:
        """Writes all that waits, and where each stream ends; the process is about to.

        Where a write does not end in time, the next process on this disk tells where the streams ended.
        """
        if not self._writing.acquire(timeout=PATIENCE):
            return
        try:
            self._write_all()
            for stream in self._buffer.streams():
                self._tell_end(stream)
        finally:
            self._writing.release()

    def _write_all(self) -> None:
        for stream, pending in self._buffer.take():
            for run in runs(pending):
                self._write(stream, run)

    def _tell_end(self, stream: Stream) -> None:
        key = end_key(stream.model, stream.version, hour(time.time()), stream.sandbox, stream.last)
        if self._tell(key) and stream.end is not None:
            with suppress(OSError):
                stream.end.forget()
            stream.end = None

    def _write(self, stream: Stream, run: Sequence[Pending]) -> None:
        first, count = run[0].first, sum(each.records for each in run)
        key = object_key(stream.model, stream.version, hour(run[0].at), stream.sandbox, first, first + count - 1)
        for each in run:
            if isinstance(each.told, Answered):
                stream.days = each.told.model.card.capture_days
        try:
            packer = zlib.compressobj(wbits=GZIP)
            body = packer.compress(lines_of(stream, run, self._salt)) + packer.flush()
            self._put(key, body, f"{KEEP_TAG}={stream.days}d")
        except Exception as fault:  # a capture is worth no answer
            self.lost += count
            log("captures lost", level="warning", model=stream.model, version=stream.version, records=count,
                reason=reason(fault))  # fmt: skip

    def _tell_of_predecessors(self) -> None:
        """Says where the streams of processes ended that were killed on this disk."""
        for ended in left(self._buffer.folder):
            if self._tell(end_key(ended.model, ended.version, hour(time.time()), ended.sandbox, ended.last)):
                with suppress(OSError):
                    os.unlink(ended.path)  # noqa: PTH108 - pathlib is another import of a cold start

    def _tell(self, key: str) -> bool:
        try:
            self._put(key, b"", f"{KEEP_TAG}={KEEP_DAYS[-1]}d")  # at least as long as any record
        except Exception as fault:
            log("end of captures not told", level="warning", reason=reason(fault))
            return False
        return True


def runs(pending: Sequence[Pending]) -> Iterator[list[Pending]]:
    """Parts of one hour each, in which no number is missing."""
    held: list[Pending] = []
    for each in pending:
        if held and (each.first != held[-1].first + held[-1].records or hour(each.at) != hour(held[0].at)):
            yield held
            held = []
        held.append(each)
    if held:
        yield held


def hour(seconds: float) -> str:
    """The hour of a time of seconds since 1970, as keys have it."""
    return time.strftime("%Y-%m-%d-%H", time.gmtime(seconds))


def reason(fault: Exception) -> str:
    """A fault in words; of one that may hold a value, its kind alone."""
    return str(fault) if isinstance(fault, ServiceError | OSError) else type(fault).__name__
