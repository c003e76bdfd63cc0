"""Linear models: ridge regression in closed form, and softmax regression by Newton-like steps (L-BFGS)."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from training_container.models.family import Fitted, best
from training_container.models.features import plain_features
from training_container.models.predictor import Answer, ClassTail, LinearCore, Predictor, predict
from training_container.models.scales import RegressionTail, target_scales

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.budget import Budget
    from training_container.encoding import Table
    from training_container.models.family import Problem
    from training_container.models.features import Features
    from training_container.models.scales import TargetScale
    from training_container.progress import Progress

PENALTIES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
"""Ridge penalties tried, per row: the penalty of the sum of squares is this times the number of rows."""

SOFTMAX_PENALTIES = (1e-3, 1e-4, 1e-5)
"""From strong to weak, each started from the one before."""


@dataclass(frozen=True)
class Moments:
    """All that least squares needs of N rows, gathered in float64 in one pass: rows may be many, features are few."""

    rows: int
    mean: torch.Tensor
    """[F], of the features."""
    gram: torch.Tensor
    """[F, F], of the centred features: XᵀX / N."""
    product: torch.Tensor
    """[F], of centred features and target: Xᵀy / N."""
    target_mean: float
    target_square: float
    """Mean of the squared centred target: yᵀy / N."""

    @classmethod
    def pooled(cls, parts: Sequence[Moments]) -> Moments:
        """The moments of the rows of all parts together."""
        rows = sum(part.rows for part in parts)
        share = [part.rows / rows for part in parts]

        mean, gram, product = (torch.zeros_like(value) for value in (parts[0].mean, parts[0].gram, parts[0].product))
        centre = square = 0.0
        for moments, part in zip(parts, share, strict=True):
            mean += part * moments.mean
            gram += part * (moments.gram + torch.outer(moments.mean, moments.mean))
            product += part * (moments.product + moments.mean * moments.target_mean)
            centre += part * moments.target_mean
            square += part * (moments.target_square + moments.target_mean**2)
        gram, product, square = gram - torch.outer(mean, mean), product - mean * centre, square - centre**2
        return cls(rows, mean, gram, product, centre, square)

    @classmethod
    def gather(cls, features: Features, table: Table, target: torch.Tensor) -> Moments:
        """The moments of `table` and `target` (float64 [N], on the same device)."""
        count, start = len(table), 0
        total = torch.zeros(features.width, dtype=torch.float64, device=target.device)
        gram = torch.zeros((features.width, features.width), dtype=torch.float64, device=target.device)
        product = torch.zeros_like(total)
        for chunk in table.chunks():
            block = features(chunk.groups).double()
            total += block.sum(dim=0)
            gram += block.T @ block
            product += block.T @ target[start : start + len(block)]
            start += len(block)
        mean, centre = total / count, float(target.mean())
        return cls(count, mean, gram / count - torch.outer(mean, mean), product / count - mean * centre, centre,
                   float((target**2).mean()) - centre**2)  # fmt: skip


def solve(moments: Moments, penalties: tuple[float, ...]) -> list[torch.Tensor]:
    """θ [F] = (XᵀX/N + λ)⁻¹ Xᵀy/N for each λ, by one eigendecomposition; the intercept is not penalised."""
    values, vectors = torch.linalg.eigh(moments.gram)
    turned = vectors.T @ moments.product
    return [vectors @ (turned / (values.clamp(min=0) + penalty)) for penalty in penalties]


def regression_body(
    problem: Problem, features: Features, moments: Moments, theta: torch.Tensor, scale: TargetScale
) -> Predictor:
    """The predictor that answers `theta · features` (θ of centred features) in the target's unit."""
    bias = moments.target_mean - moments.mean @ theta
    core = LinearCore(features, theta[:, None], bias[None])
    return Predictor(tuple(problem.rows.groups), Answer(core, RegressionTail(scale))).to(problem.device)


def fold_moments(problem: Problem, features: Features, target: torch.Tensor) -> list[Moments]:
    """The moments of the rows that each fold's model learns from: of all rows, less the fold's own."""
    own = []
    for _, held in problem.folds:
        rows = torch.from_numpy(held).to(target.device)
        own.append(Moments.gather(features, problem.rows.take(rows), target[rows]))
    return [Moments.pooled(own[:place] + own[place + 1 :]) for place in range(len(own))]


def bag_regression(problem: Problem, features: Features, scale: TargetScale, moments: list[Moments],
                   thetas: list[torch.Tensor]) -> tuple[Predictor, np.ndarray]:  # fmt: skip
    """The mean of one linear model a fold, which is one linear model, and the out-of-fold answers [N]."""
    answers = problem.empty()
    predictors = [regression_body(problem, features, *pair, scale) for pair in zip(moments, thetas, strict=True)]
    for predictor, (_, held) in zip(predictors, problem.folds, strict=True):
        answers[held] = predict(predictor, problem.rows.take(torch.from_numpy(held).to(problem.device)))
    weights, bias = (torch.stack([getattr(predictor.answer.core, name) for predictor in predictors]).mean(dim=0)
                     for name in ("weights", "bias"))  # fmt: skip
    core = LinearCore(features, weights, bias)
    return Predictor(tuple(problem.rows.groups), Answer(core, RegressionTail(scale))).to(problem.device), answers


