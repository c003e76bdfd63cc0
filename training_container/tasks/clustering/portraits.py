"""What a cluster is like, in words: where its rows differ most from all rows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, assert_never

import numpy as np

from training_container.report.wording import number, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.schema import Column
    from dropforge.datasets.dataset import Rows

MOST_TRAITS = 4
"""Most that is said of one cluster."""

CLEAR_DEVIATIONS = 0.5
"""Standard deviations from the mean of all rows that are worth a word."""

CLEAR_SHARE = 0.15
"""By how much the share of a value must exceed that in all rows."""

LONGEST_VALUE = 40


def portraits(columns: Sequence[Column], rows: Rows, labels: np.ndarray, masked: Sequence[str]) -> list[str]:
    """One sentence a cluster, in the order of the clusters; of masked columns nothing is said."""
    shown = [column for column in columns if column.name not in masked]
    return [_portrait(shown, rows, labels == cluster) for cluster in range(int(labels.max()) + 1)]


def _portrait(columns: Sequence[Column], rows: Rows, inside: np.ndarray) -> str:
    traits: list[tuple[float, str]] = []
    for column in columns:
        values = rows.columns[column.name]
        match column.kind:
            case "number":
                traits += _number_traits(column.name, values.astype(float), inside)
            case "category" | "boolean":
                traits += _text_traits(column.name, values, inside)
            case "date" | "image":
                pass
            case _:
                assert_never(column.kind)
    traits.sort(key=lambda trait: -trait[0])
    return "; ".join(text for _, text in traits[:MOST_TRAITS]) or "similar to all rows"


def _number_traits(name: str, values: np.ndarray, inside: np.ndarray) -> list[tuple[float, str]]:
    known = ~np.isnan(values)
    if not (known & inside).any():
        return []
    spread = float(values[known].std())
    here, everywhere = float(values[known & inside].mean()), float(values[known].mean())
    apart = (here - everywhere) / spread if spread > 0 else 0.0
    if abs(apart) < CLEAR_DEVIATIONS:
        return []
    word = "high" if apart > 0 else "low"
    return [(abs(apart), f"{word} {name} (mean {number(here)}, {number(everywhere)} in all rows)")]


def _text_traits(name: str, values: np.ndarray, inside: np.ndarray) -> list[tuple[float, str]]:
    here, everywhere = Counter(values[inside]), Counter(values)
    traits = []
    for text, count in here.most_common(3):
        share, usual = count / int(inside.sum()), everywhere[text] / len(values)
        if share - usual > CLEAR_SHARE:
            value = f"{text[:LONGEST_VALUE]!r}" if text else "missing"
            strength = (share - usual) / max((usual * (1 - usual)) ** 0.5, 1e-6)
            traits.append((strength, f"{name} {value} in {percent(share)} ({percent(usual)} of all rows)"))
    return traits
