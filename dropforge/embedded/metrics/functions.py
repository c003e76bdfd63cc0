"""AWS/Lambda for every invocation: MiniStack records those of the Invoke API only, not those of API Gateway,
Step Functions, EventBridge or a schedule."""

from __future__ import annotations

import importlib
import time
from typing import Any

from dropforge.embedded.metrics.record import record


def register() -> None:
    """Measure at the point that every kind of invocation passes, and drop MiniStack's own points for direct ones."""
    service: Any = importlib.import_module("ministack.services.lambda_svc")
    dispatch, emit = service._execute_function_dispatch, service._emit_lambda_metrics

    def measured(func: dict[str, Any], config: dict[str, Any], *rest: Any) -> Any:
        began = time.monotonic()
        result = dispatch(func, config, *rest)
        failed = isinstance(result, dict) and bool(result.get("error"))
        _record(config["FunctionName"], failed, (time.monotonic() - began) * 1000)
        return result

    def throttles(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle and duration_ms == 0:  # refused before any executor; a direct call reports it a second time
            emit(function_name, duration_ms, error, throttle)

    service._execute_function_dispatch, service._emit_lambda_metrics = measured, throttles


def _record(function: str, failed: bool, milliseconds: float) -> None:
    dimensions = {"FunctionName": function}
    record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
    record("AWS/Lambda", "Errors", int(failed), "Count", dimensions)
    record("AWS/Lambda", "Throttles", 0, "Count", dimensions)
    record("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)
