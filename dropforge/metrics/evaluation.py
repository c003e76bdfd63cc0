"""Two models on the same hold-out rows: their scores, the intervals of these, and how much better one of them is.

    ours = of_table("regression", truth, answers)
    trivial = of_baseline(truth, baseline)
    comparison = compare(ours, trivial, seed=0)
    comparison.gains["rmse"].is_sure

The trainer compares a model with its baseline for the report; Judge does so again in the serving runtime, and compares
it with the live version. Both call this module, so that equal answers have equal scores and intervals.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dropforge.contract.results import METRICS
from dropforge.metrics import clusters_weighted
from dropforge.metrics.baseline import guess
from dropforge.metrics.clusters import MOST_SCORED, cluster_scores
from dropforge.metrics.grouped import by_group, shuffled_groups
from dropforge.metrics.intervals import compared
from dropforge.metrics.lists import LIST_METRICS, chosen_by_user, list_scores, scores_of_lists
from dropforge.metrics.resampling import MOST_ROWS, Resamples, sample
from dropforge.metrics.scores import better, known, mae, rmse, score, scores
from dropforge.metrics.users import UserScores
from dropforge.metrics.weighted import figures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dropforge.contract.baseline import Baseline
    from dropforge.contract.scores import Gain, Interval
    from dropforge.contract.tasks import Task
    from dropforge.metrics.weighted import Figures

    Array = np.ndarray

SHUFFLES = 399
"""Of a model's answers; with one less than a round number, shares of chance are exact."""

LIST_SHUFFLES = 39
"""Of lists, which take long to score: the fewest of which none may do as well for a share of chance of 2.5 %."""

MOST_CLUSTERED = 1_000
"""Rows of a clustering that are resampled at most: all distances between them are summed for each resample."""


@dataclass(frozen=True)
class Answered:
    """One model's answers to the hold-out, scored, and ready to be resampled."""

    task: Task
    scores: dict[str, float]
    """Every metric of the task that exists on these rows."""
    units: int
    """How many there are of what the bootstrap draws: rows, or users or groups with all of their rows."""
    figures: Callable[[Array], Figures]
    """From positions of some units to the metrics under weights of these units."""
    shuffled: Callable[[str, np.random.Generator], float] | None = None
    """From a metric and a source of chance to the score of the same answers dealt to other rows. None for clusterings,
    whose baseline is just that."""
    most: int = MOST_ROWS
    """Units that are resampled at most."""


@dataclass(frozen=True)
class Comparison:
    """A model beside another one, by metric name."""

    scores: dict[str, float]
    intervals: dict[str, Interval]
    other: dict[str, float]
    """The other's scores."""
    other_intervals: dict[str, Interval]
    gains: dict[str, Gain]
    """How much better the model is than the other."""


def compare(model: Answered, other: Answered, seed: int) -> Comparison:
    """The two models' scores with their intervals; the same seed gives the same resamples."""
    units = sample(model.units, model.most, seed)
    shrink = float(np.sqrt(len(units) / model.units))
    figures = model.figures(units), other.figures(units)
    bounds = compared(model.task, Resamples(len(units), seed), figures, (model.scores, other.scores), shrink)
    return Comparison(model.scores, bounds.model, other.scores, bounds.other, bounds.gains)


def beyond_chance(model: Answered, baseline: Answered, metric: str, seed: int) -> Comparison:
    """The model beside the trivial baseline; the gain in the deciding metric says how often chance does as well.

    An interval asks how the score would differ on other rows. It is too narrow where a few rows carry the score, as in
    targets with heavy tails: noise then seems to be learned several times as often as an interval of 95 % allows.
    Dealing the same answers to other rows asks whether they have to do with their rows at all, which is exact for every
    metric and every distribution (a permutation test: Fisher 1935, The Design of Experiments).
    """
    comparison = compare(model, baseline, seed)
    gain = comparison.gains.get(metric)
    if gain is None or model.shuffled is None:
        return comparison
    chance, direction = np.random.default_rng(seed), METRICS[model.task][metric]
    shuffles = LIST_SHUFFLES if metric in LIST_METRICS else SHUFFLES
    scored = (model.shuffled(metric, chance) for _ in range(shuffles))
    as_good = sum(not better(direction, model.scores[metric], value) for value in scored)
    by_chance = (1 + as_good) / (1 + shuffles)
    return replace(comparison, gains={**comparison.gains, metric: replace(gain, by_chance=by_chance)})


