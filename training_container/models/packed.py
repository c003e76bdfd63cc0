"""Many small networks as one: ensembles of members as batches of matrices, trained in one program.

After TabM (Gorishniy et al., "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling", 2024, the
variant `mini`): the members of an ensemble share all layers but a first scaling of the features, and a head of their
own. There is an ensemble for every fold under every configuration; they share nothing that was learned from a target.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional


class PackedLinear(nn.Module):
    """One affine map an ensemble: [ensembles, B, in] to [ensembles, B, out]."""

    def __init__(self, ensembles: int, inputs: int, outputs: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(ensembles, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(ensembles, 1, outputs).uniform_(-bound, bound))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Batched over ensembles."""
        return torch.baddbmm(self.bias, values, self.weight)


class PackedEmbedding(nn.Module):
    """A learned vector an ensemble for every code of every coded column.

    int64 [ensembles, B, columns] to [ensembles, B, width].
    """

    sizes: torch.Tensor

    def __init__(self, ensembles: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        widths = [min(16, (size + 1) // 2) for size in sizes]
        tables = (torch.randn(ensembles, size, width) * 0.5 for size, width in zip(sizes, widths, strict=True))
        self.tables = nn.ParameterList([nn.Parameter(table) for table in tables])
        self.register_buffer("sizes", torch.tensor(sizes, dtype=torch.long), persistent=False)
        self.width = sum(widths)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """All columns' vectors side by side."""
        ensemble = torch.arange(len(self.tables[0]), device=codes.device)[:, None]
        if self.training:  # indexing has the quicker gradient, `embedding` is a single node of the exported graph
            return torch.cat([table[ensemble, codes[:, :, column]] for column, table in enumerate(self.tables)], 2)
        places = codes + ensemble[:, None] * self.sizes
        return torch.cat([functional.embedding(places[:, :, column], table.flatten(0, 1))
                          for column, table in enumerate(self.tables)], 2)  # fmt: skip

    @torch.no_grad()
    def settle(self, codes: torch.Tensor) -> None:
        """Gives every code that training never saw the mean vector of those it saw (`codes` [N, columns])."""
        for column, table in enumerate(self.tables):
            counts = torch.bincount(codes[:, column], minlength=table.shape[1]).to(table.dtype)
            mean = torch.einsum("s,fsw->fw", counts, table) / counts.sum()
            table[:, counts == 0] = mean[:, None]


class PackedPeriodic(nn.Module):
    """RecommenderModel waves of every number, mixed down to a few values.

    float32 [ensembles, B, numbers] to [ensembles, B, width]; the number itself stands beside, among the dense features.
    Holzmüller et al., "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data" (2024, PBLD), after
    Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning" (2022).
    """

    MADE = 3
    """Values of a number."""

    def __init__(self, ensembles: int, numbers: int, waves: int, frequency: float) -> None:
        """`frequency` is the standard deviation of those that learning begins with, in waves a unit."""
        super().__init__()
        self.numbers, self.width = numbers, numbers * self.MADE
        bound = 1 / math.sqrt(waves)
        self.frequency = nn.Parameter(torch.randn(ensembles, 1, numbers, waves) * (2 * math.pi * frequency))
        self.phase = nn.Parameter(torch.empty_like(self.frequency).uniform_(-math.pi, math.pi))
        self.mixture = nn.Parameter(torch.empty(ensembles, numbers, waves, self.MADE).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(ensembles, numbers, 1, self.MADE))

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """All numbers' values side by side."""
        waves = torch.cos(numbers.unsqueeze(3) * self.frequency + self.phase)
        mixed = torch.matmul(waves.transpose(1, 2), self.mixture) + self.bias
        return mixed.transpose(1, 2).flatten(2)


class PackedNet(nn.Module):
    """Ensembles of `members` networks: [ensembles, B, width] to margins [ensembles, members, B, outputs]."""

    kept: torch.Tensor
    """Part of an ensemble's hidden values that dropout leaves: [ensembles, 1, 1]."""

    def __init__(self, ensembles: int, members: int, inputs: int, hidden: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.members = members
        self.register_buffer("kept", torch.ones(ensembles, 1, 1), persistent=False)
        self.scaling = nn.Parameter(torch.randn(ensembles, members, 1, inputs).sign() if members > 1
                                    else torch.ones(ensembles, 1, 1, inputs))  # fmt: skip
        self.first = PackedLinear(ensembles, inputs, hidden)
        self.blocks = nn.ModuleList(PackedLinear(ensembles, hidden, hidden) for _ in range(layers - 1))
        self.head = nn.Parameter(torch.zeros(ensembles, members, hidden, outputs))
        self.offset = nn.Parameter(torch.zeros(ensembles, members, 1, outputs))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Margins of every member."""
        rows = features.shape[1]
        scaled = (features[:, None] * self.scaling).flatten(1, 2)
        hidden = self._bent(self.first(scaled))
        for block in self.blocks:
            hidden = hidden + self._bent(block(hidden))
        apart = hidden.reshape(len(hidden), self.members, rows, hidden.shape[2])
        return torch.matmul(apart, self.head) + self.offset

    def _bent(self, values: torch.Tensor) -> torch.Tensor:
        bent = functional.silu(values)
        if not self.training:
            return bent
        left = (torch.rand_like(bent) < self.kept) / self.kept
        return bent * left.to(bent.dtype)
