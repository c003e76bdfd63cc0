"""Intervals and shuffles of rows that are alike in groups."""

from __future__ import annotations

import numpy as np
import pytest

from dropforge.metrics.baseline import learn_baseline
from dropforge.metrics.evaluation import Comparison, beyond_chance, of_baseline, of_table
from dropforge.metrics.grouped import shuffled_groups


def compared(groups: np.ndarray | None, seed: int, size: int = 12) -> Comparison:
    """Twenty groups of equal rows, whose outcomes and answers are chance."""
    chance = np.random.default_rng(seed)
    truth = np.repeat(chance.permutation(np.arange(20) % 2), size)
    said = np.repeat(chance.uniform(0.2, 0.8, 20), size)
    baseline = learn_baseline("binary", truth, 2)
    ours = of_table("binary", truth, np.stack([1 - said, said], axis=1), groups)
    return beyond_chance(ours, of_baseline(truth, baseline, groups), "auc", seed)


def test_chance_that_is_the_same_in_all_rows_of_a_group_is_not_believed() -> None:
    groups = np.repeat(np.arange(20), 12)
    rows, whole = ([compared(each, seed) for seed in range(60)] for each in (None, groups))
    believed = [sum(each.gains["auc"].is_sure for each in every) for every in (rows, whole)]
    assert believed[1] <= 6 < 15 <= believed[0]  # of 60


def test_groups_of_one_row_are_rows() -> None:
    truth, said = np.arange(300.0), np.arange(300.0) + np.arange(300) * 7919 % 101
    plain = of_table("regression", truth, said)
    grouped = of_table("regression", truth, said, np.arange(300))
    weights = np.ones((2, 300), np.float32) * np.array([[1], [2]], np.float32)
    for name, figure in plain.figures(np.arange(300))(weights).items():
        assert grouped.figures(np.arange(300))(weights)[name] == pytest.approx(figure)
    assert grouped.units == plain.units and grouped.scores == plain.scores


def test_weights_of_groups_are_those_of_all_their_rows() -> None:
    groups = np.array([0, 2, 1, 2, 0, 2])
    truth, said = np.arange(6.0), np.array([0.0, 2, 2, 3, 5, 5])
    figures = of_table("regression", truth, said, groups).figures(np.array([0, 2]))
    (mae,) = figures(np.array([[1.0, 2.0]], np.float32))["mae"]
    assert mae == pytest.approx((0 + 1 + 2 * (1 + 0 + 0)) / (2 + 2 * 3))


def test_shuffled_groups_keep_their_answers_together() -> None:
    groups = np.array([0, 1, 0, 1, 2, 2])
    answers = shuffled_groups(np.arange(6), groups, np.random.default_rng(0))
    assert [tuple(answers[groups == group].tolist()) for group in range(3)] != [(0, 2), (1, 3), (4, 5)]
    assert {tuple(answers[groups == group].tolist()) for group in range(3)} == {(0, 2), (1, 3), (4, 5)}
