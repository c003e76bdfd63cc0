"""How well clusters are apart, in numpy: as scikit-learn defines the scores, over the first `MOST` rows.

Hold-out rows lie in the order of their hashes, so the first are a sample.
"""

from __future__ import annotations

import numpy as np

from lambdas.serving.faults import ModelFault

MOST = 2_000
"""Rows of which all distances are taken."""


def cluster_scores(features: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Every metric of clustering, of points [N, F] and their clusters [N].

    Raises:
        ModelFault: all rows, or every row by itself, are one cluster: no score is defined.
    """
    points, codes = features[:MOST].astype(np.float64), np.unique(labels[:MOST], return_inverse=True)[1]
    count = int(codes.max()) + 1
    if not 2 <= count < len(points):
        raise ModelFault(
            f"hold-out rows fall into {count} clusters of {len(points)} rows: expected at least 2, of many"
        )
    return {
        "silhouette": silhouette(points, codes),
        "davies_bouldin": davies_bouldin(points, codes),
        "calinski_harabasz": calinski_harabasz(points, codes),
    }


def silhouette(points: np.ndarray, codes: np.ndarray) -> float:
    """Mean of (b − a) / max(a, b): mean distances to the own cluster (a) and to the nearest other (b); 0 if alone."""
    squares = (points**2).sum(axis=1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * points @ points.T, 0))
    np.fill_diagonal(distances, 0)
    member = np.eye(int(codes.max()) + 1)[codes]
    sums, sizes = distances @ member, member.sum(axis=0)
    rows = np.arange(len(codes))
    own = sums[rows, codes] / np.maximum(sizes[codes] - 1, 1)
    means = sums / sizes
    means[rows, codes] = np.inf
    other = means.min(axis=1)
    largest = np.maximum(own, other)
    found = np.divide(other - own, largest, out=np.zeros(len(codes)), where=largest > 0)
    return float(np.where(sizes[codes] > 1, found, 0.0).mean())


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
    """Variance between the clusters by that inside, each by its degrees of freedom."""
    centres, sizes = centres_of(points, codes), np.bincount(codes)
    between = float((sizes * ((centres - points.mean(axis=0)) ** 2).sum(axis=1)).sum())
    inside = float(((points - centres[codes]) ** 2).sum())
    count = len(sizes)
    return 1.0 if inside == 0 else between * (len(points) - count) / (inside * (count - 1))
