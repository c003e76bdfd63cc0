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

SERVICE_FAULTS = [
    f"Lambda.{name}"
    for name in (
        "ServiceException",
        "AWSLambdaException",
        "SdkClientException",
        "ClientExecutionTimeoutException",
    )
]
"""Lambda itself is ill: it gets better with time."""
FULL = ["Lambda.TooManyRequestsException"]
"""All that may run at the same time does: a new account has ten, and what is ahead may take a quarter of an hour."""
OUT_OF_TIME = ["States.Timeout", "Sandbox.Timedout"]
"""What took too long once most likely does again, and each time costs the whole of it."""


def retry(errors: list[str], *, attempts: int, first: int, growth: float) -> dict[str, Any]:
    """A retrier whose waits grow from `first` seconds to a minute, each drawn at random up to that."""
    return {
        "errors": errors,
        "interval": Duration.seconds(first),
        "max_attempts": attempts,
        "backoff_rate": growth,
        "max_delay": Duration.seconds(60),
        "jitter_strategy": sfn.JitterType.FULL,
    }


RETRIES = (
    retry(FULL, attempts=40, first=2, growth=1.8),
    retry(SERVICE_FAULTS, attempts=6, first=2, growth=1.8),
    retry(OUT_OF_TIME, attempts=1, first=1, growth=1.5),
    retry(["States.ALL"], attempts=3, first=1, growth=1.5),
)
"""Every step may be done twice, so any fault is worth another try before the run is given up."""


class Step(Function):
    """A function that is the pipeline's state of the same name."""

    def state(self, *, given: Mapping[str, str], assign: Mapping[str, str], name: str = "") -> tasks.LambdaInvoke:
        """The task.

        Args:
            given: field of the payload to JSONata.
            assign: variable of the execution to JSONata over the task's result.
            name: of a second state of the same function; the first has the function's own.
        """
        timeout = self.function.timeout
        assert timeout is not None
        task = tasks.LambdaInvoke.jsonata(
            self,
            name or "State",
            state_name=name or self.node.id,
            lambda_function=self.function,
            payload=sfn.TaskInput.from_object({name: jsonata(each) for name, each in given.items()}),
            assign={name: jsonata(each) for name, each in assign.items()} or None,
            outputs=jsonata(RESULT),
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(timeout.plus(Duration.seconds(30))),
        )
        for each in RETRIES:
            task.add_retry(**each)
        return task


def caught(step: str) -> dict[str, Any]:
    """A catch of everything that leaves what went wrong, and where, in the execution's variables."""
    # Some errors come without a cause, and an expression without a value would end the execution on the spot.
    found = {"fault": "$states.errorOutput.Error", "cause": "[$states.errorOutput.Cause, ''][0]"}
    assign = {"status": "failed", "step": step, **{name: jsonata(each) for name, each in found.items()}}
    return {"errors": ["States.ALL"], "assign": assign}