class Ridge:
    """Closed form: the penalty, and the logarithm of the target where it leans, by out-of-fold score."""

    name = "linear"
    tasks = frozenset({"regression"})

    def fit(self, problem: Problem, budget: Budget, progress: Progress) -> Fitted:  # noqa: ARG002  # a fraction of a second
        """The best of all penalties and target scales."""
        features = plain_features(problem.rows, problem.sizes).to(problem.device)
        fits = []
        for scale in target_scales(problem.target):
            target = torch.from_numpy(scale.encode(problem.target)).to(problem.device)
            moments = fold_moments(problem, features, target)
            by_fold = [solve(part, PENALTIES) for part in moments]
            for number, penalty in enumerate(PENALTIES):
                predictor, answers = bag_regression(
                    problem, features, scale, moments, [solution[number] for solution in by_fold]
                )
                settings = {"penalty": penalty, "log_target": scale.log, "features": features.width}
                fits.append(Fitted(predictor, answers, problem.score(answers), settings))
        chosen = best(problem, fits)
        progress.update(1.0, epoch=1, validation_loss=chosen.validation[problem.metric])
        return chosen


class OutOfBudget(Exception):
    """The budget ended in the middle of a line search."""


class Softmax:
    """Logistic (softmax) regression: cross-entropy with an L2 penalty, chosen by out-of-fold score.

    The folds' models are fitted together, as one batch of weights [F, folds, classes].
    """

    name = "linear"
    tasks = frozenset({"binary", "multiclass"})
    iterations = 60

    def fit(self, problem: Problem, budget: Budget, progress: Progress) -> Fitted:
        """The best of all penalties that the budget allows; always at least one."""
        features = plain_features(problem.rows, problem.sizes).to(problem.device)
        with torch.no_grad():
            dense = torch.cat([features(chunk.groups) for chunk in problem.rows.chunks()])
        mean = dense.mean(dim=0)
        dense -= mean
        folds = len(problem.folds)
        weights = torch.zeros((features.width, folds, problem.classes), device=problem.device, requires_grad=True)
        bias = torch.zeros((folds, problem.classes), device=problem.device, requires_grad=True)
        fits: list[Fitted] = []
        curve: list[float] = []
        for number, penalty in enumerate(SOFTMAX_PENALTIES):
            curve = curve + self._descend(problem, dense, weights, bias, penalty, budget)
            answers = self._answers(problem, dense, weights.detach(), bias.detach())
            kept, offset = weights.detach().mean(dim=1), bias.detach().mean(dim=0)
            core = LinearCore(features, kept, offset - mean @ kept)
            predictor = Predictor(tuple(problem.rows.groups), Answer(core, ClassTail())).to(problem.device)
            settings = {"penalty": penalty, "features": features.width}
            fits.append(Fitted(predictor, answers, problem.score(answers), settings, {"train_loss": curve}))
            progress.update((number + 1) / len(SOFTMAX_PENALTIES), epoch=len(curve), train_loss=curve[-1],
                       validation_loss=fits[-1].validation["logloss"])  # fmt: skip
            if not budget.left:
                break
        return best(problem, fits)

    def _descend(self, problem: Problem, dense: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor,
                 penalty: float, budget: Budget) -> list[float]:  # fmt: skip
        """L-BFGS over all folds at once; a row counts in every fold but its own.

        It leaves the weights of the lowest loss that it met: where the budget ends, a line search is at a trial point.
        """
        folds = len(bias)
        target = torch.from_numpy(problem.target).to(problem.device)[:, None].expand(-1, folds).flatten()
        learns = torch.from_numpy(problem.fold[:, None] != np.arange(folds)).to(problem.device, dense.dtype)
        learns = (learns / learns.sum(dim=0)).flatten()
        steps = torch.optim.LBFGS([weights, bias], max_iter=self.iterations, line_search_fn="strong_wolfe",
                                  tolerance_change=1e-7)  # fmt: skip
        curve: list[float] = []
        kept = weights.detach().clone(), bias.detach().clone()

        def loss() -> torch.Tensor:
            nonlocal kept
            if curve and not budget.left:
                raise OutOfBudget
            steps.zero_grad()
            logits = (dense @ weights.flatten(1)).reshape(-1, *bias.shape) + bias
            losses = functional.cross_entropy(logits.flatten(0, 1), target, reduction="none")
            value = (losses * learns).sum() + penalty * (weights**2).sum()
            torch.autograd.backward(value)
            reached = float(value.detach()) / folds
            if reached < min(curve, default=math.inf):
                kept = weights.detach().clone(), bias.detach().clone()
            curve.append(reached)
            return value

        with contextlib.suppress(OutOfBudget):
            steps.step(loss)  # type: ignore[no-untyped-call]  # torch has not typed it
        with torch.no_grad():
            weights.copy_(kept[0])
            bias.copy_(kept[1])
        return curve

    @staticmethod
    def _answers(problem: Problem, dense: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor) -> np.ndarray:
        """Out-of-fold probabilities [N, classes]."""
        answers = problem.empty()
        for fold, (_, held) in enumerate(problem.folds):
            rows = torch.from_numpy(held).to(problem.device)
            answers[held] = torch.softmax(dense[rows] @ weights[:, fold] + bias[fold], dim=1).cpu().numpy()
        return answers
