"""All weights of packed ensembles as one matrix, a line an ensemble; AdamW on it, with a rate and a decay a line.

A step is then a few operations on the whole matrix, however many layers and ensembles there are, and ensembles do not
meet in it: each has its own gradient norm, rate and decay.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

CLIP = 1.0
"""Largest norm of an ensemble's gradient."""

EPSILON = 1e-8

FIRST, SECOND = 0.9, 0.999
"""What both moments keep of themselves at a step."""

WARM_UP_SHARE = 0.15
"""Part of the steps in which the rate rises."""

LOWEST, LAST = 1 / 25, 1 / 25e4
"""Parts of the highest rate at the first step and after the last."""


class PackedWeights:
    """The parameters of a packed module, which all begin with the axis of the ensembles, as views of one matrix."""

    def __init__(self, module: nn.Module, values: torch.Tensor) -> None:
        """`values`, [ensembles, weights], become the module's: it is then of as many ensembles."""
        self.module = module
        self.take(values)

    @staticmethod
    def of(module: nn.Module) -> torch.Tensor:
        """A copy of a packed module's weights: [ensembles, weights]."""
        return torch.cat([parameter.detach().flatten(1) for parameter in module.parameters()], dim=1)

    def take(self, values: torch.Tensor) -> None:
        """The module's parameters become views of these lines."""
        self.values = values
        shapes = [parameter.shape[1:] for parameter in self.module.parameters()]
        parts = torch.split(values, [shape.numel() for shape in shapes], dim=1)
        for parameter, part, shape in zip(self.module.parameters(), parts, shapes, strict=True):
            parameter.data = part.view(-1, *shape)

    def gradient(self, loss: torch.Tensor) -> torch.Tensor:
        """Of a scalar by the values: [ensembles, weights]."""
        return torch.cat(
            [gradient.flatten(1) for gradient in torch.autograd.grad(loss, list(self.module.parameters()))], dim=1
        )

    def leave(self) -> None:
        """The module's parameters become tensors of their own."""
        for parameter in self.module.parameters():
            parameter.data = parameter.data.contiguous()


class PackedAdamW:
    """AdamW of packed weights on a one-cycle schedule, each ensemble's gradient clipped by its own norm.

    Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019). Whatever differs from step to step stands in
    a table on the device, so that a step asks the host nothing and can be replayed.
    """

    schedule: torch.Tensor
    """Of each step the part of every rate that is let through, and what is left of both moments' bias: [steps, 3]."""
    at: torch.Tensor
    """The step that comes next: int64 [1]."""

    def __init__(self, weights: PackedWeights, rates: torch.Tensor, decays: torch.Tensor, steps: int) -> None:
        """`rates` and `decays` are [ensembles]; further steps than these are taken as the last."""
        values = weights.values
        self.weights, self.rates, self.decays = weights, rates[:, None], decays[:, None]
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)
        taken = torch.arange(1, steps + 1, dtype=torch.float64)
        biases = [1 - moment**taken for moment in (FIRST, SECOND)]
        self.schedule = torch.stack([one_cycle(steps), *biases], dim=1).float().to(values.device)
        self.at = torch.zeros(1, dtype=torch.long, device=values.device)

    def keep(self, ensembles: torch.Tensor) -> None:
        """Goes on with these alone, an int64 vector of their numbers."""
        self.weights.take(self.weights.values[ensembles])
        self.rates, self.decays = self.rates[ensembles], self.decays[ensembles]
        self.mean, self.square = self.mean[ensembles], self.square[ensembles]

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint needs of it; `at`, `mean` and `square` by name."""
        return {"at": self.at, "mean": self.mean, "square": self.square}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Goes on from there; the ensembles are those that the state was taken with."""
        for name, own in self.state().items():
            own.copy_(state[name])

    @torch.no_grad()
    def step(self, slope: torch.Tensor) -> None:
        """One step down `slope`, [ensembles, weights], which is clipped in place."""
        part, bias, second_bias = self.schedule.index_select(0, self.at)[0]
        self.at.add_(1).clamp_(max=len(self.schedule) - 1)
        slope.mul_((CLIP / (torch.linalg.vector_norm(slope, dim=1, keepdim=True) + EPSILON)).clamp(max=1.0))
        self.mean.lerp_(slope, 1 - FIRST)
        self.square.mul_(SECOND).addcmul_(slope, slope, value=1 - SECOND)
        rates = self.rates * part
        values = self.weights.values
        values.mul_(1 - rates * self.decays)
        spread = (self.square / second_bias).sqrt_().add_(EPSILON)
        values.sub_(self.mean.div(spread).mul_(rates / bias))


def one_cycle(steps: int) -> torch.Tensor:
    """Parts of the highest rate, along a cosine up from a 25th and down to almost nothing: float64 [steps].

    Those of torch's `OneCycleLR`, after Smith, "A disciplined approach to neural network hyper-parameters" (2018).
    """
    step, top = torch.arange(steps, dtype=torch.float64), WARM_UP_SHARE * (steps + 1) - 1
    up, down = step / max(top, 1e-9), (step - top) / (steps - top)
    rising, falling = ((1 - torch.cos(math.pi * share)) / 2 for share in (up, down))
    return torch.where(step <= top, LOWEST + (1 - LOWEST) * rising, 1 + (LAST - 1) * falling)
