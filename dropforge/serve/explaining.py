"""Explanations in threads of their own: they take turns, and abandoned ones stop.

An explanation asks the model thousands of times, for seconds. It asks in pieces of some milliseconds and then
passes its turn on: a request for one row waits for one piece of every other request and not for all of their rows.
One request is worked on at a time, so that the others' Python code does not hold up the event loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.inference.explain import ASKING
from dropforge.serve.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from dropforge.inference.http import Response

    Arrays = Mapping[str, np.ndarray]
    Ask = Callable[[Arrays], np.ndarray]

PIECE = 0.01
"""Seconds that a piece should take."""

FIRST_PIECE = 32
"""Rows of the first piece, before its model's speed is known."""


class Gone(Exception):
    """The client has disconnected."""


class Turns:
    """One request is worked on at a time; it passes its turn on after every piece."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    def begin(self, own: object) -> None:
        """Waits for the first turn of a request."""
        with self._changed:
            self._waiting.append(own)
            self._changed.wait_for(lambda: self._waiting[0] is own)

    def pass_on(self, own: object) -> None:
        """Ends the request's turn, and waits for the next one where others wait."""
        with self._changed:
            if len(self._waiting) == 1:
                return
            self._waiting.rotate(-1)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting[0] is own)

    def end(self) -> None:
        """Ends the request whose turn it is."""
        with self._changed:
            self._waiting.popleft()
            self._changed.notify_all()


class Asker:
    """Asks the model for one request, piece by piece. See `dropforge.inference.explain.Asking`."""

    def __init__(self, turns: Turns) -> None:
        self.abandoned = False
        self.waited = 0.0
        self._turns = turns
        self._rows = FIRST_PIECE

    def __call__(self, ask: Ask, feed: Arrays) -> np.ndarray:
        """The model's answers. Raises `Gone`."""
        count = len(next(iter(feed.values())))
        found, start = [], 0
        while start < count:
            part = {name: values[start : start + self._rows] for name, values in feed.items()}
            start += self._rows
            self._wait()
            begun = time.perf_counter()
            found.append(ask(part))
            spent = max(time.perf_counter() - begun, 1e-6)
            self._rows = max(1, min(2 * self._rows, int(len(found[-1]) * PIECE / spent)))
        return found[0] if len(found) == 1 else np.concatenate(found)

    def work(self, reply: Callable[[], Response]) -> Response:
        """What `reply` returns; it runs when it is this request's turn."""
        begun = time.monotonic()
        self._turns.begin(self)
        try:
            self.waited += time.monotonic() - begun
            self._check()
            return reply()
        finally:
            self._turns.end()

    def _wait(self) -> None:
        begun = time.monotonic()
        self._turns.pass_on(self)
        self.waited += time.monotonic() - begun
        self._check()

    def _check(self) -> None:
        if self.abandoned:
            raise Gone


class Explaining:
    """Answers requests for explanations, `most` at a time; it refuses further ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        self._turns = Turns()
        self._threads = ThreadPoolExecutor(most, "explain")

    async def answer(self, reply: Callable[[], Response], path: str, gone: Awaitable[None]) -> Response:
        """The response that `reply` makes in a thread.

        Args:
            reply: answers the request.
            path: of the request, for a refusal.
            gone: done when the client has disconnected.
        """
        watching: asyncio.Future[Any] = asyncio.ensure_future(gone)
        try:
            if self.busy >= self.most:
                message = f"expected at most {self.most} requests for explanations at a time: try again"
                return refusal(path, 503, "busy", message, Retry_After="5")
            return await self._answered(reply, watching)
        finally:
            watching.cancel()

    async def _answered(self, reply: Callable[[], Response], watching: asyncio.Future[Any]) -> Response:
        asker = Asker(self._turns)
        context = copy_context()
        context.run(ASKING.set, asker)
        self.busy += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, context.run, asker.work, reply)
        work.add_done_callback(self._done)
        try:
            await asyncio.wait((work, watching), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise Gone
            return work.result()
        finally:
            asker.abandoned = True  # where the server stops too

    def _done(self, work: asyncio.Future[Any]) -> None:
        self.busy -= 1
        work.exception()  # of one that nobody waits for any more
