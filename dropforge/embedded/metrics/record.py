"""Access to MiniStack's CloudWatch for code that runs inside the server."""

from __future__ import annotations

import importlib
from typing import Any

from dropforge.embedded.settings import ACCOUNT, REGION


def cloudwatch() -> Any:
    """MiniStack's CloudWatch module."""
    return importlib.import_module("ministack.services.cloudwatch")


def enter_scope() -> None:
    """Let the current thread or task act in the embedded cloud's one account and region."""
    responses = importlib.import_module("ministack.core.responses")
    responses.set_request_account_id(ACCOUNT)
    responses.set_request_region(REGION)


def record(namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]) -> None:
    """Add one data point with the current time."""
    cloudwatch().record_metric(namespace, name, value, unit, dimensions)
