"""Lists of items: who is shown what, and how good lists are against what users went on to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from training_container.recommendation.ratings import pieces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.recommendation.pairs import Pair
    from training_container.recommendation.ratings import Ratings

SHOWN = 10
CHUNK = 256


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
    found = []
    for part in pieces(users, CHUNK):
        scores = ranks.users[part] @ ranks.items.T
        for at, user in enumerate(part.tolist()):
            scores[at, columns[starts[user] : starts[user + 1]]] = -torch.inf
        top = scores.topk(min(count, scores.shape[1]), dim=1)
        found.append(torch.where(top.values.isinf(), -1, top.indices))
    return torch.cat(found) if found else torch.zeros(0, count, dtype=torch.long)


def list_scores(lists: Sequence[Sequence[object]], chosen: Sequence[set[object]]) -> dict[str, float]:
    """`ndcg@10` and `recall@10`, means over users; as `scores_of_lists` takes them."""
    return {name: float(np.mean(values)) for name, values in scores_of_lists(lists, chosen).items()}


def scores_of_lists(lists: Sequence[Sequence[object]], chosen: Sequence[set[object]]) -> dict[str, np.ndarray]:
    """`ndcg@10` and `recall@10` of every user, [users].

    Args:
        lists: what was shown to each user, best first, at most `SHOWN`.
        chosen: what each user chose in the held-out rows, at least one item.

    A hit at place p counts 1 / log2(p + 1); the best possible list counts 1. Recall is the share of the chosen items
    that is shown, of `SHOWN` where more were chosen.
    """
    discounts = 1 / np.log2(np.arange(2, SHOWN + 2))
    gains, shares = [], []
    for shown, right in zip(lists, chosen, strict=True):
        hits = np.array([item in right for item in list(shown)[:SHOWN]], dtype=float)
        gains.append(float(hits @ discounts[: len(hits)]) / discounts[: len(right)].sum())
        shares.append(hits.sum() / min(len(right), SHOWN))
    return {f"ndcg@{SHOWN}": np.array(gains), f"recall@{SHOWN}": np.array(shares)}


def chosen_by_user(users: Sequence[object], items: Sequence[object]) -> dict[object, set[object]]:
    """Each user's items, users in the order of their first row."""
    found: dict[object, set[object]] = {}
    for user, item in zip(users, items, strict=True):
        found.setdefault(user, set()).add(item)
    return found
