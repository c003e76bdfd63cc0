"""Linear models: ridge regression in closed form, and softmax regression by Newton-like steps (L-BFGS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training_container.models.body import Body, ClassTail, LinearCore, RegressionTail, TargetScale, target_scales
from training_container.models.family import Fitted, best
from training_container.models.features import plain_features

if TYPE_CHECKING:
    from training_container.encoding import Table
    from training_container.models.family import Problem
    from training_container.models.features import Features
    from training_container.watch import Budget, Watch

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
) -> Body:
    """The body that answers `theta · features` (θ of centred features) in the target's unit."""
    bias = moments.target_mean - moments.mean @ theta
    core = LinearCore(features, theta[:, None], bias[None])
    return Body(tuple(problem.train.groups), core, RegressionTail(scale)).to(problem.device)


class Ridge:
    """Closed form: the penalty, and the logarithm of the target where it leans, by validation score."""

    name = "linear"
    tasks = frozenset({"regression"})

    def fit(self, problem: Problem, budget: Budget, watch: Watch) -> Fitted:  # noqa: ARG002  # a fraction of a second
        """The best of all penalties and target scales."""
        features = plain_features(problem.train, problem.sizes).to(problem.device)
        found = []
        for scale in target_scales(problem.train_target):
            target = torch.from_numpy(scale.encode(problem.train_target)).to(problem.device)
            moments = Moments.gather(features, problem.train, target)
            for penalty, theta in zip(PENALTIES, solve(moments, PENALTIES), strict=True):
                body = regression_body(problem, features, moments, theta, scale)
                settings = {"penalty": penalty, "log_target": scale.log, "features": features.width}
                found.append(Fitted(body, problem.validate(body), settings))
        chosen = best(problem, found)
        watch.tell(1.0, epoch=1, validation_loss=chosen.validation[problem.metric])
        return chosen


class Softmax:
    """Logistic (softmax) regression: cross-entropy with an L2 penalty, chosen by validation score."""

    name = "linear"
    tasks = frozenset({"binary", "multiclass"})
    iterations = 60

    def fit(self, problem: Problem, budget: Budget, watch: Watch) -> Fitted:
        """The best of all penalties that the budget allows; always at least one."""
        features = plain_features(problem.train, problem.sizes).to(problem.device)
        target = torch.from_numpy(problem.train_target).to(problem.device)
        with torch.no_grad():
            dense = torch.cat([features(chunk.groups) for chunk in problem.train.chunks()])
        mean = dense.mean(dim=0)
        dense -= mean
        weights = torch.zeros((features.width, problem.classes), device=problem.device, requires_grad=True)
        bias = torch.zeros(problem.classes, device=problem.device, requires_grad=True)
        found: list[Fitted] = []
        curve: list[float] = []
        for at, penalty in enumerate(SOFTMAX_PENALTIES):
            curve = curve + self._descend(dense, target, weights, bias, penalty)
            core = LinearCore(features, weights.detach().clone(), (bias - mean @ weights).detach().clone())
            body = Body(tuple(problem.train.groups), core, ClassTail()).to(problem.device)
            settings = {"penalty": penalty, "features": features.width}
            found.append(Fitted(body, problem.validate(body), settings, {"train_loss": curve}))
            watch.tell((at + 1) / len(SOFTMAX_PENALTIES), epoch=len(curve), train_loss=curve[-1],
                       validation_loss=found[-1].validation["logloss"])  # fmt: skip
            if not budget.left:
                break
        return best(problem, found)

    def _descend(self, dense: torch.Tensor, target: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor,
                 penalty: float) -> list[float]:  # fmt: skip
        steps = torch.optim.LBFGS([weights, bias], max_iter=self.iterations, line_search_fn="strong_wolfe",
                                  tolerance_change=1e-7)  # fmt: skip
        curve: list[float] = []

        def loss() -> torch.Tensor:
            steps.zero_grad()
            value = functional.cross_entropy(dense @ weights + bias, target) + penalty * (weights**2).sum()
            torch.autograd.backward(value)
            curve.append(float(value.detach()))
            return value

        steps.step(loss)  # type: ignore[no-untyped-call]  # torch has not typed it
        return curve
