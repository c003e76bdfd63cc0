"""Small summaries of many values: a scale of times for medians, and the least hashes for how many there are.

Both come out the same in whatever order and batches the values come.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_UNITS = 128
"""Hashes of units that are kept: so many are counted exactly, and more are estimated within a tenth."""

STEPS_OF_SCALE = 48
"""Steps of the scale for a factor of ten, so that a median is known within five in a hundred."""

HASH_DIGITS = 8
HASHES = 1 << 4 * HASH_DIGITS


def median(steps: dict[str, float]) -> float:
    """The median of a scale of times or ratios, 0 of an empty one."""
    half, passed = sum(steps.values()) / 2, 0.0
    for step in sorted(steps, key=int):
        passed += steps[step]
        if passed >= half:
            return float(10 ** ((int(step) + 0.5) / STEPS_OF_SCALE))
    return 0.0


def count_in(steps: dict[str, float], value: float, weight: float) -> None:
    step = str(math.floor(math.log10(min(max(value, 1e-6), 1e9)) * STEPS_OF_SCALE))
    steps[step] = steps.get(step, 0.0) + weight


def number_of(hashes: Iterable[str]) -> int:
    """How many values there were, by their least hashes: exact below `MOST_UNITS`, estimated above."""
    least = sorted(set(hashes))[:MOST_UNITS]
    if len(least) < MOST_UNITS:
        return len(least)
    return max(MOST_UNITS, round((MOST_UNITS - 1) * HASHES / (int(least[-1], 16) + 1)))


def keep_least(hashes: set[str]) -> None:
    """Removes the largest hash where there are more than are kept."""
    if len(hashes) > MOST_UNITS:
        hashes.remove(max(hashes))


def hashed(value: Any) -> str:
    """A short hash of a JSON value."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=HASH_DIGITS // 2).hexdigest()
