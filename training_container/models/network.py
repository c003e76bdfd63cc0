"""The network of the neural family, and its dials: dense features and embedded codes into the packed net."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import nn

from training_container.models.features import Features, Piecewise, RawNumbers, Standardised
from training_container.models.packed import PackedEmbedding, PackedNet, PackedPeriodic

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
    """Pieces a number, where numbers are piecewise linear."""
    waves: int = 0
    """Waves a number; where there are any they stand instead of pieces."""
    frequency: float = 0.1
    """Standard deviation of the first waves' frequencies, for numbers of standard deviation 1."""
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
        plain = Standardised(raw, problem.rows)
        pieces = [] if settings.waves else [Piecewise(raw, problem.rows, settings.bins)]
        self.features = Features(plain, *pieces)
        self.periodic = None
        if settings.waves and len(plain.median):
            self.periodic = PackedPeriodic(ensembles, len(plain.median), settings.waves, settings.frequency)
        self.embedding = PackedEmbedding(ensembles, problem.sizes)
        self.ensembles = ensembles
        learned = 0 if self.periodic is None else self.periodic.width
        width = self.features.width + learned + self.embedding.width
        self.net = PackedNet(ensembles, settings.members, width, settings.width, settings.layers, problem.outputs)

    def dense(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """What needs no learning: float32 [N, features]."""
        if not self.features.width:
            codes = groups["codes"]  # `len` would be a constant of the exported graph
            return torch.zeros((codes.shape[0], 0), device=codes.device)
        dense: torch.Tensor = self.features(groups)
        return dense

    def margins(self, dense: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """[ensembles, B, features] and [ensembles, B, columns] to [ensembles, members, B, outputs]."""
        parts = [dense]  # standardised numbers come first
        if self.periodic is not None:
            parts.append(self.periodic(dense[:, :, : self.periodic.numbers]))
        if self.embedding.width:
            parts.append(self.embedding(codes))
        margins: torch.Tensor = self.net(torch.cat(parts, dim=2))
        return margins

    def forward(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """[N, outputs]."""
        dense = self.dense(groups).expand(self.ensembles, -1, -1)
        codes = groups["codes"].expand(self.ensembles, -1, -1) if self.embedding.width else dense
        return self.margins(dense, codes).mean(dim=(0, 1))
