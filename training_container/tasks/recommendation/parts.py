"""The quick parts of the blend: biases, what being rated at all says (implicit feedback), and item neighbours."""

from __future__ import annotations

import torch

from training_container.tasks.recommendation.pairs import Pair, constant, nearest
from training_container.tasks.recommendation.ratings import REAL, Ratings

SHRINK_USER, SHRINK_ITEM = 5.0, 2.0
"""Ratings at the mean that are added to a user's and an item's own before a bias is taken."""

BIAS_ROUNDS = 15

MOST_NEIGHBOURS = 4_000
"""Items, the most rated, that have neighbours: the weights between them are a dense matrix."""

NEIGHBOUR_RANK = 64
MOST_DENSE_CELLS = 8_000_000
"""Of dense matrices that are in memory at once, beside the weights themselves."""


def biases(known: Ratings) -> Pair:
    """Above or below the mean of all: every user and every item, each given the other (Koren, 2010)."""
    above = known.values - known.mean
    users, items = torch.zeros(known.user_count, dtype=REAL), torch.zeros(known.item_count, dtype=REAL)
    for _ in range(BIAS_ROUNDS):
        items = summed(known.items, above - users[known.users], known.item_count) / (known.per_item + SHRINK_ITEM)
        users = summed(known.users, above - items[known.items], known.user_count) / (known.per_user + SHRINK_USER)
    return constant(users, items)


def summed(codes: torch.Tensor, values: torch.Tensor, count: int) -> torch.Tensor:
    """Sums of `values` [N] by code, [count]."""
    return torch.zeros(count, dtype=REAL).index_add_(0, codes, values)


def implicit(known: Ratings, rank: int, seed: int, popular: float = 0.5) -> Pair:
    """Who rated what, whatever the rating: the nearest pair to the 0/1 matrix, its rows and columns evened out.

    `popular` is the power of an item's number of ratings that its column is divided by: 0 keeps popular items ahead.
    """
    weights = known.per_user.clamp(min=1).rsqrt()[known.users] / known.per_item.clamp(min=1)[known.items] ** popular
    seen, turned = known.by_user(weights), known.by_item(weights)
    return nearest(lambda x: seen @ x, lambda x: turned @ x, (known.user_count, known.item_count), rank, seed)


def neighbours(known: Ratings, base: Pair, penalty: float, seed: int) -> Pair:
    """What a user's other ratings say of an item, beyond `base`: linear weights between items, learned at once.

    The weights minimise the squared error of every user's errors predicted from the errors of the user's other items
    (ridge with a zero diagonal, in closed form: Steck, "Embarrassingly Shallow Autoencoders", 2019).
    """
    count = min(MOST_NEIGHBOURS, known.item_count)
    chosen = known.per_item.argsort(descending=True, stable=True)[:count]
    place = torch.full((known.item_count,), -1, dtype=torch.long)
    place[chosen] = torch.arange(count)
    inside = place[known.items] >= 0
    part = known.take(inside.nonzero().flatten())
    errors = part.values - known.mean - base.scores(part.users, part.items)
    kept = Ratings(part.users, place[part.items], errors, known.user_count, count)
    weights = _weights(kept, penalty)
    by_user, by_item = kept.by_user(errors), kept.by_item(errors)
    nearest_pair = nearest(
        lambda x: by_user @ (weights @ x), lambda x: weights.T @ (by_item @ x), (known.user_count, count),
        NEIGHBOUR_RANK, seed,
    )  # fmt: skip
    items = torch.zeros(known.item_count, nearest_pair.items.shape[1], dtype=REAL)
    items[chosen] = nearest_pair.items
    return Pair(nearest_pair.users, items)


def _weights(kept: Ratings, penalty: float) -> torch.Tensor:
    """[items, items], zero on the diagonal; the products of the errors are gathered some columns at a time."""
    by_user, by_item = kept.by_user(kept.values), kept.by_item(kept.values)
    products = torch.empty(kept.item_count, kept.item_count, dtype=REAL)
    most = max(1, MOST_DENSE_CELLS // max(kept.user_count, kept.item_count))
    for start in range(0, kept.item_count, most):
        width = min(most, kept.item_count - start)
        columns = torch.zeros(kept.item_count, width, dtype=REAL)
        columns[torch.arange(start, start + width), torch.arange(width)] = 1.0
        products[:, start : start + width] = by_item @ (by_user @ columns)
    products.diagonal().add_(penalty)
    inverse = torch.linalg.inv(products)
    weights: torch.Tensor = -inverse / inverse.diagonal()
    return weights.fill_diagonal_(0.0)
