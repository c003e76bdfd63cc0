"""Every metric of tables against scikit-learn's, and each edge case that `scores` states."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as reference

from dropforge.contract.results import METRICS
from dropforge.metrics import scores as metrics

VALUES = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40).flatmap(lambda n: st.tuples(*[arrays.arrays(np.float64, n, elements=VALUES)] * 2)))
def test_regression_scores_are_scikit_learns(pair: tuple[np.ndarray, np.ndarray]) -> None:
    truth, answers = pair
    found = metrics.scores("regression", truth, answers)
    assert found["rmse"] == pytest.approx(reference.root_mean_squared_error(truth, answers))
    assert found["mae"] == pytest.approx(reference.mean_absolute_error(truth, answers))
    assert found["r2"] == pytest.approx(reference.r2_score(truth, answers))


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 60), st.sampled_from([2, 3, 5]), st.integers(0, 2**31))
def test_class_scores_are_scikit_learns(rows: int, classes: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    truth = np.r_[np.arange(classes), chance.integers(0, classes, rows)]
    answers = chance.integers(1, 5, (len(truth), classes)).astype(float)  # few values: many ties
    answers /= answers.sum(axis=1, keepdims=True)
    found = metrics.scores("binary" if classes == 2 else "multiclass", truth, answers)
    guessed = answers.argmax(axis=1)
    assert found["logloss"] == pytest.approx(reference.log_loss(truth, answers))
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, guessed))
    average = "binary" if classes == 2 else "macro"
    assert found["f1"] == pytest.approx(reference.f1_score(truth, guessed, average=average))
    if classes == 2:
        assert found["auc"] == pytest.approx(reference.roc_auc_score(truth, answers[:, 1]))


def test_certain_and_wrong_costs_much_but_is_finite() -> None:
    answers = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert metrics.logloss(np.array([1, 1]), answers) == pytest.approx(
        reference.log_loss([1, 1], answers, labels=[0, 1])
    )


def test_auc_of_one_class_does_not_exist() -> None:
    assert math.isnan(metrics.auc(np.array([1, 1]), np.array([[0.5, 0.5], [0.1, 0.9]])))


def test_answers_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="expected finite predictions, got 1 others"):
        metrics.scores("regression", np.array([1.0, 2.0]), np.array([1.0, np.nan]))


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 row, got 0"):
        metrics.scores("regression", np.array([]), np.array([]))


@pytest.mark.parametrize(
    ("direction", "one", "other", "expected"),
    [("higher", 2, 1, True), ("higher", 1, 1, False), ("lower", 1, 2, True), ("lower", math.nan, 2, False),
     ("lower", 1, math.nan, True)],
)  # fmt: skip
def test_better(direction: str, one: float, other: float, expected: bool) -> None:
    assert metrics.better(direction, one, other) is expected


def test_r2_of_a_constant_truth_is_scikit_learns() -> None:
    same = np.full(5, 3.0)
    for answers in (same, np.zeros(5)):
        assert metrics.r2(same, answers) == reference.r2_score(same, answers)


def test_macro_f1_counts_the_classes_that_occur_or_are_predicted_alone() -> None:
    truth, answers = np.array([0, 0, 1, 1, 1]), np.eye(4)[[0, 0, 1, 1, 0]]
    found = metrics.f1(truth, answers)
    assert found == pytest.approx(reference.f1_score(truth, answers.argmax(axis=1), average="macro"))
    assert found > 0.75  # over all four classes it would be half of that


def test_f1_of_a_positive_class_that_is_nowhere_is_nothing() -> None:
    assert metrics.f1(np.array([0, 0]), np.array([[1.0, 0.0], [0.9, 0.1]])) == 0.0


def test_probabilities_that_do_not_sum_to_one_are_taken_as_they_are() -> None:
    truth, answers = np.array([0, 1, 1]), np.array([[0.5, 0.2], [0.1, 0.3], [0.4, 0.4]])
    with pytest.warns(UserWarning, match="do not sum to one"):
        expected = reference.log_loss(truth, answers)
    assert metrics.logloss(truth, answers) == pytest.approx(expected)
    assert metrics.logloss(truth, answers.astype(np.float32)) == pytest.approx(expected)


def test_of_two_classes_of_one_probability_the_first_is_predicted() -> None:
    assert metrics.accuracy(np.array([0, 1]), np.full((2, 2), 0.5)) == 0.5


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_every_metric_of_the_contract_has_a_definition(task: Any) -> None:
    truth = np.array([0, 1, 1, 0])
    answers = truth.astype(float) if task == "regression" else np.eye(2 if task == "binary" else 3)[truth]
    assert set(metrics.scores(task, truth, answers)) == set(METRICS[task])
