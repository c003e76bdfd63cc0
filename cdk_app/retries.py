"""How tasks are retried, and how their last error is caught."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn

from cdk_app.jsonata import jsonata

SERVICE_ERRORS = [
    f"Lambda.{name}"
    for name in (
        "ServiceException",
        "AWSLambdaException",
        "SdkClientException",
        "ClientExecutionTimeoutException",
    )
]
"""Errors of the Lambda service itself, which pass with time."""
THROTTLED = ["Lambda.TooManyRequestsException"]
"""The account's concurrency is used up: a new account has ten, and the function ahead may take a quarter of an hour."""
OUT_OF_TIME = ["States.Timeout", "Sandbox.Timedout"]
"""A task that timed out once most likely times out again, and each attempt costs its whole time."""


def retry(errors: list[str], *, attempts: int, first_wait: int, growth: float) -> dict[str, Any]:
    """Arguments of `add_retry`: waits grow from `first_wait` seconds to a minute, each drawn at random up to that."""
    return {
        "errors": errors,
        "interval": Duration.seconds(first_wait),
        "max_attempts": attempts,
        "backoff_rate": growth,
        "max_delay": Duration.seconds(60),
        "jitter_strategy": sfn.JitterType.FULL,
    }


FUNCTION_RETRIES = (
    retry(THROTTLED, attempts=40, first_wait=2, growth=1.8),
    retry(SERVICE_ERRORS, attempts=6, first_wait=2, growth=1.8),
    retry(OUT_OF_TIME, attempts=1, first_wait=1, growth=1.5),
    retry(["States.ALL"], attempts=3, first_wait=1, growth=1.5),
)
"""Every function is safe to repeat, so any error is worth another attempt before the run is given up."""


def catch_all(state: str) -> dict[str, Any]:
    """Arguments of `add_catch`: any error of `state` is kept, with the state's name, in the execution's variables."""
    # Some errors have no cause, and an expression without a value would end the execution at once.
    error = {"fault": "$states.errorOutput.Error", "cause": "[$states.errorOutput.Cause, ''][0]"}
    variables = {name: jsonata(expression) for name, expression in error.items()}
    return {"errors": ["States.ALL"], "assign": {"status": "failed", "step": state, **variables}}
