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

LONGEST_REASON = 500
"""Characters of a reason in rows, messages, logs and answers: it fits a screen and a mail."""
LONGEST_QUOTATION = 60
"""Characters of a name or an option that a reason quotes."""

LARGEST_LIST = 64 * 1024
"""Bytes of JSON of one list in a row of the registry."""


def shortened(reason: str, most: int = LONGEST_REASON) -> str:
    """The reason, in at most `most` characters."""
    return reason if len(reason) <= most else f"{reason[: most - 1]}…"


def quoted(value: object) -> str:
    """A value as a reason names it: a short one as Python writes it, others by their kind and size."""
    if isinstance(value, dict | list | tuple | set):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value):,}"
    text = repr(value)
    if len(text) <= LONGEST_QUOTATION:
        return text
    return f"a text of {len(value):,} characters" if isinstance(value, str) else shortened(text, LONGEST_QUOTATION)


def fitting(values: Sequence[T]) -> list[T]:
    """The first of these JSON values that fit into a list of a row; all of them where they fit."""
    size, kept = 0, []
    for value in values:
        size += len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if size > LARGEST_LIST:
            break
        kept.append(value)
    return kept
