"""The wall-clock time that a job may spend on fitting, and its parts."""

from __future__ import annotations

import threading
import time


class Budget:
    """A time limit; a part of it ends no later than the whole, and all parts end when the whole is cut.

    budget = Budget(5.0)        # minutes
    first = budget.part(0.3)    # a budget of 30 % of what is left
    while first.left: ...
    """

    def __init__(self, minutes: float, *, end: float | None = None, cut: threading.Event | None = None) -> None:
        self._start = time.monotonic()
        self._end = self._start + minutes * 60 if end is None else end
        self._cut = cut or threading.Event()

    @property
    def spent(self) -> float:
        """Seconds since the budget was opened."""
        return time.monotonic() - self._start

    @property
    def stopped(self) -> bool:
        """Whether the budget was cut before its time was over."""
        return self._cut.is_set()

    @property
    def left(self) -> float:
        """Seconds left, never below 0; 0 once the budget was cut."""
        return 0.0 if self.stopped else max(0.0, self._end - time.monotonic())

    @property
    def share(self) -> float:
        """The share of the budget that is spent, 0 to 1."""
        return min(1.0, self.spent / max(self._end - self._start, 1e-9))

    def part(self, share: float) -> Budget:
        """A budget of this share of the time that is left."""
        return Budget(0.0, end=time.monotonic() + self.left * share, cut=self._cut)

    def cut(self) -> None:
        """Ends this budget and all its parts now, so that fitting returns the model that it has."""
        self._cut.set()
