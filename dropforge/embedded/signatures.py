"""Strict mode: refuses every request that is not signed with the secret of the key that it names.

MiniStack verifies the signatures of users and roles, but accepts its root key with any secret, believes the hash of
the body that a request declares, and answers some paths of its own without a signature. All requests pass here first.
The temporary keys of functions, which it derives from their names alone, are derived from the root secret as well.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote

if TYPE_CHECKING:
    from collections.abc import Iterable

HEALTH = "/_ministack/health"
CAPABILITY = "/_ministack/cfn-response/"
"""Where functions of CloudFormation put their answers: the random end of the address is the permission, as on AWS."""
UNSIGNED_BODY = ("UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
"""What S3 accepts over TLS in place of a hash; the connection protects the body."""
SIGNED_STREAM = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
LONGEST_SECONDS = 7 * 24 * 3600
"""The longest life of a presigned address."""
ALGORITHM = "AWS4-HMAC-SHA256"


class Failure(NamedTuple):
    """Why a request is refused, in AWS's words."""

    code: str
    message: str


UNSIGNED = Failure("MissingAuthenticationToken", "Request is missing Authentication Token")
ALTERED = Failure("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match the body.")
UNKNOWN_FORM = Failure("UnsupportedSignature", f"expected one {ALGORITHM} signature, in the header or in the address")


