"""The bootstrap and the permutation test of rows that are alike in groups: whole groups are drawn and dealt.

Twelve visits of a patient are hardly more than one: drawing single rows would give intervals that are too narrow by the
square root of about as many, and almost any answer would seem to be beyond chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from dropforge.metrics.weighted import Figures

    Array = np.ndarray

CHUNK = 2_000_000
"""Weights of rows that are held in memory at once."""


def by_group(groups: Array, figures: Callable[[Array], Figures]) -> Callable[[Array], Figures]:
    """From positions of some groups to the metrics under weights of these, where `figures` takes positions of rows.

    `groups` is the group of each row, int64 [N] from 0.
    """

    def of_groups(some: Array) -> Figures:
        place = np.full(int(groups.max()) + 1, -1)
        place[some] = np.arange(len(some))
        rows = np.flatnonzero(place[groups] >= 0)
        of_rows, own = figures(rows), place[groups[rows]]

        def weighted(weights: Array) -> dict[str, Array]:
            size = max(1, CHUNK // max(1, len(own)))
            parts = [of_rows(weights[start : start + size][:, own]) for start in range(0, len(weights), size)]
            return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

        return weighted

    return of_groups


def shuffled_groups(answers: Array, groups: Array, chance: np.random.Generator) -> Array:
    """The answers dealt to other rows, so that those of one group stay together and in their order.

    Where groups differ in size, one group's may fall to the end of one group and the start of the next.
    """
    order = np.argsort(groups, kind="stable")
    dealt = chance.permutation(int(groups.max()) + 1)[groups]
    found = np.empty_like(answers)
    found[order] = answers[np.argsort(dealt, kind="stable")]
    return found
