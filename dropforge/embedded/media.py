"""Bodies without a media type: API Gateway treats them as JSON, which `*/*` covers; MiniStack treats them as none."""

from __future__ import annotations

import importlib
from typing import Any


def register() -> None:
    """Treat bodies without a type as binary if the API declares all types binary."""
    gateway: Any = importlib.import_module("ministack.services.apigateway_v1")
    matches = gateway._media_type_matches

    def matched(media_type: str | None, binary: Any) -> bool:
        return bool(matches(media_type or "application/json", binary))

    gateway._media_type_matches = matched
