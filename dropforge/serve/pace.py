"""How long an answer is likely to take, by earlier ones: whether it may hold up the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.inference.http import Request

PATIENCE = 0.002
"""Seconds that health probes and small requests may wait for another's answer."""

SMALL = 4_096
"""Bytes below which a body says nothing of the time: reading and routing take most of it."""

GUESS = PATIENCE / 65_536
"""Seconds a byte before an answer has shown it: some 150 rows of twenty numbers in `PATIENCE`."""


class Pace:
    """Seconds that a byte of a body takes, by route and model."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], float] = {}

    def is_quick(self, request: Request) -> bool:
        """Whether the answer will likely be there within `PATIENCE`."""
        size = len(request.body or b"")
        return size < SMALL or size * self._known.get(_kind(request), GUESS) <= PATIENCE

    def learn(self, request: Request, seconds: float) -> None:
        """Remembers what a good answer took, half and half with what was known."""
        size = len(request.body or b"")
        if size >= SMALL:
            found, kind = seconds / size, _kind(request)
            self._known[kind] = (self._known.get(kind, found) + found) / 2


def _kind(request: Request) -> tuple[str, str]:
    return request.resource, request.path.get("model", "")
