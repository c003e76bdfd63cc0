"""Executions of the state machines: whether one still works, and how it ended."""

from __future__ import annotations

from typing import NamedTuple

from botocore.exceptions import ClientError

from lambdas.common.aws import stepfunctions

UNKNOWN = ("ExecutionDoesNotExist", "InvalidArn")


REASONS = {
    "ABORTED": "its execution was stopped",
    "TIMED_OUT": "its execution took longer than its limit",
    "SUCCEEDED": "its execution ended without a result",
}


def why(status: str, error: str | None, cause: str | None) -> str:
    """Why an execution ended with this status, from what Step Functions says."""
    return REASONS.get(status) or cause or error or ""


class End(NamedTuple):
    """How an execution ended, as Step Functions says it."""

    status: str
    error: str = ""
    cause: str = ""


def end_of(execution: str) -> End | None:
    """How an execution ended; None while it runs. Step Functions forgets executions 90 days after their end."""
    try:
        found = stepfunctions().describe_execution(executionArn=execution)
    except ClientError as fault:
        if fault.response["Error"]["Code"] in UNKNOWN:
            return End("UNKNOWN", cause="Step Functions does not know its execution any more")
        raise
    if found["status"] in ("RUNNING", "PENDING_REDRIVE"):
        return None
    return End(found["status"], found.get("error", ""), found.get("cause", ""))
