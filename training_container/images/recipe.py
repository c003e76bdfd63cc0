"""How a network is to be trained here and now: what this machine does fastest, as wide as the budget allows, and flips
only where the validation part says that they help."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from training_container.images.steps import BATCH, Learner, logloss

if TYPE_CHECKING:
    from training_container.images.steps import Material

WIDTHS = (8, 16, 24, 32, 48, 64)
"""The dial: channels of the first stage."""
EPOCHS = 10
"""The widest network is taken that can see every picture this often within the budget."""
LARGEST_SMALL_SET = 10_000
"""Below this many pictures, `WIDTH_OF_SMALL_SET` is wide enough: a wider one learns them by heart."""
WIDTH_OF_SMALL_SET = 24
TRIAL = 0.05
"""Part of the budget for each of the two trials of flips."""
TRIAL_EPOCHS = 4
PROBE_STEPS = 3


@dataclass(frozen=True)
class Recipe:
    """Every choice that one training run is made with."""

    width: int
    threads: int
    half: bool
    """bfloat16 in the convolutions, float32 in weights, norms and loss."""
    flip: bool = False
    flip_trial: tuple[float, float] | None = None
    """Validation log-loss of the trials without and with flips; None where neither was run."""

    def to_json(self) -> dict[str, Any]:
        """Plain values, for metrics and checkpoint."""
        return asdict(self)


def choose(material: Material, seconds: float, seed: int) -> Recipe:
    """The recipe for a budget of `seconds`; takes about a tenth of them."""
    recipe, step = fastest(material), 1.0
    batches = max(1, len(material.train_codes) // BATCH)
    widest = WIDTH_OF_SMALL_SET if len(material.train_codes) < LARGEST_SMALL_SET else WIDTHS[-1]
    for width in [each for each in WIDTHS if each <= widest]:
        wider = replace(recipe, width=width)
        taken = seconds_of_step(material, wider)
        if width > WIDTHS[0] and seconds * (0.95 - 2 * TRIAL) < EPOCHS * batches * taken:
            break
        recipe, step = wider, taken
    return try_flips(material, recipe, max(2, int(seconds * TRIAL / step)), seed)


def fastest(material: Material) -> Recipe:
    """Threads and precision that take the least time for a step of a small network."""
    if material.device.type == "cuda":
        return Recipe(WIDTHS[0], torch.get_num_threads(), half=True)
    cores = min(4, len(os.sched_getaffinity(0)))
    ways = [Recipe(16, threads, half) for threads in sorted({1, cores}) for half in (False, True)]
    return min(ways, key=lambda way: seconds_of_step(material, way))


def seconds_of_step(material: Material, recipe: Recipe) -> float:
    """The median of a few steps, after one that is not counted."""
    learner = Learner.fresh(material, recipe, seed=0)
    took = []
    for at in range(PROBE_STEPS + 1):
        start = time.monotonic()
        learner.step(material.some(at), share=0.5)
        material.wait()
        took.append(time.monotonic() - start)
    return sorted(took[1:])[PROBE_STEPS // 2]


def try_flips(material: Material, recipe: Recipe, steps: int, seed: int) -> Recipe:
    """The recipe with flips where a short run with them has the lower validation log-loss than the same without."""
    steps = min(steps, TRIAL_EPOCHS * -(-len(material.train_codes) // BATCH))
    losses = []
    for flip in (False, True):
        learner = Learner.fresh(material, replace(recipe, flip=flip), seed)
        for at in range(steps):
            learner.step(material.some(at), share=at / steps)
        losses.append(logloss(learner.averaged(), material))
    return replace(recipe, flip=losses[1] < losses[0], flip_trial=(losses[0], losses[1]))
