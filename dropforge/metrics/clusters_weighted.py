"""The metrics of clustering over many weightings of the same rows at once, for the bootstrap.

A row that is drawn several times is no neighbour of itself: distances are to other rows alone, each counted as often as
it was drawn. So a resample is not denser than the rows are, which would flatter the silhouette.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dropforge.metrics.clusters import distances

if TYPE_CHECKING:
    from dropforge.metrics.weighted import Figures

    Array = np.ndarray

MOST_ROWS = 1_000
"""Rows that are resampled at most: all distances between them are summed for each resample."""

TOGETHER = 32
"""Weightings that are taken together."""


def figures_of(points: Array, labels: Array) -> Figures:
    """Every metric of clustering for points [N, F] in clusters `labels` [N]; NaN where fewer than two are drawn."""
    placed = points.astype(np.float64) - points.mean(axis=0)
    apart = distances(placed).astype(np.float32)
    codes = np.unique(labels, return_inverse=True)[1]
    own = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float32)

    def figures(weights: Array) -> dict[str, Array]:
        drawn = [weights[at : at + TOGETHER] for at in range(0, len(weights), TOGETHER)]
        spreads = np.concatenate([_spreads(placed, own, codes, each) for each in drawn])
        silhouettes = np.concatenate([_silhouettes(apart, own, codes, each) for each in drawn])
        return {"silhouette": silhouettes, "davies_bouldin": spreads[:, 0], "calinski_harabasz": spreads[:, 1]}

    return figures


def _silhouettes(apart: Array, own: Array, codes: Array, weights: Array) -> Array:
    """[B] of weights [B, N]: the weighted mean of (b - a) / max(a, b), 0 for a row that is alone in its cluster."""
    members = weights[:, :, None] * own
    sums = np.einsum("nm,bmk->bnk", apart, members, optimize=True)
    counts = np.broadcast_to(members.sum(axis=1)[:, None, :], sums.shape).copy()
    rows = np.arange(len(codes))
    counts[:, rows, codes] -= weights
    with np.errstate(divide="ignore", invalid="ignore"):
        means = sums / counts
        within = means[:, rows, codes].copy()
        means[:, rows, codes] = np.inf
        means[np.isnan(means)] = np.inf  # a cluster of which nothing was drawn
        nearest = means.min(axis=2)
        found = (nearest - within) / np.maximum(nearest, within)
    found[np.isnan(within)] = 0.0
    found[np.isinf(nearest)] = np.nan
    total = (weights * np.where(weights > 0, found, 0.0)).sum(axis=1, dtype=np.float64)
    return np.asarray(total / weights.sum(axis=1, dtype=np.float64))


def _spreads(placed: Array, own: Array, codes: Array, weights: Array) -> Array:
    """Davies-Bouldin and Calinski-Harabasz indices [B, 2] of weights [B, N], as scikit-learn defines them."""
    drawn, total = weights.astype(np.float64), weights.sum(axis=1, dtype=np.float64)
    sizes = drawn @ own
    there, count = sizes > 0, (sizes > 0).sum(axis=1)
    centres = np.einsum("bn,nk,nf->bkf", drawn, own, placed, optimize=True) / np.maximum(sizes, 1e-12)[:, :, None]
    lengths = (centres**2).sum(axis=2)
    meets = np.einsum("nf,bkf->bnk", placed, centres, optimize=True)[:, np.arange(len(codes)), codes]
    squares = np.maximum((placed**2).sum(axis=1) - 2 * meets + lengths[:, codes], 0.0)
    widths = (drawn * np.sqrt(squares)) @ own / np.maximum(sizes, 1e-12)
    between = np.sqrt(((centres[:, :, None] - centres[:, None]) ** 2).sum(axis=3))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (widths[:, :, None] + widths[:, None]) / between
        ratios[:, np.eye(own.shape[1], dtype=bool)] = -np.inf
        ratios[np.broadcast_to(~there[:, None, :], ratios.shape)] = -np.inf
        bouldin = np.where(there, ratios.max(axis=2), 0.0).sum(axis=1) / count
        middle = drawn @ placed / total[:, None]
        outer = (sizes * ((centres - middle[:, None]) ** 2).sum(axis=2)).sum(axis=1)
        inner = (drawn * squares).sum(axis=1)
        harabasz = outer * (total - count) / (inner * (count - 1))
    return np.asarray(np.where(count[:, None] > 1, np.stack([bouldin, harabasz], axis=1), np.nan))
