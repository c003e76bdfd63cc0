"""The event by which S3 tells of a dropped object, as far as the workflows read it."""

from __future__ import annotations

from typing import Any


def drop_event(bucket: str, key: str, version: str, size: int) -> dict[str, Any]:
    """The input of an execution for a drop whose event is lost; it has no sequencer."""
    return {
        "source": "dropforge",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "version-id": version, "size": size}},
    }
