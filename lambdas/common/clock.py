"""The time, as every row and document writes it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """UTC in ISO 8601 with microseconds, so that texts sort as the times do."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
