"""Adds the object's version to S3's events on EventBridge, which MiniStack knows but leaves out of the detail."""

from __future__ import annotations

import importlib
import json
from contextvars import ContextVar
from typing import Any

_VERSION: ContextVar[str | None] = ContextVar("version", default=None)


def register() -> None:
    """Add `version-id` to the detail of every event of a versioned bucket's object."""
    storage: Any = importlib.import_module("ministack.services.s3")
    bus: Any = importlib.import_module("ministack.services.eventbridge")
    fire, dispatch = storage._fire_s3_event, bus._dispatch_event

    def fired(*given: Any, **named: Any) -> None:
        _VERSION.set(named.get("version_id"))  # each event is fired in its own thread and context
        fire(*given, **named)

    def dispatched(event: dict[str, Any], *rest: Any) -> Any:
        version = _VERSION.get()
        if version is not None and event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"].setdefault("version-id", version)
            event = {**event, "Detail": json.dumps(detail)}
        return dispatch(event, *rest)

    storage._fire_s3_event, bus._dispatch_event = fired, dispatched
