"""How good lists of recommended items are against what users went on to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

SHOWN = 10
"""Items of a list that count."""

LIST_METRICS = (f"ndcg@{SHOWN}", f"recall@{SHOWN}")


def list_scores(lists: Sequence[Sequence[object]], chosen: Sequence[set[object]]) -> dict[str, float]:
    """`ndcg@10` and `recall@10`, means over users; as `scores_of_lists` takes them."""
    return {name: float(np.mean(values)) for name, values in scores_of_lists(lists, chosen).items()}


def scores_of_lists(lists: Sequence[Sequence[object]], chosen: Sequence[set[object]]) -> dict[str, np.ndarray]:
    """`ndcg@10` and `recall@10` of every user, [users].

    Args:
        lists: what was shown to each user, best first; the first `SHOWN` count.
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
    return dict(zip(LIST_METRICS, (np.array(gains), np.array(shares)), strict=True))


def chosen_by_user(users: Sequence[object], items: Sequence[object]) -> dict[object, set[object]]:
    """Each user's items, users in the order of their first row."""
    chosen: dict[object, set[object]] = {}
    for user, item in zip(users, items, strict=True):
        chosen.setdefault(user, set()).add(item)
    return chosen
