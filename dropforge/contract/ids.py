"""Ids come from content, so that doing a thing twice is doing it once; only predictions get an id from chance."""

from __future__ import annotations

import hashlib
import os
from functools import cache

RUN_ID = r"run-[0-9a-f]{16}"
"""What an id of a run looks like, as a regular expression."""


def digest(*parts: str) -> str:
    """SHA-256, in hex, of texts that are kept apart, so that ('ab', 'c') and ('a', 'bc') differ."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def run_id(bucket: str, key: str, version: str) -> str:
    """The run that this version of this object starts: `run-` and 16 hex digits."""
    return f"run-{digest(bucket, key, version)[:16]}"


def prediction_ids(count: int) -> list[str]:
    """Fresh ids for predicted rows: labels come back under them.

    Each is 96 bits of chance that the rows of one request share, then the row's number: an id of its own chance a row
    took a tenth of a large answer.
    """
    first = f"p-{os.urandom(12).hex()}"
    return [first + row for row in _rows(1 << max(count - 1, 0).bit_length())[:count]]


@cache
def _rows(count: int) -> list[str]:
    """The numbers of so many rows as they stand in ids; asked for by powers of two, so that few are kept."""
    return [f"{row:08x}" for row in range(count)]
