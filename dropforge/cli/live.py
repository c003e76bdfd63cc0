"""The live view of a run: its steps, their times and the progress of training; plain lines without a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live

from dropforge.cli.remarks import warnings_text
from dropforge.cli.view import View
from dropforge.client.runs import Changed, Ended
from dropforge.client.traininglog import Progress
from dropforge.contract.registry import BatchRun, TrainingRun

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from dropforge.client.runs import Event
    from dropforge.contract.registry import RunRow

PER_SECOND = 8
TENTHS = 0.1
"""The share of training after which another line is written."""


def follow_live(console: Console, run: str, events: Iterable[Event]) -> RunRow:
    """Shows the events as they arrive; returns the final row of the run."""
    view = View(run, time.monotonic)
    if not console.is_terminal or console.is_dumb_terminal:
        return _lines(console, view, events)
    with Live(view, console=console, refresh_per_second=PER_SECOND):
        for event in _warning_early(console, events):
            view.update(event)
            if isinstance(event, Ended):
                return event.row
    raise AssertionError("a run's events end with Ended")


def _warning_early(console: Console, events: Iterable[Event]) -> Iterator[Event]:
    """The events; what warns of the data is printed as soon as Inspect has said it, before time goes into training."""
    warned = False
    for event in events:
        if isinstance(event, Changed) and isinstance(event.row, TrainingRun) and event.row.remarks and not warned:
            warned = True
            for line in warnings_text(event.row):
                console.print(line, soft_wrap=True)
        yield event


def _lines(console: Console, view: View, events: Iterable[Event]) -> RunRow:
    """Prints one line per step, and one for every tenth of training."""
    said, told = "", -1.0
    for event in _warning_early(console, events):
        view.update(event)
        if isinstance(event, Ended):
            console.print(f"{view.elapsed} {event.row.status}", soft_wrap=True)
            return event.row
        if isinstance(event, Changed) and event.row.step != said:
            said = event.row.step
            console.print(f"{view.elapsed} {said} {view.about(said)}".rstrip(), soft_wrap=True)
        elif isinstance(event, Changed) and view.about(said) and isinstance(event.row, BatchRun):
            console.print(f"{view.elapsed} {said} {view.about(said)}", soft_wrap=True)
        elif isinstance(event, Progress) and (event.progress or 0.0) >= told + TENTHS:
            told = event.progress or 0.0
            told_of = (view.at_work, view.losses, view.time_left)
            console.print(" ".join([view.elapsed, f"Train {told:.0%}", *filter(None, told_of)]), soft_wrap=True)
    raise AssertionError("a run's events end with Ended")
