"""What trees read, and a bag of tree models with one model a fold.

Categories reach the trees as `ranks`. A fold's ranks come from the rows it learns from alone; so every fold has its own
columns of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import nn

from training_container.models.features import RawNumbers
from training_container.models.neighbours import Neighbours
from training_container.models.pairs import Pairs
from training_container.models.ranks import order, without_own
from training_container.models.scales import target_scales
from training_container.models.screening import screen
from training_container.threads import in_parallel

if TYPE_CHECKING:
    from training_container.encoding import Table
    from training_container.models.data import TrainingData
    from training_container.models.trees import Trees


class TreeInputs(nn.Module):
    """What all forests of a problem read: float32 [N, numbers + folds · (coded + pairs + neighbours)].

    Numbers and date components, then each fold's ranks of the categories, then each fold's `Pairs` and `Neighbours`.
    """

    ranks: torch.Tensor
    offsets: torch.Tensor

    def __init__(self, data: TrainingData) -> None:
        super().__init__()
        rows = data.rows.to(torch.device("cpu"))
        self.raw = RawNumbers(rows)
        self.numbers = int(self.raw(rows.take(slice(0, 1)).groups).shape[1])
        self.coded = len(data.sizes)
        self.folds = len(data.folds)
        codes, wanted = rows.codes.numpy(), _wanted(data)
        learns = [learn for learn, _ in data.folds]
        every = [
            np.concatenate([order(codes[learn, place], wanted[learn], size) for place, size in enumerate(data.sizes)])
            for learn in learns
            if data.sizes
        ]
        crossed = [
            {place: without_own(codes[learn, place], wanted[learn], size) for place, size in enumerate(data.sizes)}
            for learn in learns
        ]
        self.crossed = [{place: own for place, own in ranks.items() if own is not None} for ranks in crossed]
        """Of each fold, by coded column, what its rows read instead of ranks while it learns: float32 [rows]."""
        self.register_buffer("ranks", torch.from_numpy(np.array(every, dtype=np.float32)))
        self.register_buffer("offsets", torch.tensor([0, *np.cumsum(data.sizes)[:-1]], dtype=torch.long))
        with torch.no_grad():
            dense, own = self.plain(rows.groups).numpy(), [self.given(fold) for fold in range(self.folds)]
        for fold, learn in enumerate(learns):
            self._cross(dense, fold, learn)
        folds = list(zip(learns, own, strict=True))
        seen = in_parallel(lambda pair: screen(dense, wanted, *pair, data.seed), folds)
        self.pairs = Pairs(dense, learns, seen, own)
        self.neighbours = Neighbours(dense, wanted, learns, seen, own)

    def forward(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """All columns, see `columns`."""
        plain = self.plain(groups)
        more = [part(plain) for part in (self.pairs, self.neighbours) if part.width]
        return torch.cat([plain, *more], dim=1)

    def plain(self, groups: dict[str, torch.Tensor]) -> torch.Tensor:
        """The numbers and the ranks."""
        parts = [self.raw(groups)] if self.numbers else []
        if self.coded:
            places = groups["codes"] + self.offsets
            parts += [self.ranks[fold][places] for fold in range(self.folds)]
        return torch.cat(parts, dim=1)

    def columns(self, fold: int, pairs: bool) -> np.ndarray:
        """Which columns the models of a fold read."""
        return np.concatenate([self.given(fold), *([self._paired(fold)] if pairs else []), self._near(fold)])

    def given(self, fold: int) -> np.ndarray:
        """Those of them that are the data's own: numbers and ranks."""
        ranks = self.numbers + fold * self.coded + np.arange(self.coded)
        columns: np.ndarray = np.r_[np.arange(self.numbers), ranks]
        return columns

    def _paired(self, fold: int) -> np.ndarray:
        """Those that are sums and differences of two."""
        start = self.numbers + self.folds * self.coded
        return start + fold * self.pairs.width + np.arange(self.pairs.width)

    def _near(self, fold: int) -> np.ndarray:
        """Those that say what the neighbours have."""
        start = self.numbers + self.folds * (self.coded + self.pairs.width)
        return start + fold * self.neighbours.width + np.arange(self.neighbours.width)

    @torch.no_grad()
    def learning(self, data: TrainingData) -> np.ndarray:
        """`dense` as the folds learn from it: what ranks and neighbours tell a row is made without the row."""
        dense = self.dense(data.rows)
        for fold, (learn, _) in enumerate(data.folds):
            self._cross(dense, fold, learn)
            if self.crossed[fold] and self.pairs.width:
                plain = self.numbers + self.folds * self.coded
                paired = self.pairs(torch.from_numpy(dense[learn, :plain])).numpy()
                dense[np.ix_(learn, self._paired(fold))] = paired[:, self._paired(fold) - plain]
            if self.neighbours.own:
                dense[np.ix_(learn, self._near(fold))] = self.neighbours.own[fold]
        return dense

    def _cross(self, dense: np.ndarray, fold: int, learn: np.ndarray) -> None:
        """Writes into the rows that a fold learns from what they read instead of ranks."""
        ranks = self.given(fold)[self.numbers :]
        for place, own in self.crossed[fold].items():
            dense[learn, ranks[place]] = own

    @torch.no_grad()
    def dense(self, table: Table) -> np.ndarray:
        """All columns of `table`, on the CPU: trees are grown and asked there."""
        return np.concatenate([self(chunk.to(torch.device("cpu")).groups).numpy() for chunk in table.chunks()])


def _wanted(data: TrainingData) -> np.ndarray:
    """What categories are ordered by, [N, outputs]: the target on the scale it is fitted on, or one column a class."""
    if data.classes:
        hot: np.ndarray = np.eye(data.classes)[data.target]
        return hot[:, 1:] if data.classes == 2 else hot
    return target_scales(data.target)[-1].encode(data.target).reshape(-1, 1)


class Booster(Protocol):
    """One model of trees, whichever library grew it."""

    def margins(self, dense: np.ndarray) -> np.ndarray:
        """float [N, outputs] for float32 [N, columns of the fold]."""
        ...

    def trees(self) -> Trees:
        """The same model as flat arrays, for the graph."""
        ...

    def content(self) -> bytes:
        """All of it, for a checkpoint."""
        ...


@dataclass(frozen=True)
class Forest:
    """The mean of one booster a fold."""

    name: str
    inputs: TreeInputs
    outputs: int
    boosters: tuple[Booster, ...]
    pairs: bool = False
    """Whether the boosters read pairs."""

    def columns(self, fold: int) -> np.ndarray:
        """Which columns of the inputs the booster of a fold reads."""
        return self.inputs.columns(fold, self.pairs)

    def margins(self, table: Table) -> torch.Tensor:
        """float32 [N, outputs], on the device of `table`."""
        dense = self.inputs.dense(table)
        total = sum(booster.margins(dense[:, self.columns(fold)]) for fold, booster in enumerate(self.boosters))
        return torch.from_numpy(np.asarray(total / len(self.boosters), dtype=np.float32)).to(table.numbers.device)
