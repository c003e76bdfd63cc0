"""The native half of a model file: encoded tables in, the answer in the target's own unit (or probabilities) out.

All arithmetic but that of trees is torch and is exported as it stands. Trees answer beside it: a `Forest` gives its
margins natively here, and as TreeEnsemble nodes in the graph; both reach the torch half as one more input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from training_container.encoding import Table
    from training_container.models.forest import Forest

Inputs = dict[str, torch.Tensor]
"""Tables by name, and the margins of forests by the forest's name."""


class Predictor(nn.Module):
    """`answer(inputs)`, and the forests whose margins it reads; `forward` takes the tables, then the margins."""

    def __init__(self, groups: Sequence[str], answer: nn.Module, forests: Sequence[Forest] = ()) -> None:
        super().__init__()
        self.groups = tuple(groups)
        self.answer = answer
        self.forests = tuple(forests)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs in the order that `forward` takes them."""
        return (*self.groups, *(forest.name for forest in self.forests))

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """float32 [N, 1] for regression, [N, classes] probabilities otherwise."""
        answer: torch.Tensor = self.answer(dict(zip(self.names, inputs, strict=True)))
        return answer

    def inputs(self, table: Table) -> tuple[torch.Tensor, ...]:
        """What `forward` takes for these rows."""
        return (*table.groups.values(), *(forest.margins(table) for forest in self.forests))


@torch.no_grad()
def predict(predictor: Predictor, table: Table) -> np.ndarray:
    """Answers for encoded rows on the predictor's device: float32 [N] values or [N, classes] probabilities."""
    predictor.eval()
    answer = torch.cat([predictor(*predictor.inputs(chunk)).cpu() for chunk in table.chunks()]).numpy()
    return answer[:, 0] if answer.shape[1] == 1 else answer


class Answer(nn.Module):
    """One member: `tail(core(inputs))`."""

    def __init__(self, core: nn.Module, tail: nn.Module) -> None:
        super().__init__()
        self.core = core
        self.tail = tail

    def forward(self, inputs: Inputs) -> torch.Tensor:
        """[N, 1] values or [N, classes] probabilities."""
        answer: torch.Tensor = self.tail(self.core(inputs))
        return answer


class MarginOf(nn.Module):
    """The core of a forest: its margins, which stand among the inputs."""

    def __init__(self, forest: Forest) -> None:
        super().__init__()
        self.name = forest.name

    def forward(self, inputs: Inputs) -> torch.Tensor:
        """[N, outputs]."""
        return inputs[self.name]


class Mixture(nn.Module):
    """The weighted mean of members' answers; probabilities are then sharpened or softened by a temperature.

    Guo et al., "On Calibration of Modern Neural Networks" (2017), on probabilities: p^(1/T), normalised.
    """

    def __init__(self, members: Iterable[nn.Module], weights: Sequence[float], temperature: float = 1.0) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.weights = tuple(weights)
        self.temperature = temperature

    def forward(self, inputs: Inputs) -> torch.Tensor:
        """[N, 1] values or [N, classes] probabilities."""
        total = sum(weight * member(inputs) for weight, member in zip(self.weights, self.members, strict=True))
        assert isinstance(total, torch.Tensor)  # there is at least one member
        return total if self.temperature == 1.0 else at_temperature(total, self.temperature)


class Guarded(nn.Module):
    """A member of a regression that may stray only so far from the forests: they cannot extrapolate, it can.

    Far outside of the training rows a linear or neural model may answer anything. `low` and `high` bound its answer
    divided by (`ratio`) or less the forests' mean answer.
    """

    bounds: torch.Tensor

    def __init__(self, member: nn.Module, anchor: Mixture, bounds: tuple[float, float], ratio: bool) -> None:
        super().__init__()
        self.member, self.anchor, self.ratio = member, anchor, ratio
        self.register_buffer("bounds", torch.tensor(bounds))

    def forward(self, inputs: Inputs) -> torch.Tensor:
        """[N, 1]."""
        return clamped(self.member(inputs), self.anchor(inputs), self.bounds, self.ratio)


def clamped(values: torch.Tensor, anchor: torch.Tensor, bounds: torch.Tensor, ratio: bool) -> torch.Tensor:
    """`values` within the `bounds` [2] around `anchor`."""
    low, high = (anchor * bounds[side] if ratio else anchor + bounds[side] for side in (0, 1))
    return torch.minimum(torch.maximum(values, low), high)


def at_temperature(shares: torch.Tensor, temperature: float) -> torch.Tensor:
    """Probabilities [N, classes] at a temperature: over 1 softer, under 1 sharper."""
    powers = shares.clamp(min=1e-12) ** (1 / temperature)
    return powers / powers.sum(dim=1, keepdim=True)


def mix(predictors: Sequence[Predictor], weights: Sequence[float], temperature: float = 1.0) -> Predictor:
    """One predictor that answers the weighted mean of several."""
    forests = {forest.name: forest for predictor in predictors for forest in predictor.forests}
    mean = Mixture([predictor.answer for predictor in predictors], weights, temperature)
    return Predictor(predictors[0].groups, mean, list(forests.values()))


class ClassTail(nn.Module):
    """Logits to probabilities; one logit is that of the second of two classes."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        """float32 [N, classes], rows summing to 1."""
        if logits.shape[1] == 1:
            return torch.cat([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=1).float()
        return torch.softmax(logits, dim=1).float()


class LinearCore(nn.Module):
    """One affine map over features: the whole of a linear model.

    In float64: far outside of the training rows logits are large, and runtimes add in orders of their own; in float32
    that would move a probability by more than 1e-5 of itself.
    """

    weights: torch.Tensor
    bias: torch.Tensor

    def __init__(self, features: nn.Module, weights: torch.Tensor, bias: torch.Tensor) -> None:
        super().__init__()
        self.features = features
        self.register_buffer("weights", weights.double())
        self.register_buffer("bias", bias.double())

    def forward(self, groups: Inputs) -> torch.Tensor:
        """float64 [N, outputs]: features [N, F] times weights [F, outputs], plus bias [outputs]."""
        features: torch.Tensor = self.features(groups)
        return features.double() @ self.weights + self.bias
