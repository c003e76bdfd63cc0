"""Every way to cluster is fitted with every number of clusters; silhouette and BIC decide.

A mixture's number of clusters is the one of the least BIC on the rows it was fitted to, that of means the one with the
best score on the validation rows; between the ways the validation score decides. A clustering counts only when each of
its clusters holds at least `LEAST` of the training rows: a few odd rows are no group.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.mixture import GaussianMixture

from training_container.clustering.body import Mixture, Nearest
from training_container.faults import JobFault
from training_container.metrics import better

if TYPE_CHECKING:
    from torch import nn

    from training_container.watch import Budget, Watch

MOST_CLUSTERS = 12
LEAST = 0.01
MOST_ROWS = {"kmeans": 100_000, "minibatch-kmeans": 1_000_000, "mixture-diagonal": 50_000, "mixture-full": 50_000}
"""Rows that a way is fitted to, the first of the training rows: they lie in the order of their hashes."""

WIDEST = 40
"""Features, beyond which full covariances have more numbers than rows can tell."""

SCORED = 2_000
"""Rows of which all distances are taken for a score; the judge takes the same."""


@dataclass(frozen=True)
class Fit:
    """One clustering."""

    way: str
    clusters: int
    members: nn.Module
    validation: dict[str, float]
    bic: float | None
    seconds: float


@dataclass(frozen=True)
class Search:
    """All that was tried."""

    chosen: Fit
    best: tuple[Fit, ...]
    """The best of each way."""
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Way to its scores by number of clusters, from 2; NaN where it did not count."""


def scores(points: np.ndarray, labels: np.ndarray) -> dict[str, float] | None:
    """Every metric of clustering over the first `SCORED` rows; None where they fall into fewer than two clusters."""
    some, codes = points[:SCORED].astype(np.float64), labels[:SCORED]
    if not 2 <= len(np.unique(codes)) < len(codes):
        return None
    return {
        "silhouette": float(silhouette_score(some, codes)),
        "davies_bouldin": float(davies_bouldin_score(some, codes)),
        "calinski_harabasz": float(calinski_harabasz_score(some, codes)),
    }


def search(train: np.ndarray, validation: np.ndarray, *, metric: str, direction: str, seed: int, budget: Budget,
           watch: Watch) -> Search:  # fmt: skip
    """The best clustering of points [N, F] by the validation rows [M, F].

    Raises:
        JobFault: no clustering holds enough rows in each of its clusters.
    """
    ways = [way for way in MOST_ROWS if way != "mixture-full" or train.shape[1] <= WIDEST]
    counts = range(2, max(2, min(MOST_CLUSTERS, len(train) // 10)) + 1)
    best: list[Fit] = []
    curves: dict[str, dict[str, list[float]]] = {}
    for at, way in enumerate(ways):
        made: list[Fit] = []
        curves[way] = {name: [] for name in ([metric, "bic"] if way.startswith("mixture") else [metric])}
        for count in counts:
            found = None if made and budget.left == 0 else fit(way, count, train, validation, seed)
            _note(curves[way], metric, found)
            made += [found] if found else []
            watch.tell((at + count / counts[-1]) / len(ways), model=way, clusters=count)
        best += [_best(made, metric, direction)] if made else []
    if not best:
        raise JobFault(
            f"no clusters found: each split of {len(train)} rows left a cluster with less than {LEAST:.0%} of them; "
            "expected groups of more: drop more rows, or leave out columns of a few odd values"
        )
    chosen = best[0]
    for each in best[1:]:
        chosen = each if better(direction, each.validation[metric], chosen.validation[metric]) else chosen
    return Search(chosen, tuple(best), curves)


def _note(curves: dict[str, list[float]], metric: str, found: Fit | None) -> None:
    curves[metric].append(found.validation[metric] if found else float("nan"))
    if "bic" in curves:
        curves["bic"].append(found.bic if found and found.bic is not None else float("nan"))


def _best(made: list[Fit], metric: str, direction: str) -> Fit:
    chosen = made[0]
    for each in made[1:]:
        if each.bic is not None and chosen.bic is not None:
            chosen = each if each.bic < chosen.bic else chosen
        elif better(direction, each.validation[metric], chosen.validation[metric]):
            chosen = each
    return chosen


def fit(way: str, count: int, train: np.ndarray, validation: np.ndarray, seed: int) -> Fit | None:
    """One clustering, its clusters ordered from the largest; None where it does not count."""
    start, points = time.monotonic(), train[: MOST_ROWS[way]].astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a rough fit is judged by its scores like any other
        made = _mixture(way, count, points, seed) if way.startswith("mixture") else _means(way, count, points, seed)
    labels = made.predict(points)
    sizes = np.bincount(labels, minlength=count)
    found = scores(validation, made.predict(validation.astype(np.float64)))
    if sizes.min() < max(2, LEAST * len(points)) or found is None:
        return None
    order = np.argsort(-sizes, kind="stable")
    if isinstance(made, GaussianMixture):
        members: nn.Module = Mixture(made.weights_[order], made.means_[order], _factors(made)[order])
        bic = float(made.bic(points))
    else:
        members, bic = Nearest(made.cluster_centers_[order], float(made.inertia_) / len(points)), None
    return Fit(way, count, members, found, bic, time.monotonic() - start)


def _means(way: str, count: int, points: np.ndarray, seed: int) -> Any:
    kind = KMeans if way == "kmeans" else MiniBatchKMeans
    return kind(count, n_init=5, random_state=seed).fit(points)


def _mixture(way: str, count: int, points: np.ndarray, seed: int) -> Any:
    kind = "full" if way == "mixture-full" else "diag"
    return GaussianMixture(count, covariance_type=kind, n_init=2, reg_covar=1e-3, random_state=seed).fit(points)


def _factors(made: Any) -> np.ndarray:
    """Upper Cholesky factors of the precisions, [clusters, F, F], of either kind of covariance."""
    found: np.ndarray = made.precisions_cholesky_
    return found if found.ndim == 3 else np.stack([np.diag(row) for row in found])
