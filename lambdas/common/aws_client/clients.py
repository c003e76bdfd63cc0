"""S3 and DynamoDB as Predict asks them, with the words of boto3."""

from __future__ import annotations

import json
import os
import re
import time
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

from lambdas.common.aws_client.connections import Answer, ConnectionFault, Host
from lambdas.common.aws_client.credentials import keys
from lambdas.common.aws_client.signing import Scope, signed

ATTEMPTS = 3
PASSING = (429, 500, 502, 503, 504)
THROTTLED = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "SlowDown")


class ServiceFault(RuntimeError):
    """The service refuses; `code` is its own word, such as `NoSuchKey`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


FAULTS = (ServiceFault, ConnectionFault)
"""All that these clients raise."""


def region() -> str:
    """The function's region.

    Raises:
        ConnectionFault: the environment names none.
    """
    found = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not found:
        raise ConnectionFault("no AWS region: expected AWS_REGION to be set")
    return found


def custom_endpoint(service: str) -> str | None:
    """Where the environment says that the service is; None for AWS's own place."""
    found = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    return found.rstrip("/") if found else None


def domain() -> str:
    """The partition's."""
    return "amazonaws.com.cn" if region().startswith("cn-") else "amazonaws.com"


_hosts: dict[str, Host] = {}


def host(url: str) -> Host:
    """One for every server, so that connections are found again."""
    return _hosts.setdefault(url, Host(url))


def forget() -> None:
    """Closes every connection: after a snapshot they would lead nowhere."""
    for each in _hosts.values():
        each.close()


class S3:
    """Reads objects."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """The object under `Body`.

        Raises:
            ServiceFault: no such key, or no right to read it.
            ConnectionFault: S3 cannot be reached.
        """
        elsewhere = custom_endpoint("s3")
        if elsewhere or "." in Bucket:  # a certificate's wildcard does not cover dots
            url, path = elsewhere or f"https://s3.{region()}.{domain()}", f"/{Bucket}/{quote(Key)}"
        else:
            url, path = f"https://{Bucket}.s3.{region()}.{domain()}", f"/{quote(Key)}"
        return {"Body": BytesIO(_asked("s3", "GET", url, path, {}).body)}


class DynamoDB:
    """Reads rows."""

    def get_item(self, **request: Any) -> dict[str, Any]:
        """`GetItem`. Raises as `S3.get_object` does."""
        return self._asked("GetItem", request)

    def query(self, **request: Any) -> dict[str, Any]:
        """`Query`, one page. Raises as `S3.get_object` does."""
        return self._asked("Query", request)

    def _asked(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        url = custom_endpoint("dynamodb") or f"https://dynamodb.{region()}.{domain()}"
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        answer = _asked("dynamodb", "POST", url, "/", headers, json.dumps(request).encode())
        found: dict[str, Any] = json.loads(answer.body)
        return found


def _asked(service: str, method: str, url: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    """The answer; what may pass is tried again."""
    attempt, given = 0, {"Host": urlsplit(url).netloc, **headers}
    while True:
        attempt += 1
        try:
            ready = signed(method, path, given, body, keys(), Scope(region(), service))
            answer = host(url).send(method, path, ready, body)
            if answer.status < 300:
                return answer
            fault = refusal(answer, f"{method} {url}{path}")
            if attempt == ATTEMPTS or (answer.status not in PASSING and fault.code not in THROTTLED):
                raise fault
        except ConnectionFault:
            if attempt == ATTEMPTS:
                raise
        time.sleep(0.05 * 2**attempt * (0.5 + os.urandom(1)[0] / 512))  # `random` would be another import


def refusal(answer: Answer, asked: str) -> ServiceFault:
    """What the service says, in DynamoDB's JSON or in S3's XML."""
    text = answer.body.decode("utf-8", "replace")
    code = re.search(r'"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"|<Code>([^<]+)</Code>', text)
    said = re.search(r'"[Mm]essage"\s*:\s*"([^"]*)"|<Message>([^<]+)</Message>', text)
    word = (code[1] or code[2]) if code else str(answer.status)
    return ServiceFault(word, f"{asked}: {(said[1] or said[2]) if said else f'status {answer.status}'}")
