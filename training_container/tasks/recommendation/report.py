"""The report of a recommender: how far off ratings are, how good lists are, what the blend is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from training_container.report import plots
from training_container.report.plain import ReportContent, Section, write_plain_report
from training_container.report.wording import number, percent
from training_container.tasks.recommendation.tables import FIRST_KNOWN, list_requests

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import ModelCard
    from training_container.export.parity import Proof
    from training_container.tasks.recommendation.recommender import RecommenderModel

PART_MEANINGS = {
    "biases": "how much higher or lower each user rates, and each item is rated",
    "neighbours": "a user's ratings of similar items, less the biases; a correction, not a prediction by itself",
    "factors": "latent factors of users and items, and which items a user rated at all",
    "blend": "the weighted sum of the parts, with weights from the validation ratings",
}
EXAMPLE_USERS = 8
EXAMPLE_ITEMS = 5


def write_report(path: Path, model: RecommenderModel, card: ModelCard, metrics: Metrics, proof: Proof) -> None:
    """Writes the report as one HTML file."""
    content = ReportContent(
        summary=summary(metrics, card.target),
        baseline="The trivial baseline answers the mean rating and shows everybody the most rated items.",
        split="by time within each user, the latest held out; by content where there is no time",
        sections=[answers(model, card), made_of(model), learned(model), *examples(model, card)],
    )
    write_plain_report(path, content, card, metrics, proof, model.dataset.profile)


def summary(metrics: Metrics, target: str) -> str:
    """One sentence: how good, on what, against what."""
    ours, trivial = metrics.holdout, metrics.baseline
    return (
        f"The model predicts “{target}” with an average error of {number(ours['mae'])} (always answering the mean: "
        f"{number(trivial['mae'])}); of the items that users rated next, {percent(ours['recall@10'])} are among the "
        f"ten that it shows (the ten most popular: {percent(trivial['recall@10'])})."
    )


def answers(model: RecommenderModel, card: ModelCard) -> Section:
    """Figures of the hold-out's answers and of the ratings; a masked rating is not drawn."""
    if card.target in card.masked:
        return Section("How well it answers", "The rating is masked: its values are not shown.")
    rows = model.dataset.holdout
    said = model.tables.answer(rows.columns).ratings
    figures = [
        ("Predicted by true rating", "The middle half of the predictions for each true rating; perfect ones would "
         "follow the line.", by_rating(rows.target, said)),
        ("Errors", "The distribution of the errors; a peak at 0 is good.", plots.residuals(rows.target, said)),
        ("The ratings", "The training ratings.", plots.target_values(model.dataset.train.target, card.target)),
        ("Ratings of items", "The number of ratings of each item, most rated first.", popularity(model)),
    ]  # fmt: skip
    return Section("How well it answers", figures=figures)


def by_rating(truth: np.ndarray, said: np.ndarray) -> str:
    """Quartiles of the predictions in up to ten steps of the true rating."""

    def paint(axes: Axes) -> None:
        edges = np.unique(np.quantile(truth, np.linspace(0, 1, 11)))
        place = np.clip(np.searchsorted(edges, truth, side="right") - 1, 0, len(edges) - 1)
        for band, edge in enumerate(edges):
            if (place == band).any():
                low, middle, high = np.quantile(said[place == band], [0.25, 0.5, 0.75])
                axes.plot([edge, edge], [low, high], color=plots.MODEL, linewidth=6, alpha=0.5)
                axes.plot([edge], [middle], "o", color=plots.MODEL)
        axes.plot(edges[[0, -1]], edges[[0, -1]], color=plots.OTHER, linewidth=1)
        axes.set_xlabel("true rating")
        axes.set_ylabel("predicted")

    return plots.draw("by-rating", paint)


def popularity(model: RecommenderModel) -> str:
    """Number of ratings by item, most rated first."""

    def paint(axes: Axes) -> None:
        counts = np.sort(model.blended.model.known.per_item.numpy())[::-1]
        axes.plot(np.arange(1, len(counts) + 1), counts, color=plots.SOFT)
        axes.set_yscale("log")
        axes.set_xlabel("item")
        axes.set_ylabel("ratings")

    return plots.draw("popularity", paint)


def made_of(model: RecommenderModel) -> Section:
    """The parts, their weights, and what each is."""
    weights = model.blended.settings["weights"]
    rows = [(name, weights.get(name, ""), PART_MEANINGS[name.split("-")[0]]) for name in model.blended.validation]
    more = [f"{name} {value}" for name, value in model.blended.settings.items() if name != "weights"]
    return Section("What it is made of", ", ".join(more), headers=("part", "weight", "what it models"), rows=rows)


def learned(model: RecommenderModel) -> Section:
    """The noise of the sampled models by round."""

    def paint(axes: Axes) -> None:
        for name, curves in model.blended.curves.items():
            axes.plot(np.arange(1, len(curves["noise"]) + 1), curves["noise"], label=name)
        axes.set_xlabel("round")
        axes.set_ylabel("residual standard deviation")
        axes.legend()

    how = "The standard deviation that the factors leave unexplained, by round; a level line has converged."
    return Section("How it learned", figures=[("Noise", how, plots.draw("noise", paint))])


def examples(model: RecommenderModel, card: ModelCard) -> list[Section]:
    """What some users are shown; nothing where users or items are masked."""
    if {model.tables.user.column, model.tables.item.column} & set(card.masked):
        return []
    users = list(model.tables.user.codes)[-EXAMPLE_USERS:]
    users = [user for user in users if model.tables.user.codes[user] >= FIRST_KNOWN]
    answers = model.tables.answer(list_requests([*users, ""], model.tables))
    names = np.array(model.tables.item_names(), dtype=object)
    rows = [
        (
            user or "an unknown user",
            ", ".join(f"{names[code]} ({score:.1f})" for code, score in list(pairs)[:EXAMPLE_ITEMS]),
        )
        for user, pairs in zip(
            [*users, ""],
            (zip(*pair, strict=True) for pair in zip(answers.items, answers.scores, strict=True)),
            strict=True,
        )
    ]
    note = "The first items of some users' lists, each with its expected rating."
    return [Section("What it shows", note, headers=(model.tables.user.column, "items"), rows=rows)]
