"""Clients of S3 and DynamoDB for Predict, with the interface of boto3's."""

from __future__ import annotations

import json
import os
import re
import time
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

from dropforge.contract.errors import ServiceError
from lambdas.common.aws_client.connections import ConnectionFault, Host, Response
from lambdas.common.aws_client.credentials import keys
from lambdas.common.aws_client.signing import Scope, signed

ATTEMPTS = 3
RETRIED_STATUSES = (429, 500, 502, 503, 504)
RETRIED_CODES = ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "SlowDown")


class ServiceFault(ServiceError, RuntimeError):
    """The service refused a request; `code` is its error code, such as `NoSuchKey`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


FAULTS = (ServiceFault, ConnectionFault)
"""Everything that these clients raise."""


def region() -> str:
    """The function's region.

    Raises:
        ConnectionFault: the environment does not name it.
    """
    name = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not name:
        raise ConnectionFault("no AWS region: expected AWS_REGION to be set")
    return name


def custom_endpoint(service: str) -> str | None:
    """The service's endpoint from the environment; None for AWS's own."""
    url = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or os.environ.get("AWS_ENDPOINT_URL")
    return url.rstrip("/") if url else None


def domain() -> str:
    """The domain of the region's partition."""
    return "amazonaws.com.cn" if region().startswith("cn-") else "amazonaws.com"


_hosts: dict[str, Host] = {}


def host(url: str) -> Host:
    """The host for a URL; there is one per server, so that connections are reused."""
    return _hosts.setdefault(url, Host(url))


def close_connections() -> None:
    """Closes every connection, because none survives a snapshot."""
    for known in _hosts.values():
        known.close()


class S3:
    """Reads objects, and writes small ones."""

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """The object under `Body`.

        Raises:
            ServiceFault: there is no such key, or no right to read it.
            ConnectionFault: S3 cannot be reached.
        """
        url, path = _place(Bucket, Key)
        return {"Body": BytesIO(_send("s3", "GET", url, path, {}).body)}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, Tagging: str = "") -> dict[str, Any]:
        """Writes an object, with tags as `name=value&name=value`. It is tried once, since a call may be about to end.

        Raises:
            ServiceFault: there is no right to write it.
            ConnectionFault: S3 cannot be reached.
        """
        url, path = _place(Bucket, Key)
        headers = {"X-Amz-Tagging": Tagging} if Tagging else {}
        response = _send("s3", "PUT", url, path, headers, Body, attempts=1)
        return {"ETag": response.headers.get("etag", "")}


class DynamoDB:
    """Reads rows."""

    def get_item(self, **request: Any) -> dict[str, Any]:
        """`GetItem`. Raises as `S3.get_object` does."""
        return self._send("GetItem", request)

    def query(self, **request: Any) -> dict[str, Any]:
        """`Query`, one page. Raises as `S3.get_object` does."""
        return self._send("Query", request)

    def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        url = custom_endpoint("dynamodb") or f"https://dynamodb.{region()}.{domain()}"
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"}
        response = _send("dynamodb", "POST", url, "/", headers, json.dumps(request).encode())
        result: dict[str, Any] = json.loads(response.body)
        return result


def _place(bucket: str, key: str) -> tuple[str, str]:
    """The host's URL and the path of an object."""
    endpoint = custom_endpoint("s3")
    if endpoint or "." in bucket:  # a certificate's wildcard does not cover dots
        return endpoint or f"https://s3.{region()}.{domain()}", f"/{bucket}/{quote(key)}"
    return f"https://{bucket}.s3.{region()}.{domain()}", f"/{quote(key)}"


def _send(
    service: str, method: str, url: str, path: str, headers: dict[str, str], body: bytes = b"", attempts: int = ATTEMPTS
) -> Response:
    """Signs and sends a request; temporary errors are retried."""
    attempt, unsigned = 0, {"Host": urlsplit(url).netloc, **headers}
    while True:
        attempt += 1
        try:
            headers_sent = signed(method, path, unsigned, body, keys(), Scope(region(), service))
            response = host(url).send(method, path, headers_sent, body)
            if response.status < 300:
                return response
            fault = service_fault(response, f"{method} {url}{path}")
            if attempt == attempts or (response.status not in RETRIED_STATUSES and fault.code not in RETRIED_CODES):
                raise fault
        except ConnectionFault:
            if attempt == attempts:
                raise
        time.sleep(0.05 * 2**attempt * (0.5 + os.urandom(1)[0] / 512))  # `random` would be another import


def service_fault(response: Response, request: str) -> ServiceFault:
    """The error in a response, which is JSON from DynamoDB and XML from S3."""
    text = response.body.decode("utf-8", "replace")
    code = re.search(r'"__type"\s*:\s*"(?:[^"#]*#)?([^"]+)"|<Code>([^<]+)</Code>', text)
    message = re.search(r'"[Mm]essage"\s*:\s*"([^"]*)"|<Message>([^<]+)</Message>', text)
    name = (code[1] or code[2]) if code else str(response.status)
    text = (message[1] or message[2]) if message else f"status {response.status}"
    return ServiceFault(name, f"{request}: {text}")