def of_table(task: Task, truth: Array, answers: Array, groups: Array | None = None) -> Answered:
    """Answers to rows with a target: values [N] for values [N], or probabilities [N, classes] for class codes [N].

    Args:
        task: of the rows.
        truth: their targets.
        answers: a model's answers.
        groups: int64 [N] from 0, where rows of one group are alike: the bootstrap draws groups, and shuffles deal whole
            groups, because single rows would claim to know more than they do.

    Raises:
        ValueError: no row to score, or answers that are not finite.
    """
    said = answers.astype(np.float64)
    values = known(scores(task, truth, said))
    if groups is None:
        return Answered(
            task,
            scores=values,
            units=len(truth),
            figures=lambda rows: figures_of(task, truth[rows], said[rows]),
            shuffled=lambda metric, chance: score(task, metric, truth, chance.permutation(said)),
        )
    return Answered(
        task,
        scores=values,
        units=int(groups.max()) + 1,
        figures=by_group(groups, lambda rows: figures_of(task, truth[rows], said[rows])),
        shuffled=lambda metric, chance: score(task, metric, truth, shuffled_groups(said, groups, chance)),
    )


def of_baseline(truth: Array, baseline: Baseline, groups: Array | None = None) -> Answered:
    """The trivial baseline's answers to the same rows; under each metric those that are best for it.

    `groups` is as in `of_table`.
    """
    task, rows = baseline.task, len(truth)
    guesses = {metric: guess(baseline, metric, rows) for metric in METRICS[task]}
    values = known({metric: score(task, metric, truth, said) for metric, said in guesses.items()})

    def figures(some: Array) -> Figures:
        parts = {metric: figures_of(task, truth[some], said[some], metric) for metric, said in guesses.items()}
        return lambda weights: {metric: part(weights)[metric] for metric, part in parts.items()}

    if groups is None:
        return Answered(task, values, rows, figures)
    return Answered(task, values, int(groups.max()) + 1, by_group(groups, figures))


def of_clusters(points: Array, labels: Array) -> Answered | None:
    """Points [N, F] in clusters [N]; None where no score is defined: fewer than two clusters, or one for every row."""
    values = cluster_scores(points, labels)
    if values is None:
        return None
    return Answered(
        "clustering",
        scores=values,
        units=min(MOST_SCORED, len(points)),
        figures=lambda rows: clusters_weighted.figures_of(points[rows], labels[rows]),
        most=MOST_CLUSTERED,
    )


def dealt(labels: Array, seed: int) -> Array:
    """The baseline of a clustering: clusters of the same sizes, dealt to the rows at random."""
    return np.random.default_rng(seed).permutation(labels)


@dataclass(frozen=True)
class Ratings:
    """The ratings that a recommender is scored by, users in the order of their first row."""

    raters: Sequence[str]
    """The user of each rating, [N]."""
    items: Sequence[str]
    truth: Array
    """Float64 [N]."""

    @property
    def chosen(self) -> dict[object, set[object]]:
        """Each user's items."""
        return chosen_by_user(self.raters, self.items)


def of_ratings(ratings: Ratings, said: Array, lists: Sequence[Sequence[str]]) -> Answered:
    """A recommender's expected ratings [N], and the list that it shows to each user of `ratings.chosen`."""
    by_user = scores_of_lists(lists, list(ratings.chosen.values()))
    values = {"rmse": rmse(ratings.truth, said), "mae": mae(ratings.truth, said)}
    values |= {name: float(np.mean(each)) for name, each in by_user.items()}
    users = UserScores.of(ratings.raters, ratings.truth - said, by_user)

    def shuffled(metric: str, chance: np.random.Generator) -> float:
        if metric in LIST_METRICS:
            dealt_lists = [lists[place] for place in chance.permutation(len(lists))]
            return list_scores(dealt_lists, list(ratings.chosen.values()))[metric]
        return score("regression", metric, ratings.truth, chance.permutation(said))

    return Answered("recommendation", values, len(users.table), lambda some: users.take(some).figures, shuffled)


def of_popularity(ratings: Ratings, baseline: Baseline) -> Answered:
    """A recommender's baseline: the mean rating (for `mae` the median), and the most rated items for everybody."""
    lists = [baseline.lists.get(str(user), ()) for user in ratings.chosen]
    rows = len(ratings.truth)
    by_mean = of_ratings(ratings, guess(baseline, "rmse", rows), lists)
    by_median = of_ratings(ratings, guess(baseline, "mae", rows), lists)

    def figures(some: Array) -> Figures:
        mean, median = by_mean.figures(some), by_median.figures(some)
        return lambda weights: {**mean(weights), "mae": median(weights)["mae"]}

    return Answered("recommendation", {**by_mean.scores, "mae": by_median.scores["mae"]}, by_mean.units, figures)
