"""`TimeoutSeconds` of a task may be a JSONata expression: MiniStack evaluates a task's other fields, not this one."""

from __future__ import annotations

import importlib
from typing import Any


def register() -> None:
    """Have the expression evaluated, with the state's input and the execution's variables, before the task begins."""
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    execute = engine._execute_task

    def in_seconds(state: dict[str, Any], raw_input: Any, execution: Any, ctx: Any) -> Any:
        if isinstance(state.get("TimeoutSeconds"), str):
            seconds = engine._apply_jsonata_template(state["TimeoutSeconds"], raw_input, ctx)
            state = {**state, "TimeoutSeconds": seconds}
        return execute(state, raw_input, execution, ctx)

    engine._execute_task = in_seconds
