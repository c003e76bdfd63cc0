"""A function that does nothing, for the cost of Lambda's own runtime client."""

from __future__ import annotations

from typing import Any


def handle(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """An empty answer."""
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": "{}"}
