"""Bodies and answers without a media type: API Gateway takes them for JSON, which `*/*` covers; MiniStack for none."""

from __future__ import annotations

import importlib
from typing import Any


def register() -> None:
    """Let what names no type be binary where the API says that all is."""
    gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
    matches = gateway._media_type_matches

    def matched(media_type: str | None, binary: Any) -> bool:
        return bool(matches(media_type or "application/json", binary))

    gateway._media_type_matches = matched
