"""One state of the pipeline that is a function: its Lambda, its invocation, its retries and its catch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from cdk_app.function import Function

if TYPE_CHECKING:
    from collections.abc import Mapping


def jsonata(expression: str) -> str:
    """`expression` as Step Functions wants it."""
    return f"{{% {expression} %}}"


RESULT = "$states.result.Payload"

RETRY: dict[str, Any] = {
    "errors": ["States.ALL"],
    "interval": Duration.seconds(1),
    "max_attempts": 3,
    "backoff_rate": 1.5,
    "max_delay": Duration.seconds(20),
    "jitter_strategy": sfn.JitterType.FULL,
}
"""Every step may be done twice, so any fault is worth another try before the run is given up."""


class Step(Function):
    """A function that is the pipeline's state of the same name."""

    def state(self, *, given: Mapping[str, str], assign: Mapping[str, str]) -> tasks.LambdaInvoke:
        """The task.

        Args:
            given: field of the payload to JSONata.
            assign: variable of the execution to JSONata over the task's result.
        """
        timeout = self.function.timeout
        assert timeout is not None
        task = tasks.LambdaInvoke.jsonata(
            self,
            "State",
            state_name=self.node.id,
            lambda_function=self.function,
            payload=sfn.TaskInput.from_object({name: jsonata(each) for name, each in given.items()}),
            assign={name: jsonata(each) for name, each in assign.items()},
            outputs=jsonata(RESULT),
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(timeout.plus(Duration.seconds(30))),
        )
        task.add_retry(**RETRY)
        return task


def caught(step: str) -> dict[str, Any]:
    """A catch of everything that leaves what went wrong, and where, in the execution's variables."""
    found = {"error": "$states.errorOutput.Error", "cause": "$states.errorOutput.Cause"}
    assign = {"status": "failed", "step": step, **{name: jsonata(each) for name, each in found.items()}}
    return {"errors": ["States.ALL"], "assign": assign}
