"""Every way to cluster is fitted with every number of clusters; silhouette and BIC decide.

A mixture's number of clusters is the one of the least BIC on the rows it was fitted to, that of means the one with the
best score on the validation rows; between the ways the validation score decides. A clustering counts only when each of
its clusters holds at least `LEAST_CLUSTER_SHARE` of the training rows: a few odd rows are no group.
"""

from __future__ import annotations

import io
import json
import time
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from dropforge.metrics.clusters import cluster_scores
from dropforge.metrics.scores import better
from training_container.faults import JobFault
from training_container.tasks.clustering.predictor import Mixture, Nearest

if TYPE_CHECKING:
    from torch import nn

    from dropforge.contract.tasks import Direction
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.progress import Progress

MOST_CLUSTERS = 12
LEAST_CLUSTER_SHARE = 0.01
"""The share of the training rows that every cluster holds at least."""

MOST_ROWS = {"kmeans": 100_000, "minibatch-kmeans": 1_000_000, "mixture-diagonal": 50_000, "mixture-full": 50_000}
"""The training rows that each way is fitted to at most: the first ones, in the order of their hashes."""

MOST_FULL_FEATURES = 40
"""Features beyond which full covariances have more parameters than the rows can determine."""


@dataclass(frozen=True)
class Fit:
    """One clustering."""

    way: str
    clusters: int
    numbers: dict[str, np.ndarray]
    """The arguments of its `Mixture` or `Nearest`."""
    validation: dict[str, float]
    bic: float | None
    seconds: float

    @property
    def members(self) -> nn.Module:
        """The module that turns points into memberships."""
        if self.way.startswith("mixture"):
            return Mixture(**self.numbers)
        return Nearest(self.numbers["centres"], float(self.numbers["spread"]))

    def content(self) -> bytes:
        """The fit as bytes, for `read`."""
        buffer, record = io.BytesIO(), [self.way, self.clusters, self.validation, self.bic, self.seconds]
        np.savez(buffer, allow_pickle=False, record=np.array(json.dumps(record)), **self.numbers)
        return buffer.getvalue()

    @classmethod
    def read(cls, content: bytes) -> Fit:
        """The fit that `content` wrote."""
        with np.load(io.BytesIO(content)) as arrays:
            numbers = dict(arrays)
        way, clusters, validation, bic, seconds = json.loads(str(numbers.pop("record")))
        return cls(way, clusters, numbers, validation, bic, seconds)


@dataclass(frozen=True)
class Search:
    """The chosen clustering and all others that were tried."""

    chosen: Fit
    best: tuple[Fit, ...]
    """The best of each way."""
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    """Way to its scores by number of clusters, from 2; NaN where it did not count."""


