"""Strict mode: checks a state machine's tasks against the state machine's own role.

MiniStack checks every call that comes over HTTP, but it runs a task's Lambda function or training job by itself,
without asking whether the state machine's role may. This asks, with MiniStack's own policy evaluation, so that a
missing permission fails here as it fails on AWS.
"""

from __future__ import annotations

import importlib
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dropforge.embedded.settings import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAMBDA = "arn:aws:states:::lambda:invoke"
TRAINING = "arn:aws:states:::sagemaker:createTrainingJob"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule"

_ROLE: ContextVar[str] = ContextVar("role")


@dataclass(frozen=True)
class Need:
    """One permission that a task needs on AWS."""

    action: str
    resource: str
    context: dict[str, str] = field(default_factory=dict)
    """The condition keys, in lower case."""


def register() -> None:
    """Check the permissions of every task from now on; MiniStack must not be serving yet."""
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    execute: Callable[..., Any] = engine._execute_task
    invoke: Callable[..., Any] = engine._invoke_resource

    def under_its_role(state: Any, raw_input: Any, execution: dict[str, Any], ctx: Any) -> Any:
        machine = execution["stateMachineArn"].partition("/")[0]  # a child of a Distributed Map has a label after it
        _ROLE.set(engine._state_machines[machine]["roleArn"])
        return execute(state, raw_input, execution, ctx)

    def checked(resource: str, request: Any) -> Any:
        role = _ROLE.get()
        for need in needs(resource, request):
            if not allowed(role, need):
                raise engine._ExecutionError(*denial(role, resource, need))
        return invoke(resource, request)

    engine._execute_task, engine._invoke_resource = under_its_role, checked


def needs(resource: str, request: Any) -> Iterator[Need]:
    """The permissions that a task of this resource needs, for the two kinds that MiniStack does not check."""
    if resource.startswith(LAMBDA):
        yield Need("lambda:InvokeFunction", _function_arn(str(request.get("FunctionName", ""))))
    if resource.startswith(TRAINING):
        job = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{request.get('TrainingJobName', '')}"
        for action in ("CreateTrainingJob", "DescribeTrainingJob", "StopTrainingJob"):
            yield Need(f"sagemaker:{action}", job)
        for action in ("PutTargets", "PutRule", "DescribeRule"):
            yield Need(f"events:{action}", RULE)
        yield Need("iam:PassRole", str(request.get("RoleArn", "")), {"iam:passedtoservice": "sagemaker.amazonaws.com"})


def allowed(role: str, need: Need) -> bool:
    """Whether the policies of the role allow it."""
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    context = evaluator.EvalContext(
        principal_arn=role,
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=need.action,
        resource_arn=need.resource,
        region=REGION,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=need.context,
    )
    policies = evaluator._gather_role_policies(role.rpartition("/")[2], ACCOUNT)
    return bool(evaluator.evaluate(context, policies).decision == "Allow")


def denial(role: str, resource: str, need: Need) -> tuple[str, str]:
    """Error and cause as Step Functions returns them."""
    error = "Lambda.AWSLambdaException" if resource.startswith(LAMBDA) else "SageMaker.AmazonSageMakerException"
    cause = f"User: {role} is not authorized to perform: {need.action} on resource: {need.resource}"
    return error, f"{cause} (Status Code: 403; Error Code: AccessDeniedException)"


def _function_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
