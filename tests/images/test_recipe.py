"""The width is chosen by the clock, and a moment's hiccup must not choose it."""

from __future__ import annotations

import time

import numpy as np
import torch

from dropforge.contract.schema import ImageInput
from training_container.budget import Budget
from training_container.progress import SilentProgress
from training_container.tasks.images import choosing
from training_container.tasks.images import fit as fitting
from training_container.tasks.images.choosing import seconds_of_step, widest
from training_container.tasks.images.fit import fit
from training_container.tasks.images.recipe import Recipe
from training_container.tasks.images.sets import ImageSet, Pictures
from training_container.tasks.images.steps import Material

WAYS = [Recipe(width, 1, half=False) for width in (8, 16, 24)]


def measured(*seconds: float):
    """Gives these one after the other; remembers for which width."""
    asked, left = [], list(seconds)

    def measure(way: Recipe) -> float:
        asked.append(way.width)
        return left.pop(0)

    return measure, asked


def test_a_hiccup_does_not_choose_the_width():
    measure, asked = measured(9.0, 0.1, 7.0, 0.2, 0.3)
    assert widest(WAYS, 0.5, measure) == (WAYS[2], 0.3)
    assert asked == [8, 8, 16, 16, 24]


def test_what_is_slow_twice_is_too_slow():
    measure, asked = measured(0.1, 0.1, 0.6, 0.7)
    assert widest(WAYS, 0.5, measure) == (WAYS[0], 0.1)
    assert asked == [8, 8, 16, 16]


def test_the_narrowest_is_taken_however_slow():
    assert widest(WAYS, 0.01, measured(0.2, 0.1, 0.3, 0.3)[0]) == (WAYS[0], 0.1)


def few() -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    every = Pictures(pixels, np.arange(60) % 2, tuple(map(str, range(60))))
    parts = (every.take(np.arange(first, first + 20)) for first in (0, 20, 40))
    return ImageSet(("a", "b"), ImageInput(8, 8, 1), *parts, counts={})


def test_a_probe_is_the_median_of_several_steps(monkeypatch):
    ticks = [0.0, 5.0, 5.0, 5.1, 5.1, 15.1, 15.1, 15.2, 15.2, 15.4, 15.4, 25.4, 25.4, 25.5, 25.5, 25.7]
    times = iter(ticks)
    monkeypatch.setattr(choosing.time, "monotonic", lambda: next(times))
    found = seconds_of_step(Material.of(few(), torch.device("cpu")), WAYS[0], limit=1e9)
    assert round(found, 6) == 0.2  # of 0.1, 10, 0.1, 0.2, 10, 0.1, 0.2: two hiccups in seven


def test_choosing_that_takes_the_whole_time_leaves_the_rest_to_training(monkeypatch):
    """As on a machine where the libraries alone take seconds to load."""

    def slow(*_: object) -> Recipe:
        time.sleep(2)
        return Recipe(width=8, threads=1, half=False)

    monkeypatch.setattr(fitting, "choose", slow)
    budget = Budget(1.5 / 60)
    done = fit(few(), minutes=1.5 / 60, seed=0, progress=SilentProgress(), device=torch.device("cpu"), budget=budget)
    assert budget.left == 0
    assert done.seconds > 1.2  # of 1.5, of which choosing counts as 0.45


def test_a_cut_budget_ends_fitting_with_a_network():
    budget = Budget(5.0)
    budget.cut()
    done = fit(few(), minutes=0.02, seed=0, progress=SilentProgress(), device=torch.device("cpu"), budget=budget)
    assert done.epochs == 0
    assert done.validation["logloss"] > 0
