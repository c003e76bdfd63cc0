"""The report of a table with a target: gathers its contents and renders `page.html`; texts from data are escaped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from training_container import evidence
from training_container.report import plots, wording
from training_container.report.template import before, template

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.results import Candidate, Metrics
    from dropforge.contract.schema import ModelCard
    from dropforge.contract.scores import Calibration
    from training_container.export.parity import Proof
    from training_container.tasks.table.selection import Study

IMPORTANCES = 25
"""Bars of importances at most."""


def write_report(path: Path, done: Study, card: ModelCard, answers: np.ndarray, measured: Metrics,
                 proof: Proof) -> None:  # fmt: skip
    """Writes the report as one HTML file; `answers` are the model's on the hold-out."""
    profile = done.dataset.profile
    page = template("page.html").render(
        card=card,
        **before(profile, measured),
        measured=measured,
        proof=proof,
        summary=wording.summary(measured, card.target),
        gain=wording.gain(measured),
        meaning=wording.MEANING,
        named=lambda name: wording.model(name, card.task),
        learning=wording.CURVE_MEANING,
        curves=[
            (trial.name, Markup(plots.learning_curve(trial.name, trial.fitted.curves)))
            for trial in done.trials
            if trial.fitted.curves
        ],
        sureness=wording.sureness(measured),
        leaderboard=leaderboard(measured),
        weighted=any("weight" in candidate.settings for candidate in measured.candidates),
        groups=groups(measured, card),
        figures=figures(done, card, answers, measured),
        importances=bars(measured),
        columns=columns(done, card),
        dropped=profile["dropped"],
        suspects=profile["suspects"],
        personal=profile["personal"],
        versions=evidence.versions(),
        settings=done.chosen.fitted.settings,
        device=str(done.problem.device),
    )
    path.write_text(page, encoding="utf-8")


def figures(done: Study, card: ModelCard, answers: np.ndarray, measured: Metrics) -> list[tuple[str, str, Markup]]:
    """(title, how to read it, plot) of the hold-out's answers and the target; a masked target is not drawn."""
    if card.target in card.masked:
        return []
    truth = done.dataset.holdout.target
    plotted = (
        _regression(truth, answers, done, card)
        if not card.classes
        else _classes(truth, answers, done, card, measured.calibration)
    )
    return [(title, how, Markup(plot)) for title, how, plot in plotted + _neighbourhood(done, card)]


def _regression(truth: Any, answers: Any, done: Study, card: ModelCard) -> list[tuple[str, str, str]]:
    return [
        ("Predicted and true", "Each point is a hold-out row; right answers are on the line.",
         plots.predicted_and_true(truth, answers, card.target)),
        ("Errors", "The distribution of the errors; a peak at 0 is good, a peak beside 0 is a bias.",
         plots.residuals(truth, answers)),
        ("The target", "The target of the training rows.", plots.target_values(done.dataset.train.target, card.target)),
    ]  # fmt: skip


def _neighbourhood(done: Study, card: ModelCard) -> list[tuple[str, str, str]]:
    """The two columns whose neighbours trees are told of, unless one is masked or there are many classes."""
    names = done.neighbourhood
    if names is None or set(names) & set(card.masked) or len(card.classes) > 2:
        return []
    rows = done.dataset.learning
    points = np.stack([rows.columns[name] for name in names], axis=1)
    how = "Rows that are close in these two columns have similar targets; trees also read their neighbours' targets."
    of = f"{card.target}: {card.classes[1]}" if card.classes else card.target
    return [("Neighbours", how, plots.neighbourhood(points, rows.target, names, of))]


def _classes(
    truth: Any, answers: Any, done: Study, card: ModelCard, calibrated: Calibration | None
) -> list[tuple[str, str, str]]:
    plotted = [
        ("Right and wrong", "Rows by true and predicted class; right answers are on the diagonal.",
         plots.confusion(truth, answers, card.classes)),
        ("The target", "The target of the training rows.", plots.class_shares(done.dataset.train.target, card.classes)),
    ]  # fmt: skip
    if len(card.classes) == 2:
        how = f"True against false positive rate of “{card.classes[1]}”; the further to the upper left, the better."
        plotted.insert(1, ("ROC curve", how, plots.roc(truth, answers)))
    if calibrated is not None:
        plotted.insert(-1, ("Calibration", wording.calibration(calibrated), plots.reliability(calibrated)))
    return plotted


def bars(measured: Metrics) -> list[dict[str, Any]]:
    """The most important columns: what shuffling each costs, and bar and whisker in per cent of the width.

    A fall below 0 (shuffling happened to help) has no bar; its whisker is cut at 0.
    """
    importances = measured.importances[:IMPORTANCES]
    longest = max((importance.interval.high for importance in importances), default=0.0)
    scale = 100 / longest if longest > 0 else 0.0
    drawn = []
    for importance in importances:
        low, high = max(0.0, importance.interval.low) * scale, max(0.0, importance.interval.high) * scale
        width = max(0.0, importance.fall) * scale
        drawn.append(
            {"each": importance, "width": width, "low": low, "span": high - low, "sure": importance.interval.low > 0}
        )
    return drawn


def leaderboard(measured: Metrics) -> list[Candidate]:
    """All candidates, the best validation score first; one without a score last."""
    sign = -1.0 if measured.direction == "higher" else 1.0
    return sorted(
        measured.candidates, key=lambda candidate: sign * candidate.validation.get(measured.metric, sign * math.inf)
    )


def groups(measured: Metrics, card: ModelCard) -> list[dict[str, Any]]:
    """Each column that rows are grouped by: its groups, the figures that compare them, and a plot."""
    return [
        {
            "by": grouped,
            "plot": Markup(plots.groups(grouped, measured.metric, measured.holdout.get(measured.metric))),
            "answer": _answer(card),
            "fairness": [
                (wording.fairness(name), value, wording.FAIRNESS[name]) for name, value in grouped.fairness.items()
            ],
        }
        for grouped in measured.groups
    ]


def _answer(card: ModelCard) -> str:
    if not card.classes:
        return "mean answer"
    positive = "the second class" if card.target in card.masked else f"“{card.classes[1]}”"
    return f"answered {positive}" if len(card.classes) == 2 else ""


def columns(done: Study, card: ModelCard) -> list[dict[str, Any]]:
    """A row a column that the model reads; of masked ones no value."""
    profile = done.dataset.profile["columns"]
    return [
        {
            "name": column.name,
            "kind": column.kind,
            "missing": profile[column.name]["missing"],
            "distinct": profile[column.name]["distinct"],
            "masked": column.name in card.masked,
            "typical": "" if column.name in card.masked else wording.typical(profile[column.name]),
        }
        for column in card.columns
    ]
