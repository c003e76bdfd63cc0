"""Restarts executions that were running when the server ended; on AWS they outlive any machine.

MiniStack marks them failed at its next start. They begin again from their first state under their own name: every
step of a run does twice what it does once, and a claim is owned by the execution's ARN, so nothing runs double.
"""

from __future__ import annotations

import contextvars
import importlib
import logging
import threading
from typing import Any

from dropforge.embedded.metrics.record import enter_scope

INTERRUPTED = "States.ServiceRestart"
MOST = 3
"""How often one execution is restarted after a kill in the middle of it, as it may be what ends the server."""


def resume() -> None:
    """Restart the interrupted executions, and tell the end of those that were interrupted too often.

    The saved state must be loaded already.
    """
    enter_scope()
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    for arn, execution in list(engine._executions.items()):
        if execution.get("error") != INTERRUPTED or execution.get("told"):
            continue
        if execution.get("resumed", 0) < MOST:
            _begin(engine, arn, execution)
        else:
            execution["told"] = True
            execution["cause"] = f"The embedded cloud was killed {MOST + 1} times while it ran: drop the data again."
            engine._emit_execution_status_event(execution)


def _begin(engine: Any, arn: str, execution: dict[str, Any]) -> None:
    logging.getLogger(__name__).warning("resuming %s", arn)
    del execution["error"], execution["cause"]
    began = any(event["type"] == "TaskScheduled" for event in execution["events"])
    execution.update(status="RUNNING", stopDate=None, output=None, resumed=execution.get("resumed", 0) + began)
    execution["events"] = execution["events"][:1]
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(engine._run_execution, arn), daemon=True).start()
