"""AWS Signature Version 4 in headers, for S3 and DynamoDB.

Source: "Create a signed AWS API request", AWS Identity and Access Management User Guide.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "AWS4-HMAC-SHA256"


class Keys(NamedTuple):
    """The credentials that sign a request."""

    access: str
    secret: str
    token: str = ""
    """The session token, which every role has."""
    expires: float = float("inf")
    """Seconds since 1970."""


class Scope(NamedTuple):
    """The region and the service that a signature is valid for."""

    region: str
    service: str


def signed(
    method: str, target: str, headers: Mapping[str, str], body: bytes, keys: Keys, scope: Scope, at: float | None = None
) -> dict[str, str]:
    """Returns the headers with those that sign the request.

    Args:
        method: `GET` or `POST`.
        target: path and query as they are sent; names and values of the query sorted and percent-encoded.
        headers: all headers, including `Host`; all are signed.
        body: the body, which may be empty.
        keys: the role's credentials.
        scope: region and service.
        at: the time of the signature in seconds since 1970; now by default.
    """
    when = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    digest = hashlib.sha256(body).hexdigest()
    headers_sent = {**headers, "X-Amz-Date": when}
    if scope.service == "s3":
        headers_sent["X-Amz-Content-SHA256"] = digest
    if keys.token:
        headers_sent["X-Amz-Security-Token"] = keys.token
    low = {name.lower(): " ".join(value.split()) for name, value in headers_sent.items()}
    names = ";".join(sorted(low))
    path, _, query = target.partition("?")
    listed = "".join(f"{name}:{low[name]}\n" for name in sorted(low))
    request = "\n".join([method, path, query, listed, names, digest])
    place = f"{when[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join([ALGORITHM, when, place, hashlib.sha256(request.encode()).hexdigest()])
    signature = _mac(_key(keys.secret, when[:8], scope), text).hex()
    headers_sent["Authorization"] = (
        f"{ALGORITHM} Credential={keys.access}/{place}, SignedHeaders={names}, Signature={signature}"
    )
    return headers_sent


def _key(secret: str, day: str, scope: Scope) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, scope.region, scope.service, "aws4_request"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
