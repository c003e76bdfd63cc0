"""Progress of a job: one `dropforge key=value …` line an event on standard output.

The live view and SageMaker's metric definitions read the lines; `progress` runs from 0 to 1 over the job, and while
models are fitted `budget` and `left` are the seconds that this may take and those that are left.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

STEPS = {"read": (0.0, 0.05), "fit": (0.05, 0.75), "export": (0.75, 0.83), "prove": (0.83, 0.87), "score": (0.87, 0.92),
         "report": (0.92, 0.98), "write": (0.98, 1.0)}  # fmt: skip
"""Each step of a job, and the part of the job's progress that it fills."""


@dataclass(frozen=True)
class Progress:
    """Prints the progress of one job; `within` narrows it to a part of a step."""

    low: float = 0.0
    high: float = 1.0
    fields: dict[str, object] = field(default_factory=dict)
    reached: list[float] = field(default_factory=lambda: [0.0])
    """The highest progress that was printed; it never falls, even where a share was only a guess."""
    budget: float | None = None
    """Seconds that all of this may take, None where nothing limits it."""
    end: float = 0.0
    """When they are over, by the monotonic clock."""

    def within(self, low: float, high: float, **fields: object) -> Progress:
        """A part of this progress: its 0 to 1 is `low` to `high` of this one, and its lines also carry `fields`."""
        span = self.high - self.low
        low, high = self.low + span * low, self.low + span * high
        return replace(self, low=low, high=high, fields={**self.fields, **fields})

    def limited(self, seconds: float) -> Progress:
        """The same progress, which also tells how much is left of so many seconds from now on."""
        return replace(self, budget=seconds, end=time.monotonic() + seconds)

    def step(self, name: str) -> Progress:
        """The progress of one of `STEPS`."""
        return self.within(*STEPS[name], step=name)

    def update(self, share: float, **values: object) -> None:
        """Prints one line: the fields, `values`, and the job's progress when `share` (0 to 1) of this part is done."""
        progress = self.low + (self.high - self.low) * min(max(share, 0.0), 1.0)
        self.reached[0] = max(self.reached[0], progress)
        fields = {**self.fields, **values, **self._time(), "progress": self.reached[0]}
        print("dropforge", *(f"{key}={_field_text(value)}" for key, value in fields.items()), flush=True)

    def _time(self) -> dict[str, object]:
        if self.budget is None:
            return {}
        return {"budget": round(self.budget), "left": max(0, round(self.end - time.monotonic()))}


class SilentProgress(Progress):
    """A progress that prints nothing."""

    def within(self, low: float, high: float, **fields: object) -> SilentProgress:  # noqa: ARG002  # as its base has them
        """The same: a part prints nothing either."""
        return self

    def update(self, share: float, **values: object) -> None:
        """Prints nothing."""


def _field_text(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "-".join(text.split()) or "-"
