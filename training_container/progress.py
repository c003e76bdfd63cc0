"""What a run tells while it works: one `dropforge key=value …` line an event on standard output, and its time budget.

The lines are read by the live view and by SageMaker's metric definitions; `progress` runs from 0 to 1 over the job.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

STEPS = {"read": (0.0, 0.05), "fit": (0.05, 0.75), "export": (0.75, 0.83), "prove": (0.83, 0.87), "score": (0.87, 0.92),
         "report": (0.92, 0.98), "write": (0.98, 1.0)}  # fmt: skip
"""Step to the part of the whole job's progress that it fills."""


@dataclass(frozen=True)
class Watch:
    """Prints the progress of one job; `within` narrows it to a part of a step."""

    low: float = 0.0
    high: float = 1.0
    fields: dict[str, object] = field(default_factory=dict)
    reached: list[float] = field(default_factory=lambda: [0.0])
    """How far the whole job has been told to be: it never goes back, even where a share was only a guess."""

    def within(self, low: float, high: float, **fields: object) -> Watch:
        """A watch whose 0 to 1 is `low` to `high` of this one, and whose lines carry `fields`."""
        span = self.high - self.low
        return Watch(self.low + span * low, self.low + span * high, {**self.fields, **fields}, self.reached)

    def step(self, name: str) -> Watch:
        """A watch for one step of the job."""
        return self.within(*STEPS[name], step=name)

    def tell(self, share: float, **values: object) -> None:
        """One line: this watch's fields, then `values`, then how far the job is when `share` (0 to 1) is done."""
        progress = self.low + (self.high - self.low) * min(max(share, 0.0), 1.0)
        self.reached[0] = max(self.reached[0], progress)
        words = {**self.fields, **values, "progress": self.reached[0]}
        print("dropforge", *(f"{key}={_word(value)}" for key, value in words.items()), flush=True)


class Silent(Watch):
    """A watch that tells nothing."""

    def within(self, low: float, high: float, **fields: object) -> Silent:  # noqa: ARG002  # as its base has them
        """Still nothing."""
        return self

    def tell(self, share: float, **values: object) -> None:
        """Nothing."""


def _word(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "-".join(text.split()) or "-"


class Budget:
    """Wall-clock time that fitting may take; a part of it ends no later than the whole, and with it when it is cut."""

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
        """Whether it was cut before its time was over."""
        return self._cut.is_set()

    @property
    def left(self) -> float:
        """Seconds left, never below 0; 0 once it was cut."""
        return 0.0 if self.stopped else max(0.0, self._end - time.monotonic())

    @property
    def share(self) -> float:
        """How much is spent, 0 to 1."""
        return min(1.0, self.spent / max(self._end - self._start, 1e-9))

    def part(self, share: float) -> Budget:
        """A budget of this share of what is left."""
        return Budget(0.0, end=time.monotonic() + self.left * share, cut=self._cut)

    def cut(self) -> None:
        """Ends this budget and all its parts now: whoever works finishes what it has."""
        self._cut.set()
