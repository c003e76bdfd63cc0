"""Ids come from content, so that doing a thing twice is doing it once; only predictions get an id from chance."""

from __future__ import annotations

import hashlib
import os
import re

RUN_ID = re.compile(r"run-[0-9a-f]{16}")


def digest(*parts: str) -> str:
    """SHA-256, in hex, of texts that are kept apart, so that ('ab', 'c') and ('a', 'bc') differ."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def run_id(bucket: str, key: str, version: str) -> str:
    """The run that this version of this object starts: `run-` and 16 hex digits."""
    return f"run-{digest(bucket, key, version)[:16]}"


def prediction_ids(count: int) -> list[str]:
    """Fresh ids for predicted rows, 128 bits of chance each: labels come back under them."""
    drawn = os.urandom(16 * count).hex()  # one call for all: an id at a time took a third of a large answer
    return [f"p-{drawn[at : at + 32]}" for at in range(0, len(drawn), 32)]
