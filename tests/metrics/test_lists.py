"""Lists of items against scikit-learn's NDCG and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from dropforge.metrics.lists import SHOWN, chosen_by_user, list_scores


@pytest.mark.parametrize("chosen", [1, 4, 15])
def test_ndcg_is_scikit_learns(chosen: int) -> None:
    """Its relevance is 1 for the chosen of 30 items, and its scores fall along the list."""
    chance = np.random.default_rng(chosen)
    order, right = chance.permutation(30), set(chance.choice(30, chosen, replace=False).tolist())
    relevance, ranks = np.zeros((1, 30)), np.zeros((1, 30))
    relevance[0, list(right)] = 1.0
    ranks[0, order] = np.arange(30, 0, -1)
    found = list_scores([order.tolist()], [right])
    assert found["ndcg@10"] == pytest.approx(ndcg_score(relevance, ranks, k=SHOWN))
    assert found["recall@10"] == pytest.approx(len(right & set(order[:SHOWN].tolist())) / min(chosen, SHOWN))


def test_an_empty_list_hits_nothing_and_only_ten_items_count() -> None:
    assert list_scores([[]], [{"a"}]) == {"ndcg@10": 0.0, "recall@10": 0.0}
    assert list_scores([[*map(str, range(SHOWN)), "a"]], [{"a"}]) == {"ndcg@10": 0.0, "recall@10": 0.0}


def test_items_are_gathered_by_user_in_the_order_of_their_first_row() -> None:
    assert chosen_by_user(["b", "a", "b"], [1, 2, 3]) == {"b": {1, 3}, "a": {2}}
    assert list(chosen_by_user(["b", "a", "b"], [1, 2, 3])) == ["b", "a"]
