"""The recommender as it answers raw rows: tables of vectors by code, in torch; the native half of the parity proof.

A user or an item that was not learned from is answered as the mean of all that were. A row without an item asks for a
list: the first `SHOWN` items by rank that its user has not rated; a user who is unknown gets the most rated ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from dropforge.contract.schema import Column
from dropforge.datasets.values import MISSING as MISSING_TEXTS
from dropforge.metrics.lists import SHOWN
from training_container.encoding import MISSING, UNKNOWN, Encoder, Vocabulary, codes_of, spellings
from training_container.tasks.recommendation.pairs import Pair
from training_container.tasks.recommendation.ratings import Ratings, pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.datasets.dataset import Rows
    from training_container.tasks.recommendation.blend import Recommender

FIRST_KNOWN = 2
"""Code of the first known user or item: 0 is unknown, 1 is missing."""

RATINGS_AT_ONCE = 8_192
LISTS_AT_ONCE = 256
"""Lists that are ranked at once."""


@dataclass(frozen=True)
class Answers:
    """Answers of N rows."""

    ratings: np.ndarray
    """float32 [N]: what the user would rate the item; in a row that asks for a list, the first of the list."""
    items: np.ndarray
    """int64 [N, K] codes, `MISSING` where there is no item to show or none was asked for."""
    scores: np.ndarray
    """float32 [N, K]: what the user would rate each of `items`, 0 where none was asked for."""
    ranks: np.ndarray
    """float32 [N, K]: what orders them; for the proof alone."""


@dataclass(frozen=True)
class Tables:
    """float32 tables by code, and what was rated; everything that the model file holds."""

    user: Vocabulary
    item: Vocabulary
    users: torch.Tensor
    """[users + 2, D]"""
    items: torch.Tensor
    """[items + 2, D]"""
    user_ranks: torch.Tensor
    """[users + 2, R]"""
    item_ranks: torch.Tensor
    """[items, R], without the two rows of unknown and missing."""
    starts: torch.Tensor
    """int64 [users + 3]: where each user's part of `seen` begins, and where the last ends."""
    seen: torch.Tensor
    """int64 [ratings]: places in `item_ranks`."""
    mean: float
    low: float
    high: float

    @property
    def encoder(self) -> Encoder:
        """From raw user and item to codes."""
        columns = (Column(self.user.column, "category"), Column(self.item.column, "category"))
        return Encoder(columns, (self.user, self.item))

    @property
    def shown(self) -> int:
        """Items in a list."""
        return min(SHOWN, len(self.item_ranks))

    def item_names(self) -> list[str]:
        """Items by code; empty for unknown and missing."""
        names: dict[int, str] = {}
        for text, code in self.item.codes.items():
            names.setdefault(code, text)  # the first of its spellings
        return ["", "", *(names[code] for code in range(FIRST_KNOWN, self.item.size))]

    @torch.no_grad()
    def answer(self, values: dict[str, np.ndarray]) -> Answers:
        """Answers for raw columns [N] of texts."""
        codes = self.encoder.encode(values).codes
        users, items = codes[:, 0], codes[:, 1]
        without_item = (items == MISSING).nonzero().flatten()
        lists = torch.full((len(codes), self.shown), MISSING)
        ranks = torch.zeros(len(codes), self.shown)
        lists[without_item], ranks[without_item] = self.lists(users[without_item])
        subject = items.clone()
        subject[without_item] = lists[without_item, 0]
        scores = torch.zeros(len(codes), self.shown)
        for place in range(self.shown):
            scores[without_item, place] = self.ratings(users[without_item], lists[without_item, place])
        return Answers(self.ratings(users, subject).numpy(), lists.numpy(), scores.numpy(), ranks.numpy())

    def ratings(self, users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """float32 [N] of codes [N]."""
        both = zip(pieces(users, RATINGS_AT_ONCE), pieces(items, RATINGS_AT_ONCE), strict=True)
        parts = [(self.users[one] * self.items[other]).sum(1) for one, other in both]
        return (torch.cat(parts) + self.mean).clamp(self.low, self.high) if parts else torch.zeros(0)

    def lists(self, users: torch.Tensor, more: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Item codes and ranks [N, K + more], best first, for user codes [N]; `MISSING` where a user has rated all."""
        count = min(self.shown + more, len(self.item_ranks))
        items, ranks = [torch.zeros(0, count, dtype=torch.long)], [torch.zeros(0, count)]
        for part in pieces(users, LISTS_AT_ONCE):
            scores = self.user_ranks[part] @ self.item_ranks.T
            for place, user in enumerate(part.tolist()):
                scores[place, self.seen[self.starts[user] : self.starts[user + 1]]] = -torch.inf
            top = scores.topk(count, dim=1)
            items.append(torch.where(top.values.isinf(), MISSING, top.indices + FIRST_KNOWN))
            ranks.append(torch.where(top.values.isinf(), 0.0, top.values))
        return torch.cat(items), torch.cat(ranks)


def vocabulary(column: str, *texts: np.ndarray) -> Vocabulary:
    """Every id that occurs, in all its spellings: numbers in their order, texts sorted, after unknown and missing."""
    seen = {text for part in texts for text in part if text != ""}
    names = sorted({spellings(text)[0] for text in seen}, key=_order)
    known = codes_of(names, seen, FIRST_KNOWN)
    return Vocabulary(column, {**dict.fromkeys(MISSING_TEXTS, MISSING), **known}, len(names) + FIRST_KNOWN, UNKNOWN)


def _order(text: str) -> tuple[int, str]:
    return (len(text) if text.isdecimal() else 10**9, text)


def as_ratings(rows: Rows, user: Vocabulary, item: Vocabulary) -> Ratings:
    """Rows as codes from 0; all their users and items must be known."""
    users, items = (
        torch.from_numpy(vocabulary.encode(rows.columns[vocabulary.column]) - FIRST_KNOWN)
        for vocabulary in (user, item)
    )
    values = torch.from_numpy(rows.target.astype(np.float64))
    return Ratings(users, items, values, user.size - FIRST_KNOWN, item.size - FIRST_KNOWN)


def tables_of(model: Recommender, user: Vocabulary, item: Vocabulary) -> Tables:
    """The recommender with rows for whom it does not know."""
    known, tastes, ranks = model.known, model.tastes, with_popularity(model.ranks, model.known)
    seen = known.by_user(torch.ones(len(known), dtype=torch.float64))
    starts = torch.cat([torch.zeros(FIRST_KNOWN, dtype=torch.long), seen.crow_indices()])
    return Tables(
        user=user,
        item=item,
        users=_behind(tastes.users, tastes.users.mean(0)),
        items=_behind(tastes.items, tastes.items.mean(0)),
        user_ranks=_behind(ranks.users, _last_alone(ranks.users)),
        item_ranks=ranks.items.float(),
        starts=starts,
        seen=seen.col_indices(),
        mean=model.mean,
        low=model.low,
        high=model.high,
    )


def with_popularity(ranks: Pair, known: Ratings) -> Pair:
    """A last dimension that only an unknown user looks at: an item's place by its ratings, 1 for the most."""
    popular = known.per_item.argsort(stable=True).argsort().to(ranks.items.dtype) / known.item_count
    return Pair(
        torch.cat([ranks.users, torch.zeros(len(ranks.users), 1, dtype=ranks.users.dtype)], 1),
        torch.cat([ranks.items, popular[:, None]], 1),
    )


def _behind(vectors: torch.Tensor, stranger: torch.Tensor) -> torch.Tensor:
    """The rows of unknown and missing before the known ones, float32."""
    return torch.cat([stranger.expand(FIRST_KNOWN, -1), vectors]).float()


def _last_alone(vectors: torch.Tensor) -> torch.Tensor:
    stranger = torch.zeros(vectors.shape[1], dtype=vectors.dtype)
    stranger[-1] = 1.0
    return stranger


def list_requests(column: Sequence[str] | np.ndarray, tables: Tables) -> dict[str, np.ndarray]:
    """Raw rows that ask for the lists of these users."""
    users = np.asarray(column, dtype=object)
    return {tables.user.column: users, tables.item.column: np.full(len(users), "", dtype=object)}
