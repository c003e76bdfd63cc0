"""The torch half of a clustering: encoded tables in; memberships and the point that a row is out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from training_container.models.predictor import Predictor
from training_container.native import Native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.encoding import Table


class Nearest(nn.Module):
    """Memberships by distance: a cluster's share falls with the squared distance to its centre, by `spread`."""

    centres: torch.Tensor

    def __init__(self, centres: np.ndarray, spread: float) -> None:
        super().__init__()
        self.register_buffer("centres", torch.from_numpy(centres.astype(np.float32)))
        self.spread = max(spread, 1e-6)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """[N, F] to [N, clusters], rows summing to 1."""
        squares = (points[:, None, :] - self.centres[None, :, :]).square().sum(2)
        return torch.softmax(-squares / (2 * self.spread), dim=1)


class Mixture(nn.Module):
    """Memberships of a Gaussian mixture: the share of each component in a row's density."""

    means: torch.Tensor
    factors: torch.Tensor
    offsets: torch.Tensor

    def __init__(self, weights: np.ndarray, means: np.ndarray, factors: np.ndarray) -> None:
        """`factors` [clusters, F, F] are the upper Cholesky factors of the precisions."""
        super().__init__()
        sizes = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1) + np.log(weights)
        self.register_buffer("means", torch.from_numpy(means.astype(np.float32)))
        self.register_buffer("factors", torch.from_numpy(factors.astype(np.float32)))
        self.register_buffer("offsets", torch.from_numpy(sizes.astype(np.float32)))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """[N, F] to [N, clusters], rows summing to 1."""
        around = (points[:, None, :] - self.means[None, :, :]).transpose(0, 1)
        squares = torch.matmul(around, self.factors).square().sum(2).T
        return torch.softmax(self.offsets - squares / 2, dim=1)


class ClusterPredictor(Predictor):
    """Features, then memberships; `forward` gives both, memberships first."""

    def __init__(self, groups: Sequence[str], features: nn.Module, members: nn.Module) -> None:
        super().__init__(groups, features)
        self.members = members

    def forward(self, *tables: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        """float32 [N, clusters] and [N, F]."""
        points: torch.Tensor = self.answer(dict(zip(self.groups, tables, strict=True)))
        members: torch.Tensor = self.members(points)
        return members, points


@torch.no_grad()
def answer(predictor: ClusterPredictor, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Memberships [N, clusters] and points [N, F] of encoded rows, float32."""
    predictor.eval()
    parts = [predictor(*chunk.groups.values()) for chunk in table.chunks()]
    members, points = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    return members, points


@dataclass(frozen=True)
class ClusterNative(Native):
    """The native half of the parity proof."""

    def answer(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """Memberships [N, clusters] of raw columns [N]."""
        assert isinstance(self.predictor, ClusterPredictor)
        return answer(self.predictor, self.encoder.encode(values))[0]
