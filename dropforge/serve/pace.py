"""Predicts from earlier requests how long one will take, and so whether the event loop may handle it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.inference.http import Request

PATIENCE = 0.002
"""Seconds that health probes and small requests may wait for another request."""

SMALL = 4_096
"""Bytes below which a body's size says nothing about the time: reading and routing take most of it."""

GUESS = PATIENCE / 65_536
"""Seconds per byte assumed before the first response: some 150 rows of twenty numbers in `PATIENCE`."""


class Pace:
    """Learns the seconds per byte of a body, by route and model."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}

    def is_quick(self, request: Request) -> bool:
        """Whether the request will probably take at most `PATIENCE`."""
        size = len(request.body or b"")
        return size < SMALL or size * self._known.get(_kind(request), GUESS) <= PATIENCE

    def learn(self, request: Request, seconds: float) -> None:
        """Updates the estimate: the mean of the previous one and of this successful request."""
        size = len(request.body or b"")
        if size >= SMALL:
            found, kind = seconds / size, _kind(request)
            self._known[kind] = (self._known.get(kind, found) + found) / 2


def _kind(request: Request) -> tuple[str, str]:
    return request.resource, request.path.get("model", "")
