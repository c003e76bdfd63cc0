"""A Lambda function that is a state of a state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from cdk_app.function import Function
from cdk_app.jsonata import RESULT, jsonata
from cdk_app.retries import FUNCTION_RETRIES

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(Function):
    """A function, and the state of the same name that invokes it."""

    def state(self, *, payload: Mapping[str, str], assign: Mapping[str, str], name: str = "") -> tasks.LambdaInvoke:
        """The task that invokes the function.

        Args:
            payload: JSONata by the field of the function's event.
            assign: JSONata over the task's result by the variable of the execution that it is assigned to.
            name: the name of a second state of the same function; the first has the function's own name.
        """
        timeout = self.function.timeout
        assert timeout is not None
        task = tasks.LambdaInvoke.jsonata(
            self,
            name or "State",
            state_name=name or self.node.id,
            lambda_function=self.function,
            payload=sfn.TaskInput.from_object(_rendered(payload)),
            assign=_rendered(assign) or None,
            outputs=jsonata(RESULT),
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(timeout.plus(Duration.seconds(30))),
        )
        for arguments in FUNCTION_RETRIES:
            task.add_retry(**arguments)
        return task


def _rendered(expressions: Mapping[str, str]) -> dict[str, str]:
    return {name: jsonata(expression) for name, expression in expressions.items()}
