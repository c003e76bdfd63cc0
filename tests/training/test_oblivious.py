"""Oblivious trees written as the smallest decision trees: the same answers, from no split that could be left out."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest

from training_container.models import oblivious
from training_container.models.oblivious import Oblivious, of_catboost, smallest

from .walking import answers

NAN_RIGHT = np.array([True, False, True])


def looked_up(trees: Oblivious, rows: np.ndarray) -> np.ndarray:
    """What the definition says: the sum of the leaves whose place the answers to all levels spell, [N, 1]."""
    values = rows[:, trees.feature]  # [N, trees, depth]
    high = np.where(np.isnan(values), NAN_RIGHT[trees.feature], values > trees.border)
    place = (high * 2 ** np.arange(trees.depth)).sum(axis=2)
    return trees.values[np.arange(len(trees.values)), place].sum(axis=1, keepdims=True)


def drawn(depth: int, seed: int) -> Oblivious:
    """Trees of three columns with borders that repeat and leaves of which many are alike."""
    rng = np.random.default_rng(seed)
    border = rng.choice(np.array([-1, 0, 0.5, 2], np.float32), (20, depth))
    return Oblivious(rng.integers(0, 3, (20, depth)), border, rng.integers(0, 3, (20, 2**depth)).astype(np.float64))


def one(feature: list[int], border: list[float], values: list[float]) -> Oblivious:
    return Oblivious(np.array([feature]), np.array([border], np.float32), np.array([values], np.float64))


@pytest.mark.parametrize("depth", [0, 1, 3, 6])
def test_the_same_answers_on_and_off_every_border(depth: int) -> None:
    trees = drawn(depth, depth)
    places = [np.nan, -np.inf, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0, np.inf]
    rows = np.array(list(product(places, repeat=3)), np.float32)
    written = smallest(trees, NAN_RIGHT, 0)
    np.testing.assert_array_equal(answers(written, rows, 1), looked_up(trees, rows))


def test_what_the_path_has_decided_is_not_asked_again() -> None:
    written = smallest(one([0, 0, 0], [1.0, 2.0, 3.0], list(range(8))), NAN_RIGHT, 0)
    assert len(written.feature) == 3  # four ranges of one column, not eight
    assert sorted(written.value.tolist()) == [0, 1, 3, 7]


def test_leaves_that_agree_are_one() -> None:
    assert len(smallest(one([0, 1], [0.0, 0.0], [5, 5, 5, 5]), NAN_RIGHT, 0).feature) == 0
    only_second = smallest(one([0, 1], [0.0, 0.0], [1, 1, 2, 2]), NAN_RIGHT, 0)
    assert only_second.feature.tolist() == [1]


@pytest.mark.parametrize("seed", range(5))
def test_no_tree_has_fewer_splits(seed: int) -> None:
    """Against all trees that ask one level after another, in any order and another one on each side."""
    trees = drawn(3, seed)
    for at in range(len(trees.values)):
        alone = trees.take(slice(at, at + 1))
        assert len(smallest(alone, NAN_RIGHT, 0).feature) == fewest(alone)


def fewest(tree: Oblivious) -> int:
    """By trying all, on rows that reach every leaf that can be reached."""
    rows = np.array(list(product([-2.0, -0.5, 0.25, 1.0, 3.0], repeat=3)), np.float32)
    high = rows[:, tree.feature[0]] > tree.border[0]
    value = looked_up(tree, rows)[:, 0]

    @cache
    def least(levels: frozenset[int], inside: tuple[int, ...]) -> int:
        if len(set(value[list(inside)].tolist())) <= 1:
            return 0
        return 1 + min(
            sum(least(levels - {level}, tuple(row for row in inside if high[row, level] == side)) for side in (0, 1))
            for level in levels
        )

    return least(frozenset(range(tree.depth)), tuple(range(len(rows))))


def test_many_trees_are_weighed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    trees = drawn(3, 0)
    model = {
        "scale_and_bias": [2.0, [1.0]],
        "features_info": {"float_features": [{"nan_value_treatment": "AsTrue" if right else "AsFalse"}
                                             for right in NAN_RIGHT]},
        "oblivious_trees": [
            {"splits": [{"split_type": "FloatFeature", "float_feature_index": int(feature), "border": float(border)}
                        for feature, border in zip(trees.feature[at], trees.border[at], strict=True)],
             "leaf_values": trees.values[at].tolist()}
            for at in range(len(trees.values))
        ],
    }  # fmt: skip
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    expected = 1 + 2 * looked_up(trees, rows)
    for at_once in (oblivious.AT_ONCE, 7 * 27):
        monkeypatch.setattr(oblivious, "AT_ONCE", at_once)
        np.testing.assert_allclose(answers(of_catboost(model), rows, 1), expected)
