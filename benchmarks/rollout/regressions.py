"""Fifty candidates with something wrong, each seeded, and the word that the reason of their refusal must hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.rollout.simulated import Behaviour, honest
from dropforge.metrics.evidence import NOTICED

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from benchmarks.rollout.pairs import Pool

FLIPPED = (0.05, 0.1, 0.2, 0.35, 0.5)
SEEDS = 10


class Regression(NamedTuple):
    """A candidate with something wrong."""

    what: str
    behaviour: Behaviour
    named: tuple[str, ...]
    """Words of which the reason must hold one."""


def regressions(pools: list[Pool]) -> list[Regression]:
    """Ten of each kind, dealt to the pools in turn; classes are swapped where there are classes."""
    found = []
    for kind, make in KINDS.items():
        fitting = [pool for pool in pools if FITS.get(kind, bool)(pool)]
        found += [make(fitting[seed % len(fitting)], np.random.default_rng(seed), seed) for seed in range(SEEDS)]
    return found


def failing_rows(share: float, rows: int, chance: np.random.Generator) -> np.ndarray:
    """Which rows fail: exactly this share of them, bool [N]."""
    fails = np.zeros(rows, bool)
    fails[chance.permutation(rows)[: max(1, round(share * rows))]] = True
    return fails


def _slower(pool: Pool, _chance: np.random.Generator, _seed: int) -> Regression:
    behaviour = replace(honest(pool), milliseconds=pool.twice)
    return Regression("2 times slower", behaviour, ("times as long",))


def _constant(pool: Pool, chance: np.random.Generator, _seed: int) -> Regression:
    answer = pool.candidate[int(chance.integers(len(pool.candidate)))]
    behaviour = replace(honest(pool), answers=[answer] * len(pool.candidate))
    return Regression("constant output", behaviour, ("the same answer again", "otherwise", "away from"))


def _swapped(pool: Pool, _chance: np.random.Generator, _seed: int) -> Regression:
    place = {name: at for at, name in enumerate(pool.classes)}
    answers = [pool.classes[(place.get(each, 0) + 1) % len(pool.classes)] for each in pool.candidate]
    return Regression("swapped classes", replace(honest(pool), answers=answers), ("otherwise",))


def _nan(pool: Pool, chance: np.random.Generator, seed: int) -> Regression:
    share = (0.01, 0.1, 0.5, 1.0)[seed % 4]
    fails = failing_rows(share, len(pool.candidate), chance)  # Predict answers a NaN with `no_healthy_model`
    return Regression("NaN", replace(honest(pool), fails=fails), ("fails with", "alone failed"))


def _flipped(pool: Pool, chance: np.random.Generator, seed: int) -> Regression:
    share = FLIPPED[seed // 2]
    answers: list[Any] = list(pool.candidate)
    for at in np.flatnonzero(chance.random(len(answers)) < share):
        others = [name for name in pool.classes if name != answers[at]] or pool.candidate
        answers[at] = others[int(chance.integers(len(others)))]
    named = ("otherwise", "away from", "further from the true labels")
    return Regression(f"{share:.0%} flipped labels", replace(honest(pool), answers=answers), named)


KINDS: dict[str, Callable[[Pool, np.random.Generator, int], Regression]] = {
    "2 times slower": _slower, "constant output": _constant, "swapped classes": _swapped, "NaN": _nan,
    "flipped labels": _flipped,
}  # fmt: skip

FITS: dict[str, Callable[[Pool], bool]] = {
    "2 times slower": lambda pool: float(np.median(pool.twice - pool.milliseconds[:, 0])) > NOTICED,
    "swapped classes": lambda pool: bool(pool.classes),
}
"""Which pools can show a kind: half of a graph's time must be noticed, and numbers have no classes."""
