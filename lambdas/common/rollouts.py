"""Executions of the state machine that looks at rollouts: one for each that is under way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dropforge.contract.ids import digest
from lambdas.common.aws import stepfunctions

if TYPE_CHECKING:
    from dropforge.contract.models import Candidate


def name_of(model: str, candidate: Candidate) -> str:
    """How the names of a rollout's executions begin."""
    return digest(model, candidate.salt)[:32]


def start(machine: str, model: str, candidate: Candidate, attempt: str = "1") -> str:
    """Starts the looks at a rollout, and returns the execution's ARN, or its name if it was started before.

    A start is safe to repeat: Step Functions gives a name once in 90 days.

    Args:
        machine: ARN of the state machine.
        model: the model's name.
        candidate: of its live pointer.
        attempt: distinguishes a further execution of the same rollout.
    """
    name = f"{name_of(model, candidate)}-{attempt}"
    given = json.dumps({"model": model, "salt": candidate.salt})
    try:
        return stepfunctions().start_execution(stateMachineArn=machine, name=name, input=given)["executionArn"]
    except ClientError as fault:
        if fault.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        return name
