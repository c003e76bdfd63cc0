"""What the trivial baseline answers: under no metric does another answer without a look at the columns do better."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dropforge.contract.baseline import Baseline
from dropforge.contract.results import METRICS
from dropforge.metrics.baseline import guess, learn_baseline
from dropforge.metrics.evaluation import Ratings, compare, of_baseline, of_popularity, of_ratings, of_table
from dropforge.metrics.scores import better, known, score

ROWS = 20_000
SHARES = {"binary": [0.8, 0.2], "multiclass": [0.5, 0.3, 0.15, 0.05]}


def target(task: str, seed: int = 0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    if task == "regression":
        return np.exp(chance.normal(size=ROWS))
    return chance.choice(len(SHARES[task]), ROWS, p=SHARES[task])


def blind_guesses(task: str, learned: np.ndarray) -> list[np.ndarray]:
    """Answers of those who know the training targets and no column."""
    if task == "regression":
        return [
            np.full(ROWS, value)
            for value in (learned.mean(), np.median(learned), 0.0, *np.quantile(learned, [0.2, 0.8]))
        ]
    shares = np.array(SHARES[task])
    chance = np.random.default_rng(5)
    draws = [chance.choice(len(shares), ROWS, p=odds) for odds in (shares, np.full(len(shares), 1 / len(shares)))]
    constant = [np.full(ROWS, code) for code in range(len(shares))]
    return [np.tile(shares, (ROWS, 1)), *(np.eye(len(shares))[codes] for codes in (*draws, *constant))]


@pytest.mark.parametrize(
    ("task", "metric"), [(task, name) for task in ("regression", *SHARES) for name in METRICS[task]]
)
def test_no_blind_guess_is_better(task: Any, metric: str) -> None:
    learned, truth = target(task), target(task, 1)
    baseline = learn_baseline(task, learned, len(SHARES.get(task, ())))
    found = of_baseline(truth, baseline).scores[metric]
    for said in blind_guesses(task, learned):
        other = known({metric: score(task, metric, truth, said)})
        slack = 0.01 * abs(found) if METRICS[task][metric] == "higher" else -0.01 * abs(found)
        assert not other or not better(METRICS[task][metric], other[metric], found + slack)


def test_a_document_is_read_as_it_was_written() -> None:
    for baseline in (
        Baseline("recommendation", 3.5, 4.0, lists={"u": ("a", "b")}),
        Baseline("binary", shares=(0.2, 0.8)),
    ):
        assert Baseline.from_json(baseline.to_json()) == baseline


def test_a_model_that_answers_as_the_baseline_gains_nothing() -> None:
    learned, truth = target("binary"), target("binary", 1)
    baseline = learn_baseline("binary", learned, 2)
    found = compare(of_table("binary", truth, guess(baseline, "auc", ROWS)), of_baseline(truth, baseline), 0)
    assert found.scores["auc"] == found.other["auc"] == 0.5
    assert found.gains["auc"].value == 0 and not found.gains["auc"].is_sure
    assert found.gains["f1"].value < 0  # always the positive class is a better guess


def test_a_recommender_is_held_to_the_mean_the_median_and_the_favourites() -> None:
    ratings = Ratings(["u", "v", "u"], ["a", "b", "c"], np.array([1.0, 1.0, 4.0]))
    baseline = Baseline("recommendation", mean=2.0, median=1.0, lists={"u": ("a", "c"), "v": ("x",)})
    found = of_popularity(ratings, baseline)
    assert found.scores == pytest.approx({"rmse": np.sqrt(2.0), "mae": 1.0, "ndcg@10": 0.5, "recall@10": 0.5})
    best = of_ratings(ratings, ratings.truth, [["a", "c"], ["b"]])
    assert compare(best, found, 0).gains["ndcg@10"].value == 0.5
