"""The deployed prediction function, asked as API Gateway asks it: one row, one version."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.contract.names import REHEARSER
from lambdas.common import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_lambda.type_defs import InvocationResponseTypeDef

PREDICT = "/models/{model}/versions/{version}/predict"
DURATION = re.compile(rb"\tDuration: ([0-9.]+) ms")
"""In the last line that Lambda writes of an invocation: the function's own time, without the way to it."""

CRASHED = "function_error"
"""The code of an invocation that ended without an answer: out of memory, or out of time."""


class Reply(NamedTuple):
    """What the function answered to one row."""

    code: str
    """Of a refusal or a fault, such as `no_healthy_model`; empty for an answer."""
    milliseconds: float
    prediction: Any = None
    probabilities: dict[str, float] | None = None


class Deployed:
    """The prediction function of this name, for one model."""

    def __init__(self, function: str, model: str) -> None:
        self.function = function
        self.model = model

    def answer(self, version: str, row: Mapping[str, Any]) -> Reply:
        """What the function answers to the row with the version.

        Raises:
            botocore.exceptions.ClientError: the function could not be asked; the step is repeated.
        """
        began = time.perf_counter()
        invoked = aws.functions().invoke(
            FunctionName=self.function, LogType="Tail", Payload=json.dumps(request(self.model, version, row)).encode()
        )
        payload = json.loads(invoked["Payload"].read())
        passed = _duration(invoked) or (time.perf_counter() - began) * 1e3
        if "FunctionError" in invoked:
            return Reply(CRASHED, passed)
        return reply(payload, passed)


def request(model: str, version: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The proxy event of a prediction of one row by one version."""
    return {
        "resource": PREDICT,
        "path": PREDICT.format(model=model, version=version),
        "httpMethod": "POST",
        "pathParameters": {"model": model, "version": version},
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"identity": {"userArn": REHEARSER}},
        "body": json.dumps([row]),
        "isBase64Encoded": False,
    }


def reply(response: Mapping[str, Any], milliseconds: float) -> Reply:
    """The answer in a proxy response."""
    document = json.loads(response["body"])
    if response["statusCode"] != 200:
        return Reply(document["error"]["code"], milliseconds)
    shares = document["probabilities"]
    return Reply("", milliseconds, document["predictions"][0], None if shares is None else shares[0])


def _duration(invoked: InvocationResponseTypeDef) -> float | None:
    """The milliseconds that Lambda says, where it says them."""
    found = DURATION.findall(base64.b64decode(invoked.get("LogResult", "")))
    return float(found[-1]) if found else None
