"""One recommendation job from the prepared ratings to a complete folder of model files."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dropforge.contract import names
from dropforge.contract.baseline import Baseline
from dropforge.contract.results import METRICS, Candidate, Metrics
from dropforge.datasets.ratings import role_names
from dropforge.metrics.evaluation import Ratings, beyond_chance, of_popularity, of_ratings
from training_container import evidence
from training_container.driver import complete_folder, make_card
from training_container.export.runtime import Runtime
from training_container.scoring.notes import notes
from training_container.scoring.summaries import log_scores, write_summaries
from training_container.tasks.recommendation.blend import Blended, fit
from training_container.tasks.recommendation.few import few_users
from training_container.tasks.recommendation.graph import build
from training_container.tasks.recommendation.model import Tables, as_ratings, asking, tables, vocabulary
from training_container.tasks.recommendation.proof import prove
from training_container.tasks.recommendation.report import write_report
from training_container.tasks.table.selection import metric_of
from training_container.tensorboard import write_scalars

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.schema import ModelCard
    from dropforge.datasets.dataset import Dataset, Rows
    from training_container.budget import Budget
    from training_container.checkpoints import Checkpoints
    from training_container.export.parity import Proof
    from training_container.job import Job
    from training_container.progress import Progress

GOLDEN_ROWS, GOLDEN_LISTS = 48, 24
CLEAR = 1e-4
"""Ranks of a golden list are at least this far apart, so that its order is beyond rounding."""


@dataclass(frozen=True)
class RecommenderModel:
    """The recommender, as fitted and as it answers."""

    dataset: Dataset
    blended: Blended
    made: Tables


def train_task(job: Job, dataset: Dataset, budget: Budget, checkpoints: Checkpoints, progress: Progress,
               start: float) -> None:  # fmt: skip
    """Trains on `dataset` and leaves the model's files in `job.output`, all of them or none.

    Raises:
        JobFault: the spec names a metric that the task does not have.
        ParityFault: the model file does not answer as torch does.
    """
    metric = metric_of(dataset, job.spec.metric)
    done = learn(dataset, budget, job.seed, progress.step("fit"), checkpoints)
    measured, card = measure(done, metric, job.seed), make_card(job, dataset)
    with complete_folder(job.output) as folder:
        proof = export(folder, done, card, progress)
        log_scores(measured, progress.step("score"))
        progress.step("report").update(0.0)
        evidence.write_json(folder / names.METRICS_FILE, measured.to_json())
        scored = dataset.holdout.take(np.arange(min(evidence.HOLDOUT_ROWS, len(dataset.holdout))))
        evidence.write_json(folder / names.BASELINE_FILE, baseline_of(done, scored).to_json())
        evidence.write_json(folder / names.PROFILE_FILE, dataset.profile)
        boards = folder / names.TENSORBOARD_FOLDER.strip("/")
        for name, curves in done.blended.curves.items():
            write_scalars(boards, name, curves, {})
        write_summaries(boards, measured)
        write_report(folder / names.REPORT_FILE, done, card, measured, proof)
        evidence.write_manifest(folder, job, card, "cpu", time.monotonic() - start)


def export(folder: Path, done: RecommenderModel, card: ModelCard, progress: Progress) -> Proof:
    """Writes the model file, proves it on the bytes that were written, and leaves the evidence beside it."""
    progress.step("export").update(0.0)
    model, holdout = build(card, done.made).SerializeToString(), done.dataset.holdout
    (folder / names.MODEL_FILE).write_bytes(model)
    progress.step("prove").update(0.0, bytes=len(model))
    proof = prove(done.made, Runtime(model, card), holdout)
    evidence.write_golden(folder / names.GOLDEN_FILE, golden_rows(done.made, holdout))
    evidence.write_holdout(folder / names.HOLDOUT_FILE, holdout, ())
    progress.step("prove").update(1.0, rows=proof.rows, largest=proof.largest)
    return proof


def learn(
    dataset: Dataset, budget: Budget, seed: int, progress: Progress, checkpoints: Checkpoints
) -> RecommenderModel:
    """The recommender of training and validation rows."""
    seen = (dataset.train, dataset.validation)
    user, item = (vocabulary(name, *(part.columns[name] for part in seen)) for name in role_names(dataset.columns))
    known, held = (as_ratings(part, user, item) for part in seen)
    found = fit(known, held, seed=seed, budget=budget, progress=progress, checkpoints=checkpoints)
    return RecommenderModel(dataset, found, tables(found.model, user, item))


def measure(done: RecommenderModel, metric: str, seed: int) -> Metrics:
    """The scores on the hold-out, once, beside those of the mean rating and of the most rated items."""
    rows, made = done.dataset.holdout, done.made
    ratings = ratings_of(rows, made)
    users = np.array(list(ratings.chosen), dtype=object)
    ours = of_ratings(ratings, made.answer(rows.columns).ratings.astype(np.float64), shown(made, users))
    trivial = of_popularity(ratings, baseline_of(done, rows))
    comparison = beyond_chance(ours, trivial, metric, seed)
    found = done.blended
    measured = Metrics(
        task="recommendation",
        metric=metric,
        direction=METRICS["recommendation"][metric],
        chosen="blend",
        holdout=comparison.scores,
        validation=found.validation["blend"],
        baseline=comparison.other,
        candidates=tuple(
            Candidate(name, known, round(found.seconds.get(name, 0.0), 3), found.settings if name == "blend" else {})
            for name, known in found.validation.items()
        ),
        rows=dict(done.dataset.counts),
        intervals=comparison.intervals,
        baseline_intervals=comparison.other_intervals,
        gains=comparison.gains,
    )
    return replace(measured, notes=(*notes(measured, rows.target, rows.target, ()), *few_users(ours.units)))


def ratings_of(rows: Rows, made: Tables) -> Ratings:
    """The rows as a recommender is scored by them."""
    return Ratings(rows.columns[made.user.column].tolist(), rows.columns[made.item.column].tolist(), rows.target)


def baseline_of(done: RecommenderModel, rows: Rows) -> Baseline:
    """The mean rating, and the most rated items for every user of these rows."""
    users = list(dict.fromkeys(rows.columns[done.made.user.column].tolist()))
    lists = popular(done.made, np.array(users, dtype=object))
    return Baseline(
        "recommendation",
        mean=float(done.made.mean),
        median=float(np.median(done.dataset.learning.target)),
        lists={str(user): tuple(items) for user, items in zip(users, lists, strict=True)},
    )


def shown(made: Tables, users: np.ndarray) -> list[list[str]]:
    """What each user [N] is shown."""
    items = np.array(made.item_names(), dtype=object)
    return [[name for name in row if name] for row in items[made.answer(asking(users, made)).items].tolist()]


def popular(made: Tables, users: np.ndarray) -> list[list[str]]:
    """The most rated items that each user [N] has not rated: what knows nothing of anybody shows."""
    ranks, items = made.item_ranks[:, -1], made.item_names()
    found = []
    for user in made.user.encode(users).tolist():
        scores = ranks.clone()
        scores[made.seen[made.starts[user] : made.starts[user + 1]]] = -torch.inf
        found.append([items[place + 2] for place in scores.topk(made.shown).indices.tolist()])
    return found


def golden_rows(made: Tables, rows: Rows) -> list[dict[str, Any]]:
    """Rows with torch's answers: ratings, lists, strangers and rows of nothing."""
    values = {name: column[_spread(len(rows), GOLDEN_ROWS)] for name, column in rows.columns.items()}
    users = np.unique(rows.columns[made.user.column].astype(str))
    lists = asking([*users[_spread(len(users), GOLDEN_LISTS)], evidence.UNSEEN, ""], made)
    known = values[made.user.column][0], values[made.item.column][0]
    pairs = [(known[0], evidence.UNSEEN), (evidence.UNSEEN, known[1]), ("", known[1]), (evidence.UNSEEN,) * 2]
    whole = {
        column: np.array([*values[column], *lists[column], *(pair[at] for pair in pairs)], dtype=object)
        for at, column in enumerate((made.user.column, made.item.column))
    }
    answers = made.answer(whole)
    clear = _clear(made, whole)
    return [_golden(made, whole, answers, at) for at in range(len(answers.ratings)) if clear[at]]


def _spread(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def _clear(made: Tables, values: dict[str, np.ndarray]) -> np.ndarray:
    """Whether a row's list has an order beyond rounding, the first item that is not shown counted in."""
    _, ranks = made.lists(made.encoder.encode(values).codes[:, 0], more=1)
    apart = (ranks[:, :-1] - ranks[:, 1:]).amin(1) if ranks.shape[1] > 1 else torch.ones(len(ranks))
    asked = torch.from_numpy(values[made.item.column] == "")
    return (~asked | (apart > CLEAR)).numpy()


def _golden(made: Tables, values: dict[str, np.ndarray], answers: Any, at: int) -> dict[str, Any]:
    row = {name: evidence.plain(column[at]) for name, column in values.items()}
    found: dict[str, Any] = {"row": row, "prediction": float(answers.ratings[at]), "probabilities": None}
    if row[made.item.column] is not None:
        return {**found, "recommendations": None}
    names = made.item_names()
    pairs = zip(answers.items[at].tolist(), answers.scores[at].tolist(), strict=True)
    return {**found, "recommendations": [{"item": names[code], "score": s} for code, s in pairs if names[code]]}
