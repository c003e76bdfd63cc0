"""Folds over several devices: two processes on the CPU stand for two GPUs and leave what one process does."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.models import spread
from training_container.models.network import Settings
from training_container.models.neural import Neural
from training_container.models.predictor import predict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Set

    from training_container.progress import Progress

QUICK = Neural(Settings(epochs=40, patience=40, width=24, bins=8))


@pytest.fixture
def two_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "devices", lambda: [torch.device("cpu")] * 2)


def test_folds_are_dealt_in_turn(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem = posed("cars").problem
    places = [torch.device("cuda", at) for at in range(3)]
    made = spread.shares(problem, Settings(), "neural", Budget(1), quiet, places)
    assert [share.folds for share in made] == [(0, 3), (1, 4), (2,)]
    assert [share.device for share in made] == places
    assert all(share.problem.rows.numbers.device.type == "cpu" for share in made)


@pytest.mark.long
@pytest.mark.parametrize("name", ["cars", "penguins"])
def test_two_processes_leave_what_one_does(
    posed: Callable[[str], Set], quiet: Progress, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = posed(name)
    alone = QUICK.fit(given.problem, Budget(1), quiet)
    monkeypatch.setattr(spread, "devices", lambda: [torch.device("cpu")] * 2)
    both = QUICK.fit(given.problem, Budget(1), quiet)
    assert both.validation[given.problem.metric] == pytest.approx(alone.validation[given.problem.metric], rel=0.1)
    assert both.settings["epochs"] == 40 and len(both.curves["validation_loss"]) == 40
    rows = given.problem.rows
    answers = predict(both.predictor, rows)
    assert np.isfinite(answers).all()
    seen = given.problem.score(answers)[given.problem.metric]
    assert given.problem.better({given.problem.metric: seen}, {given.problem.metric: _trivial(given)})


def _trivial(given: Set) -> float:
    """The score of an answer that is the same for every row."""
    problem = given.problem
    if not problem.classes:
        return problem.score(np.full(len(problem.target), problem.target.mean()))[problem.metric]
    shares = np.bincount(problem.target) / len(problem.target)
    return problem.score(np.tile(shares, (len(problem.target), 1)))[problem.metric]


@pytest.mark.long
@pytest.mark.usefixtures("two_devices")
def test_a_cut_reaches_the_processes(posed: Callable[[str], Set], quiet: Progress) -> None:
    problem, budget = posed("houses").problem, Budget(5)
    threading.Timer(8, budget.cut).start()
    start = time.monotonic()
    fitted = Neural(Settings(epochs=100_000, patience=100_000, width=24, bins=8)).fit(problem, budget, quiet)
    assert time.monotonic() - start < 60
    assert fitted.settings["epochs"] >= 1


@pytest.mark.long
@pytest.mark.usefixtures("two_devices")
def test_each_process_goes_on_from_its_checkpoint(posed: Callable[[str], Set], quiet: Progress, tmp_path: Path) -> None:
    problem = replace(posed("cars").problem, checkpoints=Checkpoints.open(tmp_path, {"run": "one"}))
    first = QUICK.fit(problem, Budget(1), quiet)
    assert (tmp_path / "neural" / "1-of-2" / "epoch").is_file() and (tmp_path / "neural" / "2-of-2" / "epoch").is_file()
    start = time.monotonic()
    again = QUICK.fit(problem, Budget(0.0), quiet)  # nothing is left to do, and no time to do it
    assert again.settings["epochs"] == first.settings["epochs"] and time.monotonic() - start < 40
    np.testing.assert_array_equal(again.answers, first.answers)
