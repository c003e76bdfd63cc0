"""The live view: states of steps, times, the curve; and the plain lines where there is no terminal."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from dropforge.cli.live import follow_live
from dropforge.cli.view import View, sparkline
from dropforge.client.runs import Changed, Ended, decoded
from dropforge.client.traininglog import Progress
from dropforge.contract.steps import STEPS
from tests.client.server import RUN, run_row


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def at(step: str, status: str = "running", **changes: Any) -> Any:
    row = decoded(run_row(step=step, status=status, **changes))
    return Changed(row) if status == "running" else Ended(row)


def fit(epoch: int, loss: float, progress: float, model: str = "neural") -> Progress:
    return Progress("fit", progress, model, epoch, {"train_loss": loss / 2, "validation_loss": loss})


def drawn(view: View) -> str:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(view)
    return console.file.getvalue()  # type: ignore[attr-defined]


def states(view: View) -> str:
    """The first letter of each step's state."""
    return "".join(view.marks[step].state[0] for step in STEPS)


def test_a_run_is_drawn_as_it_goes() -> None:
    clock = Watch()
    view = View(RUN, clock)
    assert states(view) == "wwwwwwww"
    assert f"waiting for {RUN} to be claimed" in drawn(view)
    for seconds, event in ((1.0, at("Claim")), (2.5, at("Train"))):
        clock.time = seconds
        view.update(event)
    assert states(view) == "ddrwwwww"
    for epoch, loss in enumerate((0.9, 0.5, 0.1)):
        view.update(fit(epoch, loss, 0.3 + epoch / 10))
    clock.time = 12.5
    text = drawn(view)
    assert "10.0 s regression of 'price', at most $0.06 on AWS" in text
    assert "50% fit neural epoch 2" in text
    assert "█▅▁" in text
    assert "validation loss 0.1" in text
    view.update(at("Notify", "promoted"))
    assert states(view) == "dddddddd"
    assert "1.5 s" in drawn(view)  # Claim, from its beginning to that of Train


@pytest.mark.parametrize(
    ("way", "end", "expected"),
    [
        (["Claim"], at("Claim", "duplicate"), "dsssssss"),
        (["Claim", "Inspect"], at("Notify", "rejected"), "dfsssssd"),
        (["Claim", "Train", "Judge", "Register"], at("Notify", "refused"), "dddfdssd"),
        (["Claim", "Train", "Judge", "Register", "Rehearse"], at("Notify", "refused"), "dddddfsd"),
        (["Claim", "Train", "Judge", "Promote"], at("Notify", "refused"), "ddddddfd"),
        (["Claim", "Train"], at("Train", "failed"), "ddfssssd"),
        ([], at("Notify", "promoted"), "dddddddd"),
        ([], at("Inspect", "failed"), "dfsssssd"),
        (["Claim"], at("Elsewhere", "failed"), "fssssssd"),
    ],
)
def test_every_end_leaves_no_step_waiting(way: list[str], end: Ended, expected: str) -> None:
    view = View(RUN, Watch())
    for step in way:
        view.update(at(step))
    view.update(end)
    assert states(view) == expected
    assert len(drawn(view).splitlines()) == len(STEPS)


def test_another_models_losses_begin_another_curve() -> None:
    view = View(RUN, Watch())
    view.update(at("Train"))
    for event in (fit(1, 9.0, 0.1), fit(2, 8.0, 0.2), fit(1, 3.0, 0.3, "linear"), fit(2, 1.0, 0.4, "linear")):
        view.update(event)
    assert "█▁ " in drawn(view)


def test_the_sparkline() -> None:
    assert sparkline([]) == sparkline([1.0]) == ""
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([0.0, 7.0, 3.0]) == "▁█▄"


def test_the_budget_and_the_time_that_is_left_stand_in_every_line_of_fitting() -> None:
    console = Console(file=io.StringIO(), width=200)
    fitting = [replace(fit(1, 1.0, 0.1), budget=300.0, left=251.0), replace(fit(2, 1.0, 0.3), budget=300.0, left=60.0)]
    follow_live(console, RUN, [at("Train", budget=5.0), *fitting, fit(3, 1.0, 0.9), at("Notify", "promoted")])
    train, first, second, later, _ = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert "up to 5 minutes of fitting" in train
    assert first.endswith("49 s of 5 min used, at most 4 min 11 s left")
    assert second.endswith("4 min of 5 min used, at most 1 min left")
    assert "left" not in later


def events() -> list[Any]:
    progress = [fit(epoch, 1.0, epoch / 40) for epoch in range(40)]
    return [at("Claim"), at("Train"), *progress, at("Judge"), at("Notify", "promoted")]


def test_without_a_terminal_there_are_plain_lines() -> None:
    console = Console(file=io.StringIO(), width=120)
    row = follow_live(console, RUN, events())
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert row.status == "promoted"
    assert [line.split("] ")[1].split(" ")[0] for line in lines] == [
        "Claim", *["Train"] * 11, "Judge", "promoted",
    ]  # fmt: skip
    assert all("\x1b" not in line for line in lines)


def test_on_a_terminal_the_last_frame_stays() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None, _environ={"TERM": "xterm"})
    assert follow_live(console, RUN, events()).status == "promoted"
    assert console.file.getvalue().count("✓") >= len(STEPS)  # type: ignore[attr-defined]
