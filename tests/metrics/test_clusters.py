"""The metrics of clustering against scikit-learn's, and each edge case that `clusters` states."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from dropforge.contract.results import METRICS
from dropforge.metrics.clusters import MOST_SCORED, cluster_scores


def expected(points: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    return {
        "silhouette": reference.silhouette_score(points, labels),
        "davies_bouldin": reference.davies_bouldin_score(points, labels),
        "calinski_harabasz": reference.calinski_harabasz_score(points, labels),
    }


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 80), st.integers(2, 5), st.integers(1, 4), st.integers(0, 2**31), st.booleans())
def test_scores_are_scikit_learns(rows: int, clusters: int, width: int, seed: int, far: bool) -> None:
    chance = np.random.default_rng(seed)
    clusters = min(clusters, rows - 1)
    labels = np.r_[np.arange(clusters), chance.integers(0, clusters, rows - clusters)]
    points = chance.normal(size=(rows, width))
    placed = points + (1e4 if far else 0.0)  # scikit-learn loses digits there, which is why it sees the others
    assert cluster_scores(placed, labels) == pytest.approx(expected(points, labels), rel=1e-4, abs=1e-6)


def test_a_row_that_is_alone_in_its_cluster_counts_nothing() -> None:
    points, labels = np.array([[0.0], [0.1], [5.0]]), np.array([0, 0, 1])
    assert cluster_scores(points, labels) == pytest.approx(expected(points, labels))


def test_clusters_of_one_centre_and_clusters_without_width() -> None:
    twice = np.array([[0.0], [2.0], [1.0], [1.0], [5.0], [6.0]]), np.array([0, 0, 1, 1, 2, 2])
    assert cluster_scores(*twice) == pytest.approx(expected(*twice))
    narrow = np.array([[0.0], [0.0], [1.0], [1.0]]), np.array([0, 0, 1, 1])
    found = cluster_scores(*narrow)
    assert found is not None and found["calinski_harabasz"] == 1.0 == expected(*narrow)["calinski_harabasz"]


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_one_cluster_or_one_for_every_row_has_no_score(labels: list[int]) -> None:
    assert cluster_scores(np.eye(3), np.array(labels)) is None


def test_the_first_rows_alone_are_scored_by_every_metric_of_the_contract() -> None:
    chance = np.random.default_rng(0)
    points, labels = chance.normal(size=(3 * MOST_SCORED, 2)), chance.integers(0, 3, 3 * MOST_SCORED)
    found = cluster_scores(points, labels)
    assert found == cluster_scores(points[:MOST_SCORED], labels[:MOST_SCORED])
    assert set(found or ()) == set(METRICS["clustering"])
