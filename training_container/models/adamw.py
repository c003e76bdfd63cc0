"""All weights of packed ensembles as one matrix, a line an ensemble; AdamW on it, with a rate and a decay a line.

A step is then a few operations on the whole matrix, however many layers and ensembles there are, and ensembles do not
meet in it: each has its own gradient norm, rate and decay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import nn

CLIP = 1.0
"""Largest norm of an ensemble's gradient."""

EPSILON = 1e-8


class PackedWeights:
    """The parameters of a packed module, which all begin with the axis of the ensembles, as views of one matrix."""

    def __init__(self, module: nn.Module, values: torch.Tensor) -> None:
        """`values`, [ensembles, weights], become the module's: it is then of as many ensembles."""
        self.module = module
        self.take(values)

    @staticmethod
    def of(module: nn.Module) -> torch.Tensor:
        """A copy of a packed module's weights: [ensembles, weights]."""
        return torch.cat([each.detach().flatten(1) for each in module.parameters()], dim=1)

    def take(self, values: torch.Tensor) -> None:
        """The module's parameters become views of these lines."""
        self.values = values
        shapes = [each.shape[1:] for each in self.module.parameters()]
        parts = torch.split(values, [shape.numel() for shape in shapes], dim=1)
        for parameter, part, shape in zip(self.module.parameters(), parts, shapes, strict=True):
            parameter.data = part.view(-1, *shape)

    def gradient(self, loss: torch.Tensor) -> torch.Tensor:
        """Of a scalar by the values: [ensembles, weights]."""
        return torch.cat([each.flatten(1) for each in torch.autograd.grad(loss, list(self.module.parameters()))], dim=1)

    def leave(self) -> None:
        """The module's parameters become tensors of their own."""
        for parameter in self.module.parameters():
            parameter.data = parameter.data.contiguous()


class PackedAdamW(torch.optim.Optimizer):
    """AdamW of packed weights, each ensemble's gradient clipped by its own norm.

    Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019). `lr` of the only group is the part of
    every rate that a schedule lets through.
    """

    def __init__(self, weights: PackedWeights, rates: torch.Tensor, decays: torch.Tensor) -> None:
        """`rates` and `decays` are [ensembles]."""
        super().__init__([weights.values], {"lr": 1.0, "betas": (0.9, 0.999)})
        self.weights = weights
        zeros = torch.zeros_like(weights.values)
        self.state[weights.values] = {"step": 0, "mean": zeros, "square": zeros.clone(),
                                      "rates": rates[:, None], "decays": decays[:, None]}  # fmt: skip

    def keep(self, ensembles: torch.Tensor) -> None:
        """Goes on with these alone, an int64 vector of their numbers."""
        old = self.weights.values
        state = self.state.pop(old)
        self.weights.take(old[ensembles])
        self.param_groups[0]["params"] = [self.weights.values]
        self.state[self.weights.values] = {
            name: value[ensembles] if isinstance(value, torch.Tensor) else value for name, value in state.items()
        }

    @torch.no_grad()
    def step(self, slope: torch.Tensor) -> None:  # type: ignore[override]  # torch's takes a closure
        """One step down `slope`, [ensembles, weights], which is clipped in place."""
        values, group = self.weights.values, self.param_groups[0]
        state, (first, second) = self.state[values], group["betas"]
        state["step"] += 1
        slope.mul_((CLIP / (torch.linalg.vector_norm(slope, dim=1, keepdim=True) + EPSILON)).clamp(max=1.0))
        state["mean"].lerp_(slope, 1 - first)
        state["square"].mul_(second).addcmul_(slope, slope, value=1 - second)
        rates = state["rates"] * group["lr"]
        values.mul_(1 - rates * state["decays"])
        spread = (state["square"] / (1 - second ** state["step"])).sqrt_().add_(EPSILON)
        values.sub_(state["mean"].div(spread).mul_(rates / (1 - first ** state["step"])))