@dataclass(frozen=True)
class Request:
    """A request as it arrived, without its body."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    @classmethod
    def of(cls, scope: Any) -> Request:
        """The request of an ASGI scope; a header that is sent twice has both values, joined by a comma."""
        headers: dict[str, str] = {}
        for name, value in _decoded(scope["headers"]):
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        path = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1")
        query = parse_qs(scope.get("query_string", b"").decode(), keep_blank_values=True)
        return cls(scope["method"], path, query, headers)

    @property
    def in_address(self) -> bool:
        """Whether the signature is in the address (a presigned request)."""
        return "authorization" not in self.headers

    @property
    def forms(self) -> int:
        """The number of ways in which the request names a key."""
        names = {name.lower() for name in self.query}
        return ("authorization" in self.headers) + ("x-amz-algorithm" in names) + ("awsaccesskeyid" in names)


def signed(application: Any) -> Any:
    """Wraps the application; a request without a valid signature gets a 403 in the form of its service."""
    derive_function_keys()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "lifespan" or _open(scope["method"], scope["path"]):
            await application(scope, receive, send)
            return
        request = Request.of(scope)
        claim = claimed(request)
        body = await _body(receive, keep=not isinstance(claim, Failure))
        failure = claim if isinstance(claim, Failure) else body_failure(request, claim, body)
        if failure is None:
            await application(scope, _again(body, receive), send)
        else:
            await _refuse(failure, request, scope["path"], send)

    return app


@dataclass(frozen=True)
class Claim:
    """Who a request says to have signed it, with the secret to verify that."""

    signature: Any
    secret: str


def claimed(request: Request) -> Claim | Failure:
    """The key that a request names, or why it cannot be accepted whatever its body is."""
    sigv4: Any = importlib.import_module("ministack.core.sigv4")
    router: Any = importlib.import_module("ministack.core.router")
    if request.forms == 0:
        return UNSIGNED
    if request.forms > 1 or not _algorithm(request).startswith(ALGORITHM):
        return UNKNOWN_FORM
    in_address = request.in_address
    parsed = sigv4.parse_query_signature(request.query) if in_address else sigv4.parse_header_signature(request.headers)
    if isinstance(parsed, tuple):
        return Failure(*parsed)
    if "host" not in parsed.signed_headers.split(";"):
        return UNKNOWN_FORM
    if router.extract_access_key_id(request.headers, request.query) != parsed.access_key_id:
        return UNKNOWN_FORM  # what follows would act for another key than the one that was verified
    late = _out_of_time(request, parsed, sigv4) if in_address else sigv4.request_time_failure(parsed)
    return Failure(*late) if late else _with_secret(request, parsed)


def body_failure(request: Request, claim: Claim, body: bytes) -> Failure | None:
    """Why the signature or the body cannot be accepted; None if both are as they were signed."""
    sigv4: Any = importlib.import_module("ministack.core.sigv4")
    failure = sigv4.header_signature_failure(
        claim.signature,
        claim.secret,
        request.method,
        request.path,
        request.query,
        request.headers,
        body,
        presigned=request.in_address,
    )
    if failure:
        return Failure(*failure)
    declared = request.headers.get("x-amz-content-sha256", "")
    of_s3 = claim.signature.service == "s3"
    if not declared or (of_s3 and (declared in UNSIGNED_BODY or declared.startswith(SIGNED_STREAM))):
        return None  # the signature covered the body, or the connection does
    return None if hmac.compare_digest(declared, hashlib.sha256(body).hexdigest()) else ALTERED


def derive_function_keys() -> None:
    """Derive the temporary keys of functions from the root secret too, so that nobody else can compute them."""
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    service: Any = importlib.import_module("ministack.services.lambda_svc")
    sessions: Any = importlib.import_module("ministack.services.sts")._sessions
    by_name = runtime.execution_credentials

    def by_secret(config: dict[str, Any]) -> dict[str, str]:
        known: dict[str, str] = by_name(config)
        secret = os.environ["AWS_SECRET_ACCESS_KEY"].encode()
        derived = {
            name: hmac.new(secret, f"{name}:{value}".encode(), hashlib.sha256).hexdigest()
            for name, value in known.items()
        }
        session = sessions[known["AWS_ACCESS_KEY_ID"]]
        session.update(SecretAccessKey=derived["AWS_SECRET_ACCESS_KEY"], SessionToken=derived["AWS_SESSION_TOKEN"])
        return {**derived, "AWS_ACCESS_KEY_ID": known["AWS_ACCESS_KEY_ID"]}

    runtime.execution_credentials = service.execution_credentials = by_secret


def _open(method: str, path: str) -> bool:
    return path == HEALTH or (method == "PUT" and path.startswith(CAPABILITY))


def _algorithm(request: Request) -> str:
    return request.headers.get("authorization", "") or next(iter(request.query.get("X-Amz-Algorithm", [])), "")


def _with_secret(request: Request, parsed: Any) -> Claim | Failure:
    evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
    responses: Any = importlib.import_module("ministack.core.responses")
    key = parsed.access_key_id
    try:
        owner = responses._account_from_sts_session(key) or evaluator.find_iam_access_key_account(key)
    except evaluator.AmbiguousAccessKeyError:
        return Failure("InvalidClientTokenId", "The security token included in the request is invalid.")
    if owner is None and key.isdigit():
        owner = key
    token = (
        next(iter(request.query.get("X-Amz-Security-Token", [])), "")
        if request.in_address
        else request.headers.get("x-amz-security-token", "")
    )
    credential = evaluator.resolve_credential(key, owner, token)
    if isinstance(credential, evaluator.CredentialResolutionError):
        return Failure(credential.code, credential.message)
    return Claim(parsed, credential.secret_access_key)


def _out_of_time(request: Request, parsed: Any, sigv4: Any) -> Failure | None:
    seconds = next(iter(request.query.get("X-Amz-Expires", [])), "")
    if not seconds.isdigit() or not 0 < int(seconds) <= LONGEST_SECONDS:
        return Failure("AuthorizationQueryParametersError", f"X-Amz-Expires: expected 1 to {LONGEST_SECONDS} s")
    try:
        expired = sigv4.presigned_request_is_expired(parsed.amz_date, seconds)
    except ValueError:
        return Failure("AuthorizationQueryParametersError", "X-Amz-Date: expected YYYYMMDDTHHMMSSZ")
    return Failure("AccessDenied", "Request has expired") if expired else None


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    sigv4: Any = importlib.import_module("ministack.core.sigv4")
    for name, value in headers:
        yield name.decode("latin-1").lower(), sigv4.decode_header_value(value)


async def _body(receive: Any, *, keep: bool) -> bytes:
    """The body; read to its end even if it is not kept, because a client that still sends loses the answer."""
    chunks, more = [], True
    while more:
        message = await receive()
        if keep:
            chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _again(body: bytes, receive: Any) -> Any:
    """A `receive` that begins with the body, which was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Any:
        return messages.pop() if messages else await receive()

    return again


async def _refuse(failure: Failure, request: Request, path: str, send: Any) -> None:
    router: Any = importlib.import_module("ministack.core.router")
    actions: Any = importlib.import_module("ministack.core.iam_actions")
    service = router.detect_service(request.method, path, request.headers, request.query)
    status, headers, body = actions.access_denied_response(
        service, "", "", "", error_code=failure.code, message=failure.message, headers=request.headers
    )
    lines = [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
