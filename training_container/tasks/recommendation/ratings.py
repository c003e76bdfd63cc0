"""Known ratings as codes, and the sparse matrices that the parts of the model are made of."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

REAL = torch.float64
"""Fitting is in float64: the files hold float32, and a rounding of a fit must not be seen there."""


@dataclass(frozen=True)
class Ratings:
    """Ratings of `user_count` users of `item_count` items; a pair stands at most once."""

    users: torch.Tensor
    """int64 [N], codes from 0."""
    items: torch.Tensor
    """int64 [N], codes from 0."""
    values: torch.Tensor
    """float64 [N]."""
    user_count: int
    item_count: int

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def mean(self) -> float:
        """Of all ratings."""
        return float(self.values.mean())

    @cached_property
    def per_user(self) -> torch.Tensor:
        """How many ratings each user gave, float64 [users]."""
        return torch.bincount(self.users, minlength=self.user_count).to(REAL)

    @cached_property
    def per_item(self) -> torch.Tensor:
        """How many ratings each item got, float64 [items]."""
        return torch.bincount(self.items, minlength=self.item_count).to(REAL)

    def by_user(self, values: torch.Tensor) -> torch.Tensor:
        """`values` [N] as a sparse matrix [users, items]."""
        return sparse(self.users, self.items, values, (self.user_count, self.item_count))

    def by_item(self, values: torch.Tensor) -> torch.Tensor:
        """`values` [N] as a sparse matrix [items, users]."""
        return sparse(self.items, self.users, values, (self.item_count, self.user_count))

    def turned(self) -> Ratings:
        """The same ratings with users and items changed about."""
        return Ratings(self.items, self.users, self.values, self.item_count, self.user_count)

    def take(self, rows: torch.Tensor) -> Ratings:
        """These ratings alone; users and items keep their codes."""
        return Ratings(self.users[rows], self.items[rows], self.values[rows], self.user_count, self.item_count)


def pieces(codes: torch.Tensor, size: int) -> Iterator[torch.Tensor]:
    """The codes in order, at most `size` at a time."""
    for start in range(0, len(codes), size):
        yield codes[start : start + size]


def sparse(rows: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A sparse matrix in rows (CSR) of these cells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch calls its sparse matrices a beta; what is used of them here is tested
        return torch.sparse_coo_tensor(torch.stack([rows, columns]), values, size).coalesce().to_sparse_csr()
