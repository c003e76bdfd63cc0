"""The report of a clustering: how many clusters and why, what each is like, and pictures of them."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from training_container.report import plots
from training_container.report.plain import ReportContent, Section, write_plain_report
from training_container.report.wording import number, percent
from training_container.tasks.clustering.portraits import portraits

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import ModelCard
    from training_container.export.parity import Proof
    from training_container.tasks.clustering.model import ClusterModel

WAY_NAMES = {
    "kmeans": "k-means",
    "minibatch-kmeans": "mini-batch k-means",
    "mixture-diagonal": "Gaussian mixture, diagonal covariances",
    "mixture-full": "Gaussian mixture, full covariances",
}
MEANS_COLUMNS = 20
"""Of the picture of means."""


def write_report(path: Path, model: ClusterModel, card: ModelCard, metrics: Metrics, proof: Proof) -> None:
    """Writes the report as one HTML file."""
    labels = model.labels(model.dataset.train)
    content = ReportContent(
        summary=summary(model, metrics),
        baseline="The trivial baseline deals the same rows into clusters of the same sizes at random.",
        split="split by the rows' content, so that the same row is always on the same side",
        sections=[alike(model, card, labels), pictures(model, card, labels), how_many(model, metrics.metric)],
        packages={"scikit-learn": version("scikit-learn")},
    )
    write_plain_report(path, content, card, metrics, proof, model.dataset.profile)


def summary(model: ClusterModel, metrics: Metrics) -> str:
    """One sentence: how many, by what, how far apart."""
    chosen, score = model.search.chosen, metrics.holdout["silhouette"]
    apart = "well separated" if score > 0.5 else "separated" if score > 0.25 else "strongly overlapping"
    return (
        f"The rows fall into {chosen.clusters} clusters by {WAY_NAMES[chosen.way]}; on rows that were not fitted "
        f"they are {apart} (silhouette {number(score)}; 0 means no clusters, 1 means far apart)."
    )


def alike(model: ClusterModel, card: ModelCard, labels: np.ndarray) -> Section:
    """A sentence a cluster."""
    said = portraits(card.columns, model.dataset.train, labels, card.masked)
    sizes = np.bincount(labels, minlength=len(card.classes))
    rows = [
        (name, f"{size:,} ({percent(size / len(labels))})", text)
        for name, size, text in zip(card.classes, sizes.tolist(), said, strict=True)
    ]
    note = "How the rows of each cluster differ most from all training rows; masked columns are not described."
    return Section("What the clusters are like", note, headers=("cluster", "rows", "what is different"), rows=rows)


def pictures(model: ClusterModel, card: ModelCard, labels: np.ndarray) -> Section:
    """The clusters from above, and their means."""
    points = model.points(model.dataset.train)
    figures = [
        ("From above", "Each point is a training row, projected on the first two principal components.",
         from_above(points, labels)),
        ("Sizes", "The number of training rows in each cluster.", plots.class_shares(labels, card.classes)),
    ]  # fmt: skip
    numbers = [column.name for column in card.columns if column.takes_numbers and column.name not in card.masked]
    numbers = numbers[:MEANS_COLUMNS]
    if numbers:
        figures.append(("Means", "Red is above the mean of all rows, blue below, in standard deviations.",
                        means(model, numbers, labels)))  # fmt: skip
    return Section("Pictures", figures=figures)


def from_above(points: np.ndarray, labels: np.ndarray) -> str:
    """The first two principal components, coloured by cluster."""

    def paint(axes: Axes) -> None:
        around = points - points.mean(0)
        _, directions = np.linalg.eigh(around.T.astype(float) @ around)
        flat = around @ directions[:, -2:]
        some = np.random.default_rng(0).permutation(len(flat))[: plots.MOST_POINTS]
        for cluster in range(int(labels.max()) + 1):
            own = some[labels[some] == cluster]
            axes.scatter(
                flat[own, -1], flat[own, 0], s=8, alpha=0.6, linewidths=0, label=str(cluster + 1), rasterized=True
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.legend(title="cluster")

    return plots.draw("from-above", paint)


def means(model: ClusterModel, columns: list[str], labels: np.ndarray) -> str:
    """Mean of every cluster in every column of numbers, in standard deviations from the mean of all."""

    def paint(axes: Axes) -> None:
        values = np.stack([model.dataset.train.columns[name].astype(float) for name in columns], 1)
        scaled = (values - np.nanmean(values, 0)) / np.maximum(np.nanstd(values, 0), 1e-12)
        filled = np.nan_to_num(scaled)
        shades = np.stack([filled[labels == cluster].mean(0) for cluster in range(int(labels.max()) + 1)])
        axes.imshow(shades, cmap="coolwarm", vmin=-2, vmax=2, aspect="auto")
        shown = [name.replace("$", r"\$")[:14] for name in columns]
        axes.set_xticks(range(len(columns)), shown, rotation=35, ha="right")
        axes.set_yticks(range(len(shades)), [str(cluster + 1) for cluster in range(len(shades))])
        axes.set_ylabel("cluster")
        axes.grid(visible=False)

    return plots.draw("means", paint)


def how_many(model: ClusterModel, metric: str) -> Section:
    """The scores by number of clusters."""
    figures = [(metric, "On the validation rows, by number of clusters.", by_count(model, metric))]
    if any("bic" in curves for curves in model.search.curves.values()):
        figures.append(
            ("BIC", "The BIC of the mixtures on the training rows; the lowest decides.", by_count(model, "bic"))
        )
    return Section("How many clusters", figures=figures)


def by_count(model: ClusterModel, score: str) -> str:
    """A line a way."""

    def paint(axes: Axes) -> None:
        for way, curves in model.search.curves.items():
            if score in curves:
                axes.plot(np.arange(2, len(curves[score]) + 2), curves[score], "o-", markersize=3, label=WAY_NAMES[way])
        axes.set_xlabel("clusters")
        axes.set_ylabel(score)
        axes.legend(fontsize=8)

    return plots.draw(f"by-count-{score}", paint)
