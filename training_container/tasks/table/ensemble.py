"""From several families' out-of-fold answers to one model: weights by greedy selection, then a temperature.

Weights: Caruana et al., "Ensemble Selection from Libraries of Models" (2004): starting with the best member, the one
whose addition helps most is added again and again, with replacement; the shares of the additions are the weights.

In a regression, members that can extrapolate are first drawn back to where the forests' mean answer is, by bounds that
99 % of the out-of-fold answers keep: no out-of-fold score asks for it, rows unlike any training row do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract.results import METRICS
from dropforge.metrics import scores as metrics
from training_container.models.family import Fitted
from training_container.models.predictor import Guarded, Mixture, Predictor, at_temperature, clamped, mix

if TYPE_CHECKING:
    from training_container.models.family import Problem

GREEDY_ROUNDS = 40
LEAST_WEIGHT = 0.02
"""A member of less weight is left out: what it adds is not worth its time in every request."""

WEIGHING_METRIC = {"auc": "logloss"}
"""The metric that weighs, where it is not the one that decides. AUC looks at ranks alone: weights chosen by it follow
its noise, and did worse on new rows than those chosen by log loss (`docs/experiments.md`)."""

TEMPERATURES = np.geomspace(0.5, 2.0, 61)


STRAY_SHARE = 0.01
"""Share of out-of-fold answers that the bounds of a guarded member draw back."""


def ensemble(problem: Problem, members: dict[str, Fitted]) -> Fitted:
    """The weighted mean of the members that help, calibrated where answers are probabilities."""
    members = members if problem.classes else guarded(problem, members)
    names = list(members)
    weights = greedy(problem, [members[name].answers for name in names])
    chosen = [(name, weight) for name, weight in zip(names, weights, strict=True) if weight > 0]
    answers = sum(weight * members[name].answers for name, weight in chosen)
    assert isinstance(answers, np.ndarray)  # there is at least one member
    temperature = calibrated(problem.target, answers) if problem.classes else 1.0
    answers = _at(answers, temperature)
    predictor = mix([members[name].predictor for name, _ in chosen], [weight for _, weight in chosen], temperature)
    settings = {"weights": {name: round(weight, 4) for name, weight in chosen}}
    calibration = {"temperature": temperature} if problem.classes else {}
    return Fitted(predictor, answers, problem.score(answers), {**settings, **calibration})


def guarded(problem: Problem, members: dict[str, Fitted]) -> dict[str, Fitted]:
    """The members, with those without trees clamped to the range of those with trees."""
    forests = [member for member in members.values() if member.predictor.forests]
    if not forests:
        return members
    anchor = mix([member.predictor for member in forests], [1 / len(forests)] * len(forests))
    near = np.mean([member.answers for member in forests], axis=0)
    ratio = bool(problem.target.min() > 0 and (near > 0).any())
    return {
        name: member if member.predictor.forests else _guarded(problem, member, anchor, near, ratio)
        for name, member in members.items()
    }


def _guarded(problem: Problem, member: Fitted, anchor: Predictor, near: np.ndarray, ratio: bool) -> Fitted:
    positive = near > 0  # there is no ratio to 0
    apart = member.answers[positive] / near[positive] if ratio else member.answers - near
    low, high = (float(bound) for bound in np.quantile(apart, [STRAY_SHARE / 2, 1 - STRAY_SHARE / 2]))
    assert isinstance(anchor.answer, Mixture)  # `mix` made it
    predictor = Predictor(
        anchor.groups, Guarded(member.predictor.answer, anchor.answer, (low, high), ratio), anchor.forests
    )
    bounds = torch.tensor((low, high))
    answers = clamped(torch.from_numpy(member.answers), torch.from_numpy(near), bounds, ratio).numpy()
    return replace(member, predictor=predictor, answers=answers, validation=problem.score(answers))


def greedy(problem: Problem, answers: list[np.ndarray]) -> list[float]:
    """A weight a member, adding to 1; the weights of the best mean that greedy selection meets."""
    counts = np.zeros(len(answers))
    total = np.zeros_like(answers[0], dtype=np.float64)
    best, kept = float("nan"), counts
    for _ in range(GREEDY_ROUNDS):
        scores = [_score(problem, (total + member) / (counts.sum() + 1)) for member in answers]
        best_member = max(range(len(scores)), key=lambda member: scores[member])
        counts[best_member] += 1
        total += answers[best_member]
        if np.isnan(best) or scores[best_member] > best:
            best, kept = scores[best_member], counts.copy()
    kept[kept / kept.sum() < LEAST_WEIGHT] = 0
    return [float(member) for member in kept / kept.sum()]


def weighed_by(problem: Problem) -> str:
    """The metric that the weights are chosen by."""
    return WEIGHING_METRIC.get(problem.metric, problem.metric)


def _score(problem: Problem, answers: np.ndarray) -> float:
    """The weighing metric, signed so that higher is better."""
    metric = weighed_by(problem)
    score = metrics.score(problem.task, metric, problem.target, answers)
    score = score if METRICS[problem.task][metric] == "higher" else -score
    return -np.inf if np.isnan(score) else score


def calibrated(truth: np.ndarray, answers: np.ndarray) -> float:
    """The temperature of `TEMPERATURES` with the least log loss; 1 where none does better."""
    losses = [metrics.logloss(truth, _at(answers, float(temperature))) for temperature in TEMPERATURES]
    best = float(TEMPERATURES[int(np.argmin(losses))])
    return best if min(losses) < metrics.logloss(truth, answers) else 1.0


def _at(answers: np.ndarray, temperature: float) -> np.ndarray:
    if temperature == 1.0:
        return answers.astype(np.float32)
    return at_temperature(torch.from_numpy(answers), temperature).numpy().astype(np.float32)
