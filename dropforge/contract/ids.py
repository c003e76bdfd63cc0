"""Ids derive from content, so that doing something twice is doing it once; only ids of predictions are random."""

from __future__ import annotations

import hashlib
import os
from functools import cache

RUN_ID = r"run-[0-9a-f]{16}"
"""A regular expression for the id of a run."""


def digest(*parts: str) -> str:
    """SHA-256, in hex, of separated texts, so that ('ab', 'c') and ('a', 'bc') differ."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def run_id(bucket: str, key: str, version: str) -> str:
    """The id of the run that a version of an object starts: `run-` and 16 hex digits."""
    return f"run-{digest(bucket, key, version)[:16]}"


def prediction_ids(count: int) -> list[str]:
    """New ids for predicted rows, to match them with labels later.

    Each is 96 bits of chance that the rows of one request share, then the row's number: an id of its own chance a row
    took a tenth of a large answer.
    """
    first = f"p-{os.urandom(12).hex()}"
    return [first + row for row in _rows(1 << max(count - 1, 0).bit_length())[:count]]


@cache
def _rows(count: int) -> list[str]:
    """The row numbers as they appear in ids; requested in powers of two, so that few lists are kept."""
    return [f"{row:08x}" for row in range(count)]
