"""What is resampled for recommenders and clusterings, against scikit-learn, loops and the plain scores."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets
from sklearn.metrics import pairwise_distances, silhouette_score

from dropforge.contract.results import METRICS
from dropforge.metrics.clusters import cluster_scores as scores
from dropforge.metrics.clusters_weighted import figures_of
from dropforge.metrics.evaluation import compare, of_clusters
from dropforge.metrics.lists import list_scores, scores_of_lists
from dropforge.metrics.resampling import Resamples
from dropforge.metrics.scores import mae, rmse
from dropforge.metrics.users import UserScores


@pytest.fixture(scope="module")
def wine() -> tuple[np.ndarray, np.ndarray]:
    """Points, and the three kinds of wine as clusters."""
    found = datasets.load_wine()
    return ((found.data - found.data.mean(0)) / found.data.std(0)).astype(np.float32), found.target


def test_clusters_drawn_once_have_their_scores(wine: tuple[np.ndarray, np.ndarray]) -> None:
    found = figures_of(*wine)(np.ones((2, len(wine[0])), np.float32))
    assert set(found) == set(METRICS["clustering"])
    assert {name: values[1] for name, values in found.items()} == pytest.approx(scores(*wine), rel=1e-5)


def test_resampled_clusters_score_as_their_rows_would(wine: tuple[np.ndarray, np.ndarray]) -> None:
    """All but the silhouette, which leaves a row's own copies out: with them every resample looks denser."""
    points, labels = wine
    weights = next(Resamples(len(points), 3).weights())[:40]
    found = figures_of(points, labels)(weights)
    for at in (0, 39):
        drawn = np.repeat(np.arange(len(points)), weights[at].astype(int))
        expected = scores(points[drawn], labels[drawn])
        assert expected is not None
        assert found["davies_bouldin"][at] == pytest.approx(expected["davies_bouldin"])
        assert found["calinski_harabasz"][at] == pytest.approx(expected["calinski_harabasz"])
        assert found["silhouette"][at] == pytest.approx(silhouette(points, labels, weights[at]), rel=1e-5)
        assert found["silhouette"][at] < silhouette_score(points[drawn], labels[drawn])


def silhouette(points: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """By loops over rows and clusters."""
    apart, found = pairwise_distances(points.astype(np.float64)), np.zeros(len(points))
    for row in range(len(points)):
        means = []
        for label in np.unique(labels):
            others = (labels == label) & (np.arange(len(points)) != row)
            means.append(np.average(apart[row, others], weights=weights[others]))
        within = means.pop(labels[row])
        found[row] = (min(means) - within) / max(min(means), within)
    return float(np.average(found, weights=weights))


def test_a_cluster_that_is_not_drawn_is_none_and_one_alone_has_no_score(wine: tuple[np.ndarray, np.ndarray]) -> None:
    points, labels = wine
    weights = np.stack([(labels != 1) * 1.0, (labels == 1) * 1.0]).astype(np.float32)
    found = figures_of(points, labels)(weights)
    left = labels != 1
    assert {name: values[0] for name, values in found.items()} == pytest.approx(
        scores(points[left], labels[left]), rel=1e-5
    )
    assert all(np.isnan(values[1]) for values in found.values())


def test_clusters_are_surely_better_than_chance_and_chance_is_not(wine: tuple[np.ndarray, np.ndarray]) -> None:
    points, labels = wine
    one, other = (np.random.default_rng(seed).permutation(labels) for seed in (0, 1))
    real, first, second = (of_clusters(points, each) for each in (labels, one, other))
    assert real is not None and first is not None and second is not None
    assert all(gain.is_sure for gain in compare(real, first, 0).gains.values())
    assert not compare(second, first, 0).gains["silhouette"].is_sure


def test_users_are_drawn_with_all_their_ratings() -> None:
    random = np.random.default_rng(0)
    raters = random.integers(0, 30, 400)
    truth, said = random.normal(3, 1, 400), random.normal(3, 1, 400)
    users = list(dict.fromkeys(raters.tolist()))
    lists = [random.choice(50, 10, replace=False).tolist() for _ in users]
    chosen = [set(random.choice(50, 1 + at % 12, replace=False).tolist()) for at in range(len(users))]
    made = UserScores.of(raters.tolist(), truth - said, scores_of_lists(lists, chosen))
    weights = next(Resamples(len(users), 1).weights())[:5]
    found = made.figures(np.concatenate([np.ones((1, len(users)), np.float32), weights]))
    assert set(found) == set(METRICS["recommendation"])
    for at, times in enumerate([np.ones(len(users)), *weights]):
        drawn = np.repeat(np.arange(len(users)), times.astype(int))
        rows = np.concatenate([np.flatnonzero(raters == users[place]) for place in drawn])
        expected = {"rmse": rmse(truth[rows], said[rows]), "mae": mae(truth[rows], said[rows]),
                    **list_scores([lists[each] for each in drawn], [chosen[each] for each in drawn])}  # fmt: skip
        assert {name: values[at] for name, values in found.items()} == pytest.approx(expected, rel=1e-5)
