"""The event by which S3 tells of a dropped object, as far as the workflows read it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from dropforge.contract.ids import run_id
from dropforge.contract.names import spellings


def drop_event(bucket: str, key: str, version: str, size: int) -> dict[str, Any]:
    """The input of an execution for a drop whose event is lost; it has no sequencer."""
    return {
        "source": "dropforge",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "version-id": version, "size": size}},
    }


class DroppedObject(NamedTuple):
    """The object that an event tells of."""

    bucket: str
    key: str
    version: str

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that the event may mean, one for each spelling of the key; its own comes first."""
        return [run_id(self.bucket, key, self.version) for key in spellings(self.key)]


def dropped_object(text: str | None) -> DroppedObject | None:
    """The object that an event tells of, from its JSON; None for any other text."""
    try:
        detail = json.loads(text or "")["detail"]
        dropped = DroppedObject(detail["bucket"]["name"], detail["object"]["key"], detail["object"]["version-id"])
    except (ValueError, KeyError, TypeError):
        return None
    return dropped if all(isinstance(part, str) for part in dropped) else None
