"""How a network is to be trained here and now: what this machine does fastest, as wide as the budget allows, and flips
only where the validation part says that they help."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from training_container.tasks.images.recipe import Recipe
from training_container.tasks.images.steps import Learner, logloss
from training_container.threads import cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training_container.tasks.images.steps import Material

WIDTHS = (8, 16, 24, 32, 48, 64)
"""The dial: channels of the first stage."""
LEAST_EPOCHS = 10
"""The widest network is taken that can be trained for so many epochs within the budget."""
LARGEST_SMALL_SET = 10_000
"""Below this many pictures, `WIDTH_OF_SMALL_SET` is wide enough: a wider one learns them by heart."""
WIDTH_OF_SMALL_SET = 24
FLIP_TRIAL_SHARE = 0.05
"""Part of the budget for each of the two trials of flips."""
FLIP_TRIAL_EPOCHS = 4
PROBE_STEPS, FEWEST_PROBES = 7, 3
PROBE_SHARE = 0.01
"""Part of the budget after which a probe is content with `FEWEST_PROBES` steps."""
HOPELESS_FACTOR = 8
"""Times slower, and a way is not probed further: on a busy machine, threads that wait for each other take seconds."""


def choose(material: Material, seconds: float, seed: int) -> Recipe:
    """The recipe for a budget of `seconds`; takes about a tenth of them."""
    Learner.fresh(material, Recipe(WIDTHS[0], 1, half=False), seed).step(material.some(0), share=0.5)  # loads libraries
    recipe = fastest(material, seconds * PROBE_SHARE)
    rows = len(material.train_codes)
    longest = seconds * (0.95 - 2 * FLIP_TRIAL_SHARE) / (LEAST_EPOCHS * material.batches)
    widths = [width for width in WIDTHS if rows >= LARGEST_SMALL_SET or width <= WIDTH_OF_SMALL_SET]
    ways = [replace(recipe, width=width) for width in widths]
    recipe, step = widest(ways, longest, lambda way: seconds_of_step(material, way, seconds * PROBE_SHARE))
    return try_flips(material, recipe, max(2, int(seconds * FLIP_TRIAL_SHARE / step)), seed)


def widest(ways: Sequence[Recipe], longest: float, measure: Callable[[Recipe], float]) -> tuple[Recipe, float]:
    """The last of `ways` (from narrow to wide) whose step takes at most `longest` seconds, and what it takes.

    A way that seems too slow is measured a second time, and so is the narrowest: another process that held the machine
    for a moment must not decide what is learned for the whole run.
    """
    chosen = ways[0], min(measure(ways[0]), measure(ways[0]))
    for way in ways[1:]:
        taken = measure(way)
        if taken > longest:
            taken = min(taken, measure(way))
        if taken > longest:
            break
        chosen = way, taken
    return chosen


def fastest(material: Material, limit: float) -> Recipe:
    """Threads and precision that take the least time for a step of a small network."""
    if material.device.type == "cuda":
        return Recipe(WIDTHS[0], torch.get_num_threads(), half=True)
    tried: list[tuple[float, Recipe]] = []
    for threads in sorted({1, min(4, cores())}):
        for half in (False, True):
            way = Recipe(16, threads, half)
            tried.append((seconds_of_step(material, way, limit), way))
            if tried[-1][0] > HOPELESS_FACTOR * min(taken for taken, _ in tried):
                break  # so many threads wait for each other, in any precision
    return min(tried, key=lambda pair: pair[0])[1]


def seconds_of_step(material: Material, recipe: Recipe, limit: float) -> float:
    """The median of several steps, after one that is not counted; of fewer where they take `limit` seconds."""
    learner = Learner.fresh(material, recipe, seed=0)
    took: list[float] = []
    for step in range(PROBE_STEPS + 1):
        start = time.monotonic()
        learner.step(material.some(step), share=0.5)
        material.wait()
        took.append(time.monotonic() - start)
        if took[0] > HOPELESS_FACTOR * limit:
            return took[0]
        if sum(took[1:]) > limit * (1 if step >= FEWEST_PROBES else HOPELESS_FACTOR):
            break
    return sorted(took[1:])[(len(took) - 1) // 2]


def try_flips(material: Material, recipe: Recipe, steps: int, seed: int) -> Recipe:
    """The recipe with flips where a short run with them has the lower validation log-loss than the same without."""
    steps = min(steps, FLIP_TRIAL_EPOCHS * material.batches)
    losses = []
    for flip in (False, True):
        learner = Learner.fresh(material, replace(recipe, flip=flip), seed)
        for step in range(steps):
            learner.step(material.some(step), share=step / steps)
        losses.append(logloss(learner.averaged(), material))
    return replace(recipe, flip=losses[1] < losses[0], flip_trial=(losses[0], losses[1]))
