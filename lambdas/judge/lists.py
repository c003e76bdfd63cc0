"""Lists of recommendations in the serving runtime: scored against what users went on to choose, and replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.parity import difference, scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambdas.serving.model import ServedModel

SHOWN = 10
"""Items of a list that count."""

BATCH = 1_000
"""Users asked for at once."""

List = list[dict[str, Any]]


def ranking_scores(model: ServedModel, columns: Mapping[str, Sequence[Any]]) -> dict[str, float]:
    """`ndcg@10` and `recall@10` of the users in these rows: their items are what each went on to choose.

    A hit at place p counts 1 / log2(p + 1), the best possible list 1; recall is the share of the chosen items that is
    shown, of ten where more were chosen.
    """
    user, item = model.card.names
    chosen: dict[str, set[str]] = {}
    for one, other in zip(columns[user], columns[item], strict=True):
        chosen.setdefault(str(one), set()).add(str(other))
    discounts, gains, shares = 1 / np.log2(np.arange(2, SHOWN + 2)), [], []
    for right, found in zip(chosen.values(), shown(model, list(chosen)), strict=True):
        hits = np.array([each["item"] in right for each in found[:SHOWN]], dtype=float)
        gains.append(float(hits @ discounts[: len(hits)]) / discounts[: len(right)].sum())
        shares.append(hits.sum() / min(len(right), SHOWN))
    return {"ndcg@10": float(np.mean(gains)), "recall@10": float(np.mean(shares))}


def shown(model: ServedModel, users: Sequence[str]) -> list[List]:
    """Each user's list."""
    user, item = model.card.names
    found: list[List] = []
    for start in range(0, len(users), BATCH):
        asked = np.array(users[start : start + BATCH], dtype=object).reshape(-1, 1)
        answers = model.predict({user: asked, item: np.full(asked.shape, "", dtype=object)})
        found += [each or [] for each in answers.recommendations or []]
    return found


def list_parity(lines: Sequence[Mapping[str, Any]], given: Sequence[List | None]) -> float:
    """Largest relative difference of the golden lists' ratings; infinite when one item is another."""
    wanted = [line.get("recommendations") for line in lines]
    if [_items(each) for each in wanted] != [_items(each) for each in given]:
        return float("inf")
    expected = [each["score"] for part in wanted for each in part or []]
    said = [each["score"] for part in given for each in part or []]
    scale = scale_of(expected)
    return max((difference(a, b, scale) for a, b in zip(expected, said, strict=True)), default=0.0)


def _items(part: List | None) -> list[str] | None:
    return None if part is None else [each["item"] for each in part]
