"""Shapley values of a row's columns, from calls of a model alone: which column moved the answer, and how far.

The game: a coalition of columns is worth the model's answer when those columns come from the row and all others from a
background row, in the mean over the background rows (interventional Shapley values: Lundberg & Lee 2017; Janzing,
Minorics & Blöbaum 2020). Every background row gets orders of its own, in which the row's values replace its values one
by one; a column's contribution is the mean change of the answer when its value comes in (Štrumbelj & Kononenko 2014).
Orders come in pairs, one the reverse of the other (Mitchell et al. 2022): exact where columns interact two at a time.

Along an order the changes add up to the row's answer minus the background row's, so that contributions add up however
few orders there are. A column that has the same value in both rows changes nothing and is not asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray
    Mixed = Callable[[Array, Array], Array]

SEED = 20_140_801
"""Of the orders: the same row always gets the same explanation."""

EVERY_ORDER = 3
"""Up to so many columns all orders are taken, and the values are exact."""


MOST_AT_ONCE = 2_048
"""Mixtures that the model is asked for in one call."""

CELLS = 1_000_000
"""Values of mixtures that are laid out at once, where there are many columns."""


@dataclass(frozen=True)
class Shares:
    """Contributions [columns] that add up to the row's answer minus the background's mean, and their errors."""

    contributions: Array
    errors: Array
    """Standard errors over the background rows, [columns]: of the choice of rows and of orders together."""


def orders(columns: int, rows: int) -> Array:
    """The orders of each background row, int [rows, orders, columns]."""
    if columns <= EVERY_ORDER:
        every = np.array(list(permutations(range(columns))))
        return np.broadcast_to(every, (rows, *every.shape))
    drawn = scrambled(rows * columns).reshape(rows, columns).argsort(axis=1)
    return np.stack([drawn, drawn[:, ::-1]], axis=1)


def scrambled(count: int) -> Array:
    """Numbers that look drawn, uint64 [count], always the same: SplitMix64 (Steele, Lea & Flood 2014) from `SEED` on.

    `numpy.random` is 3 MB that a function would hold for this alone.
    """
    found = np.uint64(SEED) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(found ^ (found >> np.uint64(31)))


def shares(answer: float, base: Array, differs: Array, order: Array, mixed: Mixed) -> Shares:
    """The contributions of one row.

    Args:
        answer: the model's answer for the row.
        base: its answers for the background rows, [B].
        differs: whether a column of the row has another value than the background row's, bool [B, d].
        order: from `orders`, [B, P, d].
        mixed: the model's answers [M] for background rows [M] with these columns from the row, bool [M, d].
    """
    changed = np.take_along_axis(differs[:, np.newaxis], order, axis=2)  # [B, P, d], by the step of the order
    left = changed.sum(axis=2, keepdims=True) - changed.cumsum(axis=2)
    rows, places, steps = np.nonzero(changed & (left > 0))  # after the last change it is the row itself
    reached = np.empty((*changed.shape[:2], changed.shape[2] + 1))
    reached[:, :, 0], reached[:, :, 1:] = base[:, np.newaxis], answer
    rank = order.argsort(axis=2)
    some = range(0, len(rows), max(1, min(MOST_AT_ONCE, CELLS // order.shape[2])))
    for part in (slice(start, start + some.step) for start in some):
        taken = rank[rows[part], places[part]] <= steps[part, np.newaxis]
        reached[rows[part], places[part], steps[part] + 1] = mixed(rows[part], taken)
    latest = np.where(changed, np.arange(1, changed.shape[2] + 1), 0)
    latest = np.maximum.accumulate(latest, axis=2)  # the step whose mixture an unchanged one still is
    reached[:, :, 1:] = np.take_along_axis(reached, latest, axis=2)
    moves = np.take_along_axis(np.diff(reached, axis=2), rank, axis=2).mean(axis=1)  # [B, d]
    return Shares(moves.mean(axis=0), moves.std(axis=0, ddof=1) / np.sqrt(len(moves)))
