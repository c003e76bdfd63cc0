"""Lists of items: who is shown what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from dropforge.metrics.lists import SHOWN
from training_container.tasks.recommendation.ratings import pieces

if TYPE_CHECKING:
    from training_container.tasks.recommendation.pairs import Pair
    from training_container.tasks.recommendation.ratings import Ratings

USERS_AT_ONCE = 256


def best_items(ranks: Pair, seen: Ratings, users: torch.Tensor, count: int = SHOWN) -> torch.Tensor:
    """The items with the highest ranks that each of `users` has not rated yet: int64 [N, count], -1 where none is left.

    Args:
        ranks: the pair that ranks.
        seen: what was rated; of it only users and items count.
        users: codes int64 [N].
        count: of items, at most as many as there are.
    """
    known = seen.by_user(torch.ones(len(seen), dtype=ranks.users.dtype))
    starts, columns = known.crow_indices(), known.col_indices()
    items = []
    for part in pieces(users, USERS_AT_ONCE):
        scores = ranks.users[part] @ ranks.items.T
        for row, user in enumerate(part.tolist()):
            scores[row, columns[starts[user] : starts[user + 1]]] = -torch.inf
        top = scores.topk(min(count, scores.shape[1]), dim=1)
        items.append(torch.where(top.values.isinf(), -1, top.indices))
    return torch.cat(items) if items else torch.zeros(0, count, dtype=torch.long)
