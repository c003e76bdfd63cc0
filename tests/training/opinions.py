"""Ratings made from known tastes: for the mechanics alone; what is learned from real ones stands in the benchmark."""

from __future__ import annotations

import numpy as np
import polars as pl

USERS, ITEMS, EACH = 60, 40, 22


def opinions(seed: int = 0) -> pl.DataFrame:
    """`user_id,item_id,rating,timestamp`: users choose what they will like, rated 1 to 5 by taste and noise."""
    random = np.random.default_rng(seed)
    tastes, traits = random.normal(size=(USERS, 2)), random.normal(size=(ITEMS, 2))
    likes = tastes @ traits.T + random.normal(size=ITEMS) / 2
    rows = []
    for user in range(USERS):
        shares = np.exp(likes[user] - likes[user].max())
        chosen = random.choice(ITEMS, EACH, replace=False, p=shares / shares.sum())
        said = np.clip(np.round(3 + likes[user, chosen] + random.normal(size=EACH) / 3), 1, 5).astype(int)
        rows += [(f"u{user}", int(item) + 100, int(rating), 10_000 + at) for at, (item, rating)
                 in enumerate(zip(chosen, said, strict=True))]  # fmt: skip
    return pl.DataFrame(rows, schema=["user_id", "item_id", "rating", "timestamp"], orient="row")
