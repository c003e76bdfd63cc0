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
"""How often one execution is restarted, as it may be what ends the server."""


def resume() -> None:
    """Restart the interrupted executions; the saved state must be loaded already."""
    enter_scope()
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    for arn, execution in list(engine._executions.items()):
        if execution.get("error") == INTERRUPTED and execution.get("resumed", 0) < MOST:
            _begin(engine, arn, execution)


def _begin(engine: Any, arn: str, execution: dict[str, Any]) -> None:
    logging.getLogger(__name__).warning("resuming %s", arn)
    del execution["error"], execution["cause"]
    execution.update(status="RUNNING", stopDate=None, output=None, resumed=execution.get("resumed", 0) + 1)
    execution["events"] = execution["events"][:1]
    run = contextvars.copy_context().run
    threading.Thread(target=run, args=(engine._run_execution, arn), daemon=True).start()
