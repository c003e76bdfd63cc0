"""How well clusters are apart: the metrics of clustering as scikit-learn defines them.

They are of the first `MOST_SCORED` rows; hold-out and validation rows lie in the order of their hashes, so these are a
sample. Edge cases, each held to scikit-learn by a test: a row that is alone in its cluster has a silhouette of 0;
two clusters with one centre count nothing for Davies-Bouldin; Calinski-Harabasz of clusters without any width is 1.
"""

from __future__ import annotations

import numpy as np

MOST_SCORED = 2_000
"""Rows between which all distances are taken."""


def cluster_scores(points: np.ndarray, labels: np.ndarray) -> dict[str, float] | None:
    """Every metric of clustering, of points [N, F] in the clusters `labels` [N].

    None where no score is defined: all rows are one cluster, or every row is one by itself.
    """
    some, codes = points[:MOST_SCORED].astype(np.float64), np.unique(labels[:MOST_SCORED], return_inverse=True)[1]
    if not 2 <= int(codes.max(initial=0)) + 1 < len(some):
        return None
    return {
        "silhouette": silhouette(some, codes),
        "davies_bouldin": davies_bouldin(some, codes),
        "calinski_harabasz": calinski_harabasz(some, codes),
    }


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances between all points, [N, N]; 0 on the diagonal."""
    placed = points - points.mean(axis=0)  # less is lost to rounding near the origin
    squares = (placed**2).sum(axis=1)
    between = np.sqrt(np.maximum(squares[:, None] + squares - 2 * placed @ placed.T, 0))
    np.fill_diagonal(between, 0)
    return np.asarray(between)


def silhouette(points: np.ndarray, codes: np.ndarray) -> float:
    """Mean of (b − a) / max(a, b): mean distances to the own cluster (a) and to the nearest other (b); 0 if alone."""
    member = np.eye(int(codes.max()) + 1)[codes]
    sums, sizes = distances(points) @ member, member.sum(axis=0)
    rows = np.arange(len(codes))
    own = sums[rows, codes] / np.maximum(sizes[codes] - 1, 1)
    means = sums / sizes
    means[rows, codes] = np.inf
    other = means.min(axis=1)
    largest = np.maximum(own, other)
    values = np.divide(other - own, largest, out=np.zeros(len(codes)), where=largest > 0)
    return float(np.where(sizes[codes] > 1, values, 0.0).mean())


def centres_of(points: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Means of the clusters, [clusters, F]."""
    member = np.eye(int(codes.max()) + 1)[codes]
    return np.asarray((member.T @ points) / member.sum(axis=0)[:, None])


def davies_bouldin(points: np.ndarray, codes: np.ndarray) -> float:
    """Mean over clusters of the worst (width + width) / distance between centres."""
    centres = centres_of(points, codes)
    spread = np.linalg.norm(points - centres[codes], axis=1)
    widths = np.bincount(codes, spread) / np.bincount(codes)
    apart = np.linalg.norm(centres[:, None] - centres, axis=2)
    ratios = np.divide(widths[:, None] + widths, apart, out=np.zeros_like(apart), where=apart > 0)
    return float(ratios.max(axis=1).mean())


def calinski_harabasz(points: np.ndarray, codes: np.ndarray) -> float:
    """Variance between the clusters by the variance inside, each by its degrees of freedom."""
    centres, sizes = centres_of(points, codes), np.bincount(codes)
    between = float((sizes * ((centres - points.mean(axis=0)) ** 2).sum(axis=1)).sum())
    inside = float(((points - centres[codes]) ** 2).sum())
    count = len(sizes)
    return 1.0 if inside == 0 else between * (len(points) - count) / (inside * (count - 1))
