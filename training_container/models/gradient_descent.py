"""The textbook way to a linear model: batch gradient descent on J(θ) = 1/2m Σ (h(x) − y)², h(x) = θ·x + θ₀.

It stands beside the closed form, which it must agree with, so that the two ways can be compared in the report. Each
step goes down the whole gradient ∂J/∂θ = 1/m Xᵀ(Xθ − y). With the features centred, XᵀX and Xᵀy are all that the
gradient needs of the rows, so they are gathered once and a step costs F² instead of m·F.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from training_container.models.family import Fitted
from training_container.models.features import plain_features
from training_container.models.linear import bag_regression, fold_moments
from training_container.models.scales import TargetScale

if TYPE_CHECKING:
    from training_container.budget import Budget
    from training_container.models.family import Problem
    from training_container.models.linear import Moments
    from training_container.progress import Progress

CONVERGED = 1e-12
"""Stop when a step lowers J by less than this share of it."""


def cost(moments: Moments, theta: torch.Tensor) -> float:
    """J(θ), from the moments: half the mean of (Xθ − y)² over centred rows."""
    return float(theta @ moments.gram @ theta - 2 * moments.product @ theta + moments.target_square) / 2


def descend(moments: Moments, iterations: int, rate: float | None = None) -> tuple[torch.Tensor, list[float]]:
    """θ [F] and J after every step, from θ = 0.

    `rate` is the learning rate α; by default 1 over the largest eigenvalue of XᵀX/m, the curvature of J, at which
    every step is sure to go down.
    """
    alpha = rate or 1.0 / max(float(torch.linalg.eigvalsh(moments.gram)[-1]), 1e-12)
    theta = torch.zeros_like(moments.product)
    history = [cost(moments, theta)]
    for _ in range(iterations):
        theta = theta - alpha * (moments.gram @ theta - moments.product)
        history.append(cost(moments, theta))
        if abs(history[-2] - history[-1]) <= CONVERGED * max(history[-1], CONVERGED):
            break
    return theta, history


class GradientDescent:
    """Least squares by gradient descent; its cost history is the report's learning curve."""

    name = "gradient-descent"
    tasks = frozenset({"regression"})
    iterations = 2000

    def fit(self, problem: Problem, budget: Budget, progress: Progress) -> Fitted:  # noqa: ARG002  # a second at most
        """θ of each fold after at most `iterations` steps on the plain target."""
        features = plain_features(problem.rows, problem.sizes).to(problem.device)
        scale = TargetScale.learn(problem.target, log=False)
        target = torch.from_numpy(scale.encode(problem.target)).to(problem.device)
        moments = fold_moments(problem, features, target)
        thetas, histories = zip(*(descend(part, self.iterations) for part in moments), strict=True)
        predictor, answers = bag_regression(problem, features, scale, moments, list(thetas))
        validation = problem.score(answers)
        progress.update(1.0, epoch=len(histories[0]) - 1, train_loss=histories[0][-1],
                   validation_loss=validation[problem.metric])  # fmt: skip
        settings = {"iterations": [len(history) - 1 for history in histories], "features": features.width}
        return Fitted(predictor, answers, validation, settings, {"J": histories[0]})
