"""Gathers what the report tells and renders `page.html` with it; every text from the data is escaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from training_container import evidence
from training_container.models.body import predict
from training_container.report import plots, words
from training_container.report.importance import importances

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import ModelCard
    from training_container.export.parity import Proof
    from training_container.selection import Study

IMPORTANCES = 25
"""Bars that are shown."""


def write_report(path: Path, done: Study, card: ModelCard, measured: Metrics, proof: Proof) -> None:
    """Writes the report as one HTML file."""
    surroundings = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    surroundings.filters.update(number=words.number, percent=words.percent)
    page = surroundings.get_template("page.html").render(
        card=card,
        measured=measured,
        proof=proof,
        summary=words.summary(measured, card.target),
        gain=words.gain(measured),
        meaning=words.MEANING,
        named=lambda name: words.model(name, card.task),
        learning=words.LEARNING,
        curves=[(trial.name, Markup(plots.learning_curve(trial))) for trial in done.trials if trial.fitted.curves],
        figures=figures(done, card),
        importances=bars(done),
        columns=columns(done, card),
        dropped=done.dataset.profile["dropped"],
        suspects=done.dataset.profile["suspects"],
        personal=done.dataset.profile["personal"],
        versions=evidence.versions(),
        settings=done.chosen.fitted.settings,
        device=str(done.problem.device),
    )
    path.write_text(page, encoding="utf-8")


def figures(done: Study, card: ModelCard) -> list[tuple[str, str, Markup]]:
    """(title, how to read it, plot) of the hold-out's answers and the target; a masked target is not drawn."""
    if card.target in card.masked:
        return []
    holdout = done.dataset.holdout
    truth, answers = holdout.target, predict(done.body, done.encoder.encode(holdout.columns))
    made = _regression(truth, answers, done, card) if not card.classes else _classes(truth, answers, done, card)
    return [(title, how, Markup(plot)) for title, how, plot in made]


def _regression(truth: Any, answers: Any, done: Study, card: ModelCard) -> list[tuple[str, str, str]]:
    return [
        ("Predicted and true", "Each point is a row that the model had never seen; right answers lie on the line.",
         plots.predicted_and_true(truth, answers, card.target)),
        ("Errors", "How far off the answers are; a hill around 0 is good, one beside it is a bias.",
         plots.residuals(truth, answers)),
        ("The target", "What there was to learn.", plots.target_values(done.dataset.train.target, card.target)),
    ]  # fmt: skip


def _classes(truth: Any, answers: Any, done: Study, card: ModelCard) -> list[tuple[str, str, str]]:
    made = [
        ("Right and wrong", "Rows by true and predicted class; the diagonal is right.",
         plots.confusion(truth, answers, card.classes)),
        ("Calibration", "Whether a probability means what it says: the closer to the dashed line, the better.",
         plots.calibration(truth, answers)),
        ("The target", "What there was to learn.", plots.class_shares(done.dataset.train.target, card.classes)),
    ]  # fmt: skip
    if len(card.classes) == 2:
        how = f"Finding “{card.classes[1]}” against false alarms; the further to the upper left, the better."
        made.insert(1, ("ROC curve", how, plots.roc(truth, answers)))
    return made


def bars(done: Study) -> list[tuple[str, float, float]]:
    """(column, fall of the score, width in per cent) of the most important columns."""
    found = importances(done)[:IMPORTANCES]
    longest = max((fall for _, fall in found), default=0.0)
    return [(name, fall, max(0.0, 100 * fall / longest) if longest > 0 else 0.0) for name, fall in found]


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
            "typical": "" if column.name in card.masked else words.typical(profile[column.name]),
        }
        for column in card.columns
    ]
