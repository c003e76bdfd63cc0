"""Requests and responses, API Gateway's REST proxy events as both, and the one shape that errors have."""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, Any, NamedTuple

try:  # a hundred times as fast; Predict's package has it, and Catalog's, which takes no bodies, has not
    import pybase64 as base64
except ModuleNotFoundError:
    import base64  # type: ignore[no-redef]

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Request(NamedTuple):
    """What a function reads of a proxy event; header names are in lower case."""

    method: str
    resource: str
    """The route's template, such as `/models/{model}`."""
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes | None
    """None when the event calls it base64 and it is not."""
    caller: str = ""
    """The ARN of whoever signed it; empty where nobody did, as off AWS."""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Reads a proxy event; parts that API Gateway leaves null are empty."""
        resource, path = _template(event["resource"], event.get("pathParameters") or {})
        return cls(
            method=event["httpMethod"],
            resource=resource,
            path=path,
            query=event.get("queryStringParameters") or {},
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            body=_body(event.get("body") or "", encoded=bool(event.get("isBase64Encoded"))),
            caller=_caller(event),
        )

    @property
    def content_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


def _template(resource: str, path: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The route and its parameters; a route of a hot model has its name where all others have `{model}`."""
    before, models, after = resource.partition("/models/")
    if not models or after[:1] == "{":
        return resource, path
    name, slash, rest = after.partition("/")
    return f"{before}/models/{{model}}{slash}{rest}", {**path, "model": name}


def _caller(event: Mapping[str, Any]) -> str:
    """As API Gateway knows it, by the signature: no header of the request has a say."""
    identity: Mapping[str, Any] = (event.get("requestContext") or {}).get("identity") or {}
    return identity.get("userArn") or identity.get("caller") or ""


def _body(text: str, *, encoded: bool) -> bytes | None:
    if not encoded:
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


class Response(NamedTuple):
    """What a route answers, whatever carries it: a proxy response or an HTTP server."""

    status: int
    headers: dict[str, str]
    body: bytes
    binary: bool = False
    """Whether the body is other bytes than UTF-8 text."""

    def to_proxy(self) -> dict[str, Any]:
        """As API Gateway wants it of a function."""
        if self.binary:
            body = base64.b64encode(self.body).decode()
            return {"statusCode": self.status, "headers": self.headers, "body": body, "isBase64Encoded": True}
        return {"statusCode": self.status, "headers": self.headers, "body": self.body.decode()}


HEADERS = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}
"""Of every JSON answer."""


def answer(status: int, value: Any) -> Response:
    """A JSON response."""
    return Response(status, HEADERS, json.dumps(value, allow_nan=False).encode())


def error(
    status: int,
    code: str,
    message: str,
    field: str | None = None,
    row: int | None = None,
    column: str | None = None,
    columns: Sequence[str] = (),
) -> Response:
    """An error response. See `error_document`."""
    return answer(status, error_document(code, message, field, row, column, columns))


def error_document(
    code: str,
    message: str,
    field: str | None = None,
    row: int | None = None,
    column: str | None = None,
    columns: Sequence[str] = (),
) -> dict[str, Any]:
    """The document of an error.

    Args:
        code: what went wrong, for programs.
        message: the same for people, with what was expected.
        field: the place in the request, such as `rows[3].age`.
        row: number of the row in the request, counted from 0.
        column: name of the column.
        columns: names of all columns that are missing or unknown; a document about other things has none.
    """
    several = {"columns": list(columns)} if columns else {}
    return {"error": {"code": code, "message": message, "field": field, "row": row, "column": column, **several}}
