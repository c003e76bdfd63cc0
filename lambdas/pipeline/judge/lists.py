"""Lists of recommendations in the serving runtime, and their comparison with the trainer's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.parity import difference, scale_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dropforge.inference.model import ServedModel

USERS_PER_CALL = 1_000

Recommendations = list[dict[str, Any]]


def recommended(model: ServedModel, users: Sequence[str]) -> list[Recommendations]:
    """The list of each user, best item first."""
    user, item = model.card.names
    lists: list[Recommendations] = []
    for start in range(0, len(users), USERS_PER_CALL):
        batch = np.array(users[start : start + USERS_PER_CALL], dtype=object).reshape(-1, 1)
        answers = model.predict({user: batch, item: np.full(batch.shape, "", dtype=object)})
        lists += [part or [] for part in answers.recommendations or []]
    return lists


def list_parity(lines: Sequence[Mapping[str, Any]], lists: Sequence[Recommendations | None]) -> float:
    """Largest relative difference of the golden lists' ratings; infinite if any item differs."""
    golden = [line.get("recommendations") for line in lines]
    if [_items(part) for part in golden] != [_items(part) for part in lists]:
        return float("inf")
    expected = [entry["score"] for part in golden for entry in part or []]
    actual = [entry["score"] for part in lists for entry in part or []]
    scale = scale_of(expected)
    return max((difference(a, b, scale) for a, b in zip(expected, actual, strict=True)), default=0.0)


def _items(part: Recommendations | None) -> list[str] | None:
    return None if part is None else [entry["item"] for entry in part]
