"""What fits into a row of the registry (DynamoDB takes 400 KB) and into the state machine's payload (256 KB).

Data may have 2,000 columns whose names are as long as their owner likes, so what lists columns needs a bound. The full
lists are in the run's files.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

LONGEST_REASON = 4_000
"""Characters of the reason that a step passes on."""

LARGEST_LIST = 64 * 1024
"""Bytes of JSON of one list in a row of the registry."""


def shortened(reason: str) -> str:
    """The reason, cut to what a payload can hold."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"


def fitting(values: Sequence[T]) -> list[T]:
    """The first of these JSON values that fit into a list of a row; all of them where they fit."""
    size, kept = 0, []
    for value in values:
        size += len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if size > LARGEST_LIST:
            break
        kept.append(value)
    return kept
