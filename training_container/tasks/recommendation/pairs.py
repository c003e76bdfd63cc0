"""Every part of the model as one pair of vectors: a score is the scalar product of a user's and an item's.

Biases, factors and item neighbours all have this form (a bias is a factor whose partner is 1), so a blend of any
number of them is again one pair: the model file stays two tables, whatever was learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from training_container.tasks.recommendation.ratings import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OVERSAMPLING = 16
POWER_STEPS = 4


@dataclass(frozen=True)
class Pair:
    """Vectors of all users [users, D] and of all items [items, D], float64."""

    users: torch.Tensor
    items: torch.Tensor

    def scores(self, users: torch.Tensor, items: torch.Tensor, chunk: int = 65_536) -> torch.Tensor:
        """float64 [N] of pairs given by codes int64 [N]."""
        parts = [
            (self.users[one] * self.items[other]).sum(1)
            for one, other in zip(pieces(users, chunk), pieces(items, chunk), strict=True)
        ]
        return torch.cat(parts) if parts else self.users.new_zeros(0)

    def scaled(self, weight: float) -> Pair:
        """The same with every score times `weight`."""
        return Pair(self.users * weight, self.items)

    def truncated(self, rank: int) -> Pair:
        """The pair of at most `rank` dimensions whose scores are nearest in squares over all users and items."""
        if self.users.shape[1] <= rank:
            return self
        (left, low), (right, high) = torch.linalg.qr(self.users), torch.linalg.qr(self.items)
        one, sizes, other = torch.linalg.svd(low @ high.T, full_matrices=False)
        root = sizes[:rank].sqrt()
        return Pair(left @ one[:, :rank] * root, right @ other[:rank].T * root)


def stacked(pairs: Sequence[Pair]) -> Pair:
    """The pair whose score is the sum of theirs."""
    return Pair(torch.cat([pair.users for pair in pairs], 1), torch.cat([pair.items for pair in pairs], 1))


def constant(users: torch.Tensor, items: torch.Tensor) -> Pair:
    """The pair whose score is the sum of a user's value [users] and an item's [items]."""
    return Pair(
        torch.stack([users, torch.ones_like(users)], 1),
        torch.stack([torch.ones_like(items), items], 1),
    )


def nearest(
    times: Callable[[torch.Tensor], torch.Tensor],
    transposed: Callable[[torch.Tensor], torch.Tensor],
    size: tuple[int, int],
    rank: int,
    seed: int,
) -> Pair:
    """The pair nearest to a matrix [users, items] that is known by its products alone (Halko et al., 2011).

    Args:
        times: [items, D] to [users, D], the matrix times it.
        transposed: [users, D] to [items, D], its transpose times it.
        size: users and items.
        rank: dimensions of the pair, at most the smaller of the sizes.
        seed: of the random directions that the search begins with.
    """
    rank = min(rank, *size)
    width = min(rank + OVERSAMPLING, *size)
    generator = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(times(torch.randn(size[1], width, dtype=torch.float64, generator=generator)))
    for _ in range(POWER_STEPS):
        other, _ = torch.linalg.qr(transposed(basis))
        basis, _ = torch.linalg.qr(times(other))
    items, sizes, users = torch.linalg.svd(transposed(basis), full_matrices=False)
    root = sizes[:rank].sqrt()
    return Pair(basis @ users[:rank].T * root, items[:, :rank] * root)
