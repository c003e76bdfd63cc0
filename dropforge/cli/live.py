"""A run as people watch it: the steps, how long each took, and how training goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dropforge.client.runs import Changed, Ended, Event
from dropforge.client.traininglog import Progress
from dropforge.contract.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console, RenderableType

    from dropforge.contract.registry import RunRow

BARS = "▁▂▃▄▅▆▇█"
SHOWN = 40
"""Losses in the little curve."""
MARKS = {"done": "[green]✓[/]", "running": "[yellow]●[/]", "failed": "[red]✗[/]", "waiting": "[dim]·[/]"}
ENDED_WELL = ("promoted", "duplicate", "refused")


@dataclass
class View:
    """What has been seen of one run so far."""

    row: RunRow | None = None
    progress: float = 0.0
    at_work: str = ""
    """The model family that is fitted, or the trainer's own step."""
    losses: list[float] = field(default_factory=list)
    entered: dict[str, float] = field(default_factory=dict)

    def see(self, event: Event) -> None:
        """Takes in one event."""
        if isinstance(event, Progress):
            self.progress = self.progress if event.progress is None else event.progress
            self.at_work = event.model or event.step
            if "validation_loss" in event.values:
                self.losses.append(event.values["validation_loss"])
        elif isinstance(event, Changed | Ended):
            self.row = event.row
            self.entered.setdefault(event.row.step, time.monotonic())

    def state_of(self, step: str) -> str:
        """`waiting`, `running`, `done` or `failed`."""
        if self.row is None or self.row.step not in STEPS:
            return "waiting"
        at, now = STEPS.index(step), STEPS.index(self.row.step)
        if self.row.status == "running":
            return "done" if at < now else "running" if at == now else "waiting"
        if at == now and self.row.status not in ENDED_WELL and self.row.step != "Notify":
            return "failed"
        return "done" if step in self.entered or at <= now and self.row.status == "promoted" else "waiting"

    def seconds(self, step: str) -> str:
        """How long the step took, as far as it was watched."""
        later = [self.entered[name] for name in STEPS[STEPS.index(step) + 1 :] if name in self.entered]
        if step not in self.entered:
            return ""
        end = min(later) if later else time.monotonic()
        return f"{end - self.entered[step]:.1f} s"

    def __rich__(self) -> RenderableType:
        """The steps in a line each, training with its progress and its loss."""
        table = Table.grid(padding=(0, 2))
        for step in STEPS:
            state = self.state_of(step)
            table.add_row(MARKS[state], step, self.seconds(step), self._beside(step, state))
        return Group(table)

    def _beside(self, step: str, state: str) -> RenderableType:
        if step != "Train" or state == "waiting" or not self.at_work:
            return ""
        line = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=1.0, completed=self.progress, width=24)
        line.add_row(bar, self._told(), Text(sparkline(self.losses), style="cyan"))
        return line

    def _told(self) -> str:
        loss = f" validation loss {self.losses[-1]:.4g}" if self.losses else ""
        return f"{self.at_work}{loss}"


def sparkline(values: list[float]) -> str:
    """The last values as a row of little bars; empty without two different ones."""
    shown = values[-SHOWN:]
    low, high = (min(shown), max(shown)) if shown else (0.0, 0.0)
    if low == high:
        return ""
    return "".join(BARS[int((value - low) / (high - low) * (len(BARS) - 1))] for value in shown)


def watch(events: Iterable[Event], console: Console) -> RunRow:
    """Shows a run until it has ended and gives its last row; plain lines where there is no terminal."""
    view = View()
    if console.is_terminal:
        with Live(view, console=console, refresh_per_second=8):
            for event in events:
                view.see(event)
    else:
        for event in events:
            _print(event, view, console)
            view.see(event)
    assert view.row is not None
    return view.row


def _print(event: Event, view: View, console: Console) -> None:
    """A line for every new step, and for every tenth of the training."""
    if isinstance(event, Changed | Ended):
        if view.row is None or event.row.step != view.row.step:
            console.print(event.row.step)
    elif isinstance(event, Progress) and event.progress is not None:
        if int(event.progress * 10) > int(view.progress * 10):
            console.print(f"  training {event.progress:.0%} {event.model or event.step}")
