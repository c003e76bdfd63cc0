"""The tests that may be looked at again and again hold their level, find what is wrong, and need no batches."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dropforge.metrics.sequential import LEVEL, THRESHOLD, allowed, bet, combined, log_mean, of_mean, of_share


def largest_by_path(paths: int, length: int, share: float, limit: float, seed: int) -> np.ndarray:
    """The largest e-value's logarithm that each of so many paths ever reaches."""
    hits = (np.random.default_rng(seed).random((paths, length)) < share).cumsum(axis=1)
    known: dict[tuple[int, int], float] = {}

    def value(hit: int, at: int) -> float:
        if (hit, at) not in known:
            known[hit, at] = of_share(hit, at, limit)
        return known[hit, at]

    return np.array([max(value(int(hit), at + 1) for at, hit in enumerate(path)) for path in hits])


@pytest.mark.parametrize("limit", [0.02, 0.5, 0.8])
def test_a_share_at_its_limit_is_refused_in_less_than_one_per_cent_however_often_one_looks(limit: float) -> None:
    assert np.mean(largest_by_path(1000, 200, limit, limit, seed=1) >= THRESHOLD) <= LEVEL


@pytest.mark.parametrize(("limit", "share"), [(0.02, 0.2), (0.5, 0.95), (0.8, 1.0)])
def test_a_share_far_above_its_limit_is_found(limit: float, share: float) -> None:
    assert np.mean(largest_by_path(100, 200, share, limit, seed=2) >= THRESHOLD) == 1


def test_the_expectation_under_the_limit_is_one() -> None:
    for trials in (1, 5, 12):
        for limit in (0.1, 0.5):
            chances = [math.comb(trials, hits) * limit**hits * (1 - limit) ** (trials - hits)
                       for hits in range(trials + 1)]  # fmt: skip
            mean = sum(chance * math.exp(of_share(hits, trials, limit)) for hits, chance in enumerate(chances))
            assert mean == pytest.approx(1)


def test_nothing_seen_is_worth_one() -> None:
    assert of_share(0, 0, 0.5) == pytest.approx(0) and of_mean(()) == 0


def test_only_hits_can_be_certain_and_a_miss_ends_that_bet_alone() -> None:
    assert of_share(50, 50, 0.5) > 30 * math.log(2) and math.isfinite(of_share(50, 51, 0.5))


def test_a_mean_at_its_limit_is_refused_in_less_than_one_per_cent_and_one_above_is_found() -> None:
    chance = np.random.default_rng(3)
    refused = [0, 0]
    for _ in range(300):
        for at, mean in enumerate((0.0, 0.4)):
            wealth: tuple[float, ...] = ()
            for value in np.clip(chance.normal(mean, 0.5, 150), -1 + 2 * max(mean, 0), 1):
                wealth = bet(wealth, float(value) if mean else float(np.sign(value)))
                if of_mean(wealth) >= THRESHOLD:
                    refused[at] += 1
                    break
    assert refused[0] <= 300 * LEVEL and refused[1] == 300


def test_rows_of_one_request_weigh_as_much_as_one() -> None:
    whole = bet((), 0.6)
    parts: tuple[float, ...] = ()
    for _ in range(1000):
        parts = bet(parts, 0.6, 1 / 1000)
    assert parts == pytest.approx(whole)
    mixed: tuple[float, ...] = ()
    for value in (1.0, -1.0, 0.2, 0.2):
        mixed = bet(mixed, value, 1 / 4)
    assert all(part <= one for part, one in zip(mixed, bet((), 0.1), strict=True))


def test_streams_share_one_level() -> None:
    weights = {"a": 0.7, "b": 0.3}
    assert combined({}, weights) == pytest.approx(0)
    assert combined({"a": math.log(200)}, weights) == pytest.approx(math.log(0.7 * 200 + 0.3))
    assert combined({"a": -math.inf, "b": math.inf}, weights) == math.inf
    assert log_mean([-math.inf, -math.inf]) == -math.inf and log_mean([900.0, 900.0]) == pytest.approx(900)


def test_the_allowed_share_is_above_the_one_seen_and_nearer_with_more_rows() -> None:
    few, many = allowed(0.1, 100), allowed(0.1, 100_000)
    assert 0.1 < many < 0.13 < few < 0.3
    assert allowed(0.0, 1_000_000) == 0.02 and allowed(1.0, 50) == 0.95 and allowed(0.1, 0) == 0.95
