"""Tests that may be looked at again and again: e-processes, in the standard library alone.

An e-value is what a stake of 1 has become in a bet against "nothing is wrong". If nothing is wrong, no way of betting
is expected to win, so it reaches 1/α in at most α of the cases (Ville's inequality), however often somebody looks and
whenever one stops. Neither holds for a p-value or a threshold.

Several streams are tested at one level by their weighted mean, which is the e-value of the stake divided among them.
Everything here is a logarithm, since a clear case goes beyond what a float holds.

An observation may weigh less than 1: a request of N rows is N observations of weight 1/N. Its factor is then at most
the factor of the mean, by the inequality of the means, so that rows of one request are not taken for independent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Name = TypeVar("Name", bound=str)

LEVEL = 0.01
"""The chance that an equal model is refused, over a whole rollout and all streams."""

THRESHOLD = math.log(1 / LEVEL)
"""The logarithm of the e-value that refuses."""

ALTERNATIVES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95, 1.0)
"""How far between the limit and 1 the shares lie on which a bet is placed in equal parts: hardly worse to always."""

STAKES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95)
"""Shares of its wealth that a bet on a mean stakes, in equal parts."""


def of_share(hits: float, trials: float, limit: float) -> float:
    """The logarithm of the e-value against "at most `limit` of the observations are hits".

    It depends on the two counts alone, so the order and the size of batches change nothing.

    Args:
        hits: observations, or weights of them, that count.
        trials: all of them.
        limit: the allowed share, above 0 and below 1.
    """
    return log_mean([_of_one_share(hits, trials, limit, limit + (1 - limit) * each) for each in ALTERNATIVES])


def _of_one_share(hits: float, trials: float, limit: float, share: float) -> float:
    misses = max(0.0, trials - hits)
    against = 0.0 if misses < 1e-9 else -math.inf if share >= 1 else misses * math.log((1 - share) / (1 - limit))
    return hits * math.log(share / limit) + against


def bet(wealth: Sequence[float], value: float, weight: float = 1.0) -> tuple[float, ...]:
    """The logarithms of what the bets against "the mean is at most 0" have become after one more value.

    Args:
        wealth: what they were before; empty at the beginning.
        value: from -1 to 1.
        weight: as in the module's text.
    """
    before = wealth or (0.0,) * len(STAKES)
    return tuple(old + weight * math.log1p(stake * value) for old, stake in zip(before, STAKES, strict=True))


def of_mean(wealth: Sequence[float]) -> float:
    """The logarithm of the e-value of bets as `bet` returns them."""
    return log_mean(wealth) if wealth else 0.0


def combined(logarithms: Mapping[str, float], weights: Mapping[Name, float]) -> float:
    """The logarithm of the weighted mean of e-values; a stream without one has won and lost nothing.

    Args:
        logarithms: of the e-values, by stream.
        weights: of the streams, which sum up to 1.
    """
    return _log_sum([math.log(weight) + logarithms.get(name, 0.0) for name, weight in weights.items()])


def log_mean(logarithms: Sequence[float]) -> float:
    """The logarithm of the mean of numbers that are given by their logarithms."""
    return _log_sum(logarithms) - math.log(len(logarithms))


def _log_sum(logarithms: Iterable[float]) -> float:
    values = list(logarithms)
    largest = max(values)
    if not math.isfinite(largest):
        return largest
    return largest + math.log(math.fsum(math.exp(value - largest) for value in values))


def allowed(share: float, rows: int, *, margin: float = 1.2, least: float = 0.02, most: float = 0.95) -> float:
    """The share that is allowed where `share` was seen in a sample of so many rows.

    It is the upper end of Wilson's interval at three standard deviations, since the sample may have shown too little by
    chance, with a margin for requests that are no sample of the same rows.
    """
    if rows <= 0:
        return most
    squared = 9.0
    middle = share + squared / (2 * rows)
    spread = 3.0 * math.sqrt(share * (1 - share) / rows + squared / (4 * rows * rows))
    return min(most, max(least, margin * (middle + spread) / (1 + squared / rows)))
