"""The judge's scores against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as known

from dropforge.contract.results import METRICS
from lambdas.judge.scores import scores

CHANCE = np.random.default_rng(3)


def test_regression() -> None:
    truth, given = CHANCE.normal(size=200), CHANCE.normal(size=200)
    assert scores("regression", truth, given) == pytest.approx(
        {
            "rmse": known.root_mean_squared_error(truth, given),
            "mae": known.mean_absolute_error(truth, given),
            "r2": known.r2_score(truth, given),
        }
    )


@pytest.mark.parametrize("ties", [1, 8])
def test_binary(ties: int) -> None:
    truth = CHANCE.integers(0, 2, 200)
    second = np.clip(np.round(CHANCE.random(200) * ties * 10) / (ties * 10), 0.01, 0.99)
    assert scores("binary", truth, np.column_stack([1 - second, second])) == pytest.approx(
        {
            "auc": known.roc_auc_score(truth, second),
            "logloss": known.log_loss(truth, second),
            "accuracy": known.accuracy_score(truth, second > 0.5),
            "f1": known.f1_score(truth, second > 0.5),
        }
    )


def test_multiclass_with_a_class_that_never_occurs() -> None:
    truth, shares = CHANCE.integers(0, 3, 200), CHANCE.dirichlet(np.ones(4), 200)
    given = shares.argmax(axis=1)
    assert scores("multiclass", truth, shares) == pytest.approx(
        {
            "logloss": known.log_loss(truth, shares, labels=[0, 1, 2, 3]),
            "accuracy": known.accuracy_score(truth, given),
            "f1": known.f1_score(truth, given, average="macro", labels=[0, 1, 2, 3], zero_division=0.0),
        }
    )


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_every_metric_of_the_contract(task: str) -> None:
    truth = np.asarray([0, 1, 1, 0])
    given = truth.astype(float) if task == "regression" else np.eye(2)[truth]
    assert set(scores(task, truth, given)) == set(METRICS[task])  # type: ignore[arg-type]


def test_degenerate_truths_have_finite_scores() -> None:
    same = np.ones(5, dtype=np.int64)
    assert scores("regression", same.astype(float), np.zeros(5))["r2"] == 0.0
    assert scores("binary", same, np.tile([0.0, 1.0], (5, 1)))["auc"] == 0.5


def test_a_probability_of_nothing_costs_much_and_not_everything() -> None:
    assert 30 < scores("binary", np.asarray([1]), np.asarray([[1.0, 0.0]]))["logloss"] < 40
