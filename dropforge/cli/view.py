"""The state of a watched run, and how it is drawn on a terminal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from dropforge.cli.shell import clean
from dropforge.cli.tables import dollars, minutes
from dropforge.client.batchruns import rows_done
from dropforge.client.runs import Changed, Ended
from dropforge.client.traininglog import Progress
from dropforge.contract.figures import figure
from dropforge.contract.hops import sentence
from dropforge.contract.registry import BatchRun, TrainingRun
from dropforge.contract.steps import BATCH_STEPS, STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from dropforge.client.runs import Event
    from dropforge.contract.registry import RunRow

State = Literal["waiting", "running", "done", "failed", "skipped"]
MARKS: dict[State, tuple[str, str]] = {
    "waiting": ("·", "dim"), "done": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("–", "dim"),
}  # fmt: skip
BARS = "▁▂▃▄▅▆▇█"
BAR_WIDTH = 28
REMEMBERED = 32
"""Losses in the sparkline."""


@dataclass
class Mark:
    """The state and the times of one step."""

    state: State = "waiting"
    began: float | None = None
    ended: float | None = None


class View:
    """Draws a run as a list of its steps; `now` is a clock in seconds."""

    def __init__(self, run: str, now: Callable[[], float]) -> None:
        self._run = run
        self._now = now
        self._start = now()
        self._row: RunRow | None = None
        self._progress: Progress | None = None
        self._curve: deque[float] = deque(maxlen=REMEMBERED)
        self._spinner = Spinner("dots", style="cyan")
        self.marks: dict[str, Mark] = {step: Mark() for step in STEPS}
        self._steps: tuple[str, ...] = STEPS

    def update(self, event: Event) -> None:
        """Updates the view with one event."""
        if isinstance(event, Progress):
            self._learn(event)
        elif isinstance(event, Changed):
            self._learn_kind(event.row)
            self._reach(event.row.step)
        elif isinstance(event, Ended):
            self._learn_kind(event.row)
            self._close(event.row)

    def _learn_kind(self, row: RunRow) -> None:
        """Switches to the steps of a batch if the run is one."""
        if isinstance(row, BatchRun) and self._steps != BATCH_STEPS:
            self._steps = BATCH_STEPS
            self.marks = {step: Mark() for step in BATCH_STEPS}
        self._row = row

    @property
    def elapsed(self) -> str:
        """Time since the watching began."""
        return f"[{self._now() - self._start:5.1f} s]"

    @property
    def at_work(self) -> str:
        """The current activity of the training job."""
        event = self._progress
        if event is None:
            return ""
        epoch = f"epoch {event.epoch}" if event.epoch is not None else ""
        return clean(" ".join(word for word in (event.step, event.model or "", epoch) if word))

    @property
    def losses(self) -> str:
        """The latest losses of the training job."""
        values = self._progress.values if self._progress else {}
        shown = [f"{name.replace('_', ' ')} {figure(value)}" for name, value in values.items() if "loss" in name]
        return clean("  ".join(shown[:3]))

    @property
    def time_left(self) -> str:
        """How much of the budget fitting has used, and what is left; empty while nothing is fitted."""
        event = self._progress
        if event is None or event.budget is None or event.left is None:
            return ""
        return f"{span(event.budget - event.left)} of {span(event.budget)} used, at most {span(event.left)} left"

    def about(self, step: str) -> str:
        """The details shown next to the name of a step."""
        row = self._row
        if isinstance(row, BatchRun) and step == "Answer":
            return rows_done(row)
        if not isinstance(row, TrainingRun) or step != "Train" or row.target is None:
            return ""
        budget = f", up to {minutes(row.budget)} of fitting" if row.budget else ""
        forecast = f", at most {dollars(row.forecast)} on AWS" if row.forecast else ""
        moved = f"; {sentence(row.hops[-1])}" if row.hops else ""
        return clean(f"{row.task} of {row.target!r}{budget}{forecast}{moved}")

    def __rich__(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        for _ in range(3):
            grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for step in self._steps:
            grid.add_row(self._mark(step), self._name(step), self._spent(step), self._detail(step))
            if step == "Train" and self.marks[step].state == "running" and self._progress is not None:
                grid.add_row("", "", "", self._work())
        return grid

    def _learn(self, event: Progress) -> None:
        if self._progress is None or event.model != self._progress.model:
            self._curve.clear()  # another model's losses are another curve
        loss = next((value for name, value in event.values.items() if "validation" in name), None)
        if loss is not None:
            self._curve.append(loss)
        self._progress = event

    def _reach(self, step: str) -> None:
        """Marks `step` as running and everything before it as done."""
        at = self._steps.index(step) if step in self._steps else 0
        for index, mark in enumerate(self.marks.values()):
            if index < at and mark.state != "done":
                self._end(mark, "done")
            elif index == at and mark.state == "waiting":
                mark.state, mark.began = "running", self._now()

    def _close(self, row: RunRow) -> None:
        """Marks every step once the run has ended."""
        stopped = self._stopped_at(row)
        at = len(self._steps) if stopped is None else self._steps.index(stopped)
        for index, (step, mark) in enumerate(self.marks.items()):
            if step == stopped and row.status != "duplicate":
                self._end(mark, "failed")
            elif index <= at or mark.state == "done" or (step == "Notify" and row.status != "duplicate"):
                self._end(mark, "done")
            elif row.status == "refused" and step == "Register":
                self._end(mark, "done")  # a refused version is registered too
            else:
                mark.state = "skipped"

    def _stopped_at(self, row: RunRow) -> str | None:
        """The step at which the run stopped; None if it reached the end."""
        if row.status == "refused":
            reached = [step for step in ("Rehearse", "Promote") if self.marks[step].state != "waiting"]
            return reached[-1] if reached else "Judge"
        if row.status == "failed":
            return row.step if row.step in self._steps else "Claim"
        refused_by = "Plan" if isinstance(row, BatchRun) else "Inspect"
        return {"rejected": refused_by, "duplicate": "Claim"}.get(row.status)

    def _end(self, mark: Mark, state: State) -> None:
        mark.state = state
        if mark.began is not None and mark.ended is None:
            mark.ended = self._now()

    def _mark(self, step: str) -> RenderableType:
        state = self.marks[step].state
        if state == "running":
            return self._spinner
        sign, style = MARKS[state]
        return Text(sign, style=style)

    def _name(self, step: str) -> Text:
        state = self.marks[step].state
        return Text(f"{step:9}", style="bold" if state == "running" else MARKS.get(state, ("", ""))[1])

    def _spent(self, step: str) -> Text:
        mark = self.marks[step]
        if mark.began is None:
            return Text(" " * 8)
        return Text(f"{(mark.ended or self._now()) - mark.began:6.1f} s", style="dim")

    def _detail(self, step: str) -> RenderableType:
        if step == "Claim" and self._row is None:
            return Text(f"waiting for {self._run} to be claimed", style="dim")
        return Text(self.about(step), style="dim")

    def _work(self) -> RenderableType:
        """The progress of training: bar, share, current model, losses and their curve."""
        assert self._progress is not None
        grid = Table.grid(padding=(0, 1))
        share = self._progress.progress or 0.0
        grid.add_row(ProgressBar(1.0, share, width=BAR_WIDTH), Text(f"{share:4.0%}"), Text(self.at_work))
        if self.time_left:
            grid.add_row(Text(self.time_left, style="dim"), "", "")
        grid.add_row(Text(sparkline(self._curve), style="cyan"), "", Text(self.losses, style="dim"))
        return grid


def span(seconds: float) -> str:
    """A time in minutes and seconds: `4 min 11 s`."""
    whole = max(0, round(seconds))
    parts = [f"{whole // 60} min"] if whole >= 60 else []
    return " ".join([*parts, *([f"{whole % 60} s"] if whole % 60 or not parts else [])])


def sparkline(values: Sequence[float] | deque[float]) -> str:
    """The values as a row of small bars; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    low, span = min(values), max(values) - min(values)
    heights = (round((value - low) / span * (len(BARS) - 1)) if span else 0 for value in values)
    return "".join(BARS[height] for height in heights)