@dataclass(frozen=True)
class Points:
    """The rows to cluster, the metric that decides, and the checkpoints of the fits."""

    train: np.ndarray
    """[N, F]"""
    validation: np.ndarray
    """[M, F]"""
    metric: str
    direction: Direction
    seed: int
    checkpoints: Checkpoints

    @property
    def counts(self) -> range:
        """Numbers of clusters that are tried."""
        return range(2, max(2, min(MOST_CLUSTERS, len(self.train) // 10)) + 1)

    def fit(self, way: str, count: int) -> Fit | None:
        """One fit, from the checkpoints where it was fitted before; None where it does not count."""
        content = self.checkpoints.read(f"{way}/{count}")
        if content is not None:
            return Fit.read(content) if content else None
        result = fit(way, count, self.train, self.validation, self.seed)
        self.checkpoints.keep(f"{way}/{count}", result.content() if result else b"")  # nothing: it does not count
        return result


def search(points: Points, budget: Budget, progress: Progress) -> Search:
    """The best clustering of `points.train` by `points.validation`.

    The ways share the budget evenly; time that one leaves goes to the next. The first way is tried until one of its
    fits counts, however little time there is.

    Raises:
        JobFault: no clustering holds enough rows in each of its clusters.
    """
    ways = [way for way in MOST_ROWS if way != "mixture-full" or points.train.shape[1] <= MOST_FULL_FEATURES]
    best: list[Fit] = []
    curves: dict[str, dict[str, list[float]]] = {}
    for number, way in enumerate(ways):
        part = progress.within(number / len(ways), (number + 1) / len(ways), model=way)
        curves[way] = {name: [] for name in ([points.metric, "bic"] if way.startswith("mixture") else [points.metric])}
        fits = _try(points, way, budget.part(1 / (len(ways) - number)), part, curves[way], needed=not best)
        best += [_best(fits, points.metric, points.direction)] if fits else []
    if not best:
        raise JobFault(
            f"no clusters found: each split of {len(points.train)} rows left a cluster with less than "
            f"{LEAST_CLUSTER_SHARE:.0%} of them; expected larger groups: "
            "drop more rows, or leave out columns of a few odd values"
        )
    chosen = best[0]
    for rival in best[1:]:
        better_one = better(points.direction, rival.validation[points.metric], chosen.validation[points.metric])
        chosen = rival if better_one else chosen
    return Search(chosen, tuple(best), curves)


def _try(points: Points, way: str, budget: Budget, progress: Progress, curves: dict[str, list[float]], *,
         needed: bool) -> list[Fit]:  # fmt: skip
    """Fits that count, with more and more clusters while there is time for one that takes as long as the last."""
    fits: list[Fit] = []
    last = 0.0
    for count in points.counts:
        if budget.left <= last and (fits or not needed):
            break
        before = budget.spent
        result = points.fit(way, count)
        last = budget.spent - before
        _note(curves, points.metric, result)
        fits += [result] if result else []
        progress.update(count / points.counts[-1], clusters=count)
    return fits


def _note(curves: dict[str, list[float]], metric: str, fit: Fit | None) -> None:
    curves[metric].append(fit.validation[metric] if fit else float("nan"))
    if "bic" in curves:
        curves["bic"].append(fit.bic if fit and fit.bic is not None else float("nan"))


def _best(fits: list[Fit], metric: str, direction: Direction) -> Fit:
    chosen = fits[0]
    for rival in fits[1:]:
        if rival.bic is not None and chosen.bic is not None:
            chosen = rival if rival.bic < chosen.bic else chosen
        elif better(direction, rival.validation[metric], chosen.validation[metric]):
            chosen = rival
    return chosen


def fit(way: str, count: int, train: np.ndarray, validation: np.ndarray, seed: int) -> Fit | None:
    """One clustering, its clusters ordered from the largest; None where it does not count."""
    start, points = time.monotonic(), train[: MOST_ROWS[way]].astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a rough fit is judged by its scores like any other
        estimator = (
            _mixture(way, count, points, seed) if way.startswith("mixture") else _means(way, count, points, seed)
        )
    labels = estimator.predict(points)
    sizes = np.bincount(labels, minlength=count)
    scores = cluster_scores(validation, estimator.predict(validation.astype(np.float64)))
    if sizes.min() < max(2, LEAST_CLUSTER_SHARE * len(points)) or scores is None:
        return None
    order = np.argsort(-sizes, kind="stable")
    bic = float(estimator.bic(points)) if isinstance(estimator, GaussianMixture) else None
    return Fit(way, count, _numbers(estimator, order, len(points)), scores, bic, time.monotonic() - start)


def _numbers(estimator: Any, order: np.ndarray, rows: int) -> dict[str, np.ndarray]:
    if isinstance(estimator, GaussianMixture):
        return {
            "weights": estimator.weights_[order],
            "means": estimator.means_[order],
            "factors": _factors(estimator)[order],
        }
    return {"centres": estimator.cluster_centers_[order], "spread": np.array(estimator.inertia_ / rows)}


def _means(way: str, count: int, points: np.ndarray, seed: int) -> Any:
    kind = KMeans if way == "kmeans" else MiniBatchKMeans
    return kind(count, n_init=5, random_state=seed).fit(points)


def _mixture(way: str, count: int, points: np.ndarray, seed: int) -> Any:
    kind = "full" if way == "mixture-full" else "diag"
    return GaussianMixture(count, covariance_type=kind, n_init=2, reg_covar=1e-3, random_state=seed).fit(points)


def _factors(estimator: Any) -> np.ndarray:
    """Upper Cholesky factors of the precisions, [clusters, F, F], of either kind of covariance."""
    factors: np.ndarray = estimator.precisions_cholesky_
    return factors if factors.ndim == 3 else np.stack([np.diag(row) for row in factors])
