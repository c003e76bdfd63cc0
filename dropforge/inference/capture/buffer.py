"""Requests that wait to be written: numbered and put aside before the answer, which costs microseconds."""

from __future__ import annotations

import os
import time
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from dropforge.inference.capture.ends import End
from dropforge.inference.model import Answers

if TYPE_CHECKING:
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.inference.after import Answered, Refused

MOST_ROWS = 1_000
"""Records of one request: of a longer one as many rows are kept, evenly spread."""

MOST_VALUES = 4_000_000
"""Values of all requests that wait: 16 MB of numbers. What comes on top is not kept, and its numbers are missing."""

MOST_REQUESTS = 20_000

WHOLE = 1 << 32


class Pace(NamedTuple):
    """When what waits is written."""

    records: int
    """As soon as so many wait."""
    seconds: float
    """As soon as the first has waited so long."""
    quiet: float
    """As soon as the last request was so long ago."""


CALM = Pace(100, 120.0, 60.0)
"""Of a function: an object costs as much as the function's work for 60 requests, so it is not written for a few."""

PROMPT = Pace(100, 10.0, 5.0)
"""While a rollout is under way, which waits for its evidence."""

FREE = Pace(100, 10.0, 1.0)
"""Where writing costs nothing, as on a disk."""


class Pending(NamedTuple):
    """A request that waits, with as many numbers of its stream as it has records, from `first` on."""

    at: float
    """When it was answered, in seconds since 1970."""
    first: int
    records: int
    told: Answered | Refused


class Stream:
    """The records that this process writes of one version; no other process writes under its `sandbox`."""

    def __init__(self, model: str, version: str, folder: str) -> None:
        self.model, self.version = model, version
        self.sandbox = os.urandom(8).hex()
        self.last = 0
        """The number of the last record."""
        self.days = 30
        """How long the records are kept; the model's card says it, which a refusal has not."""
        self.pending: list[Pending] = []
        self.end = End.of(folder, model, version, self.sandbox)


class Buffer:
    """All that waits in this process. Threads may share it.

    Args:
        folder: where the numbers of last records are kept (`ends`).
        calm: the pace without a rollout.
        prompt: the pace while one is under way.
    """

    def __init__(self, folder: str, calm: Pace = CALM, prompt: Pace = PROMPT) -> None:
        self.folder = folder
        self._calm, self._prompt = calm, prompt
        self._streams: dict[tuple[str, str], Stream] = {}
        self._lock = RLock()  # a signal may come amid an append, on the same thread
        self.records = 0
        """Records that wait."""
        self._requests = self._values = 0
        self._oldest = self._newest = 0.0
        self._hurried = False
        self._rates: dict[tuple[str, str], float] = {}
        """Of the versions that have answered."""

    def answered(self, told: Answered) -> None:
        """Puts an answered request aside, or leaves it out by the model's rate."""
        card, found = told.model.card, told.found
        tried = getattr(told.row, "candidate", None) is not None
        self._rates[told.row.model, told.row.version] = card.capture_rate
        if not tried and not _drawn(card.capture_rate):
            return
        count = len(found.predictions if isinstance(found, Answers) else next(iter(found.values())))
        lean = told._replace(request=told.request._replace(body=None))
        self._append(told.row, lean, min(count, MOST_ROWS), count * len(card.columns), hurried=tried)

    def refused(self, told: Refused, row: LiveRow | VersionRow) -> None:
        """Puts a refused request aside; `row` is the version that would have answered.

        Before it has answered once, its rate is not known, and no refusal of it is kept.
        """
        tried = getattr(row, "candidate", None) is not None
        if tried or _drawn(self._rates.get((row.model, row.version), 0.0)):
            lean = told._replace(request=told.request._replace(body=None))
            self._append(row, lean, 1, 1, hurried=tried)

    def due(self, now: float | None = None) -> bool:
        """Whether what waits should be written."""
        if not self._requests:
            return False
        now = time.time() if now is None else now
        pace = self._prompt if self._hurried else self._calm
        return (
            self.records >= pace.records
            or now - self._oldest >= pace.seconds
            or now - self._newest >= pace.quiet
        )  # fmt: skip

    def take(self) -> list[tuple[Stream, list[Pending]]]:
        """All that waits, which is no more in the buffer."""
        with self._lock:
            taken = [(stream, stream.pending) for stream in self._streams.values() if stream.pending]
            for stream, _ in taken:
                stream.pending = []
            self.records = self._requests = self._values = 0
            self._hurried = False
        return taken

    def streams(self) -> list[Stream]:
        """All streams that this process has begun."""
        with self._lock:
            return [*self._streams.values()]

    def _append(
        self, row: LiveRow | VersionRow, told: Answered | Refused, count: int, values: int, *, hurried: bool
    ) -> None:
        now = time.time()
        with self._lock:
            stream = self._streams.get((row.model, row.version))
            if stream is None:
                stream = self._streams[row.model, row.version] = Stream(row.model, row.version, self.folder)
            first = stream.last + 1
            stream.last += count
            if stream.end is not None:
                stream.end.say(stream.last)
            if self._values + values > MOST_VALUES or self._requests >= MOST_REQUESTS:
                return
            stream.pending.append(Pending(now, first, count, told))
            if not self._requests:
                self._oldest = now
            self._newest = now
            self._requests += 1
            self.records += count
            self._values += values
            self._hurried |= hurried


def _drawn(rate: float) -> bool:
    """Whether a request is one of this share."""
    return rate >= 1 or _chance() < rate * WHOLE


def _chance() -> int:
    """From 0 to `WHOLE`; the module `random` would be another import of a cold start."""
    return int.from_bytes(os.urandom(4), "little")
