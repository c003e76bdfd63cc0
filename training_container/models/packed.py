"""Many small networks as one: every fold's ensemble of members is one batch of matrices, trained in one program.

After TabM (Gorishniy et al., "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling", 2024, the
variant `mini`): the members of a fold share all layers but a first scaling of the features, and a head of their own.
Folds share nothing that was learned from a target.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional


class PackedLinear(nn.Module):
    """One affine map a fold: [folds, B, in] to [folds, B, out]."""

    def __init__(self, folds: int, given: int, made: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(given)
        self.weight = nn.Parameter(torch.empty(folds, given, made).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(folds, 1, made).uniform_(-bound, bound))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Batched over folds."""
        return torch.baddbmm(self.bias, values, self.weight)


class PackedEmbedding(nn.Module):
    """A learned vector a fold for every code of every coded column: int64 [folds, B, columns] to [folds, B, width]."""

    sizes: torch.Tensor

    def __init__(self, folds: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        widths = [min(16, (size + 1) // 2) for size in sizes]
        made = (torch.randn(folds, size, width) * 0.5 for size, width in zip(sizes, widths, strict=True))
        self.tables = nn.ParameterList([nn.Parameter(each) for each in made])
        self.register_buffer("sizes", torch.tensor(sizes, dtype=torch.long), persistent=False)
        self.width = sum(widths)

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """All columns' vectors side by side."""
        fold = torch.arange(len(self.tables[0]), device=codes.device)[:, None, None]
        places = codes + fold * self.sizes
        return torch.cat([self._rows(table.flatten(0, 1), places[:, :, at]) for at, table in enumerate(self.tables)], 2)

    def _rows(self, table: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Rows of a table; indexing has the quicker gradient, `embedding` is a single node of the exported graph."""
        return table[places] if self.training else functional.embedding(places, table)

    @torch.no_grad()
    def settle(self, codes: torch.Tensor) -> None:
        """Gives every code that training never saw the mean vector of those it saw (`codes` [N, columns])."""
        for at, table in enumerate(self.tables):
            counts = torch.bincount(codes[:, at], minlength=table.shape[1]).to(table.dtype)
            mean = torch.einsum("s,fsw->fw", counts, table) / counts.sum()
            table[:, counts == 0] = mean[:, None]


class PackedNet(nn.Module):
    """`folds` ensembles of `members` networks: features [folds, B, width] to margins [folds, members, B, outputs]."""

    def __init__(self, folds: int, members: int, given: int, hidden: int, layers: int, outputs: int,
                 dropout: float) -> None:  # fmt: skip
        super().__init__()
        self.members = members
        self.dropout = dropout
        self.scaling = nn.Parameter(torch.randn(folds, members, 1, given).sign() if members > 1
                                    else torch.ones(folds, 1, 1, given))  # fmt: skip
        self.first = PackedLinear(folds, given, hidden)
        self.blocks = nn.ModuleList(PackedLinear(folds, hidden, hidden) for _ in range(layers - 1))
        self.head = nn.Parameter(torch.zeros(folds, members, hidden, outputs))
        self.offset = nn.Parameter(torch.zeros(folds, members, 1, outputs))

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
        return functional.dropout(functional.silu(values), self.dropout, self.training)
