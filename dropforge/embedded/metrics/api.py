"""AWS/ApiGateway: count, latency, 4XX and 5XX errors of each API's stage, measured around MiniStack's application."""

from __future__ import annotations

import importlib
import time
from typing import Any

from dropforge.embedded.metrics.record import enter_scope, record

PREFIX = "/_aws/execute-api/"


def measured(application: Any) -> Any:
    """Wraps the ASGI application; records every call of an API once its response is sent."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await application(scope, receive, send)
            return
        began, status = time.monotonic(), [500]

        async def noting(message: Any) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await application(scope, receive, noting)
        finally:
            _record(scope["path"], status[0], (time.monotonic() - began) * 1000)

    return app


def _record(path: str, status: int, milliseconds: float) -> None:
    enter_scope()
    api, stage, *_ = [*path.removeprefix(PREFIX).split("/"), ""]
    found = importlib.import_module("ministack.services.apigateway_v1")._rest_apis.get(api)
    if found is None:
        return
    name = {"ApiName": found["name"]}
    for dimensions in (name, {**name, "Stage": stage}):
        record("AWS/ApiGateway", "Count", 1, "Count", dimensions)
        record("AWS/ApiGateway", "Latency", milliseconds, "Milliseconds", dimensions)
        record("AWS/ApiGateway", "4XXError", int(400 <= status < 500), "Count", dimensions)
        record("AWS/ApiGateway", "5XXError", int(status >= 500), "Count", dimensions)
