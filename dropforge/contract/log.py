"""One format of log lines: JSON with level, event and what the line is about; never a feature value.

    {"level": "info", "event": "registered", "function": "Register", "request": "8f0c…", "run": "run-…", "version": "3"}

A handler says once which function and request it answers (`begin`); `log` adds both to each line. The module `logging`
is not used: its import would add milliseconds to every cold start of Predict.
"""

from __future__ import annotations

import json
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    Level = Literal["info", "warning", "error"]

FIELDS = ("level", "event", "function", "request", "execution", "run", "model", "version")
"""The fields that lines share, in their order; one that is not known is left out. Fields of one event follow."""

UNKNOWN_VALUES = "unknown values"
"""The event of a request with values that its model does not know: `values` says how many. A metric counts them."""

CONTEXT: ContextVar[Mapping[str, str | None]] = ContextVar("CONTEXT")
"""What the lines of the current request share. Each thread and each task of asyncio has its own."""


def begin(function: str, *, request: str | None = None, execution: str | None = None, run: str | None = None,
          model: str | None = None) -> None:  # fmt: skip
    """Says what the lines from here on are about, in this thread or task.

    Args:
        function: the function's name, as in its metrics: `Predict`, `Judge`, `Serve`.
        request: the id under which the request is known to its caller.
        execution: the ARN of the workflow's execution.
        run: the run's id.
        model: the model's name.
    """
    CONTEXT.set({"function": function, "request": request, "execution": execution, "run": run, "model": model})


def begin_step(function: str, event: Mapping[str, Any], context: object) -> None:
    """`begin` for a function that Lambda calls with the event of a workflow's state: its ids are the event's own."""
    request = getattr(context, "aws_request_id", None)
    begin(function, request=request, execution=event.get("execution"), run=event.get("run"), model=event.get("model"))


def begin_request(function: str, event: Mapping[str, Any], context: object) -> None:
    """`begin` for a function behind API Gateway, whose caller knows the id from the header `x-amzn-RequestId`."""
    ids = event.get("requestContext") or {}
    begin(function, request=ids.get("requestId") or getattr(context, "aws_request_id", None))


def log(event: str, *, level: Level = "info", **fields: object) -> None:
    """One line on standard output, which Lambda sends to the function's log group.

    Args:
        event: what happened, in the words of the code that logs it.
        level: `warning` for what someone should look at, `error` for what has failed.
        fields: names, counts, reasons; no feature value.
    """
    line = {"level": level, "event": event, **CONTEXT.get({}), **fields}
    shared = {name: line[name] for name in FIELDS if line.get(name) not in (None, "")}
    others = {name: value for name, value in line.items() if name not in FIELDS}
    print(json.dumps(shared | others, default=str), flush=True)
