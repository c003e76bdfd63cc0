"""The network of the neural family, and its dials: dense features and embedded codes into the packed net."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from training_container.models.features import Features, Piecewise, RawNumbers, Standardised
from training_container.models.packed import PackedEmbedding, PackedNet

if TYPE_CHECKING:
    from training_container.models.family import Problem


@dataclass(frozen=True)
class Settings:
    """The dials of the neural model; `width` is the one for size."""

    width: int = 96
    layers: int = 2
    members: int = 2
    """Networks an ensemble; there is one ensemble a fold."""
    dropout: float = 0.1
    bins: int = 32
    batch: int = 256
    rate: float = 3e-3
    decay: float = 1e-2
    epochs: int = 40
    patience: int = 8
    average: float = 0.99
    """Decay of the moving average of weights, per step."""

    @property
    def program(self) -> Settings:
        """What configurations have in common that one program can train: all but dropout, rate and decay."""
        return replace(self, dropout=0.0, rate=0.0, decay=0.0)


class PackedCore(nn.Module):
    """Dense features and embedded codes into the packed net; answers the mean margin of all ensembles and members."""

    def __init__(self, problem: Problem, settings: Settings, ensembles: int) -> None:
        super().__init__()
        raw = RawNumbers(problem.rows)
        self.features = Features(Standardised(raw, problem.rows), Piecewise(raw, problem.rows, settings.bins))
        self.embedding = PackedEmbedding(ensembles, problem.sizes)
        self.ensembles = ensembles
        given = self.features.width + self.embedding.width
        self.net = PackedNet(ensembles, settings.members, given, settings.width, settings.layers, problem.outputs)

    def dense(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """What needs no learning: float32 [N, features]."""
        if not self.features.width:
            codes = groups["codes"]  # `len` would be a constant of the exported graph
            return torch.zeros((codes.shape[0], 0), device=codes.device)
        found: torch.Tensor = self.features(groups)
        return found

    def margins(self, dense: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """[ensembles, B, features] and [ensembles, B, columns] to [ensembles, members, B, outputs]."""
        features = torch.cat([dense, self.embedding(codes)], dim=2) if self.embedding.width else dense
        margins: torch.Tensor = self.net(features)
        return margins

    def forward(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """[N, outputs]."""
        dense = self.dense(groups).expand(self.ensembles, -1, -1)
        codes = groups["codes"].expand(self.ensembles, -1, -1) if self.embedding.width else dense
        return self.margins(dense, codes).mean(dim=(0, 1))
