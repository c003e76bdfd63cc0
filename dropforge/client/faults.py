"""Errors of the SDK: a readable message of one line, with a code for programs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as boto

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")
UNKNOWN_KEY = ("InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "SignatureDoesNotMatch")
NO_ANSWER = (boto.ConnectionError, boto.HTTPClientError)
"""boto3's connection errors, which have no common base class."""

LOG_IN = "log in again (`aws sso login`, or fresh keys)"


class Fault(RuntimeError):
    """An error that the user can fix; the message says what happened, what was expected and what to do.

    Args:
        message: one readable line.
        code: a short name of the error that stays the same, such as `no_such_file`.
        field: the argument or field that caused it, if one did.

    Example:
        >>> try:
        ...     forge.drop("huses.csv")
        ... except Fault as fault:
        ...     print(fault.code, fault.message)
        no_such_file no such file: huses.csv (looked in ...)
    """

    def __init__(self, message: str, code: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field

    def to_json(self) -> dict[str, Any]:
        """The error as the document that `--json` prints: `{"error": {"code", "message", "field"}}`."""
        about: dict[str, Any] = {"code": self.code, "message": self.message}
        return {"error": {**about, "field": self.field} if self.field else about}


class ApiFault(Fault):
    """An error response of the API.

    Args:
        status: the HTTP status, such as 404 or 422.
        code: a short name of the error, such as `not_found`.
        message: one readable line.
        field: the place in the request that caused it, such as `rows[3].price`, if one did.

    Example:
        >>> try:
        ...     forge.predict("houses", [{"rooms": "four"}])
        ... except ApiFault as fault:
        ...     print(fault.status, fault.field)
        422 rows[0].rooms
    """

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message, code, field)
        self.status = status


@contextmanager
def readable(doing: str, where: str) -> Iterator[None]:
    """Turns what boto3 raises while `doing` something at `where` into a `Fault`."""
    try:
        yield
    except S3UploadFailedError as fault:
        cause = fault.__context__
        if isinstance(cause, boto.BotoCoreError | boto.ClientError):
            raise translated(cause, doing, where) from fault
        raise Fault(f"{doing}: {fault}", "aws") from fault
    except (boto.BotoCoreError, boto.ClientError) as fault:
        raise translated(fault, doing, where) from fault


def translated(fault: Exception, doing: str, where: str) -> Fault:
    """The readable form of a fault of boto3."""
    if isinstance(fault, boto.ClientError):
        return _of_service(fault, doing, where)
    if isinstance(fault, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError):
        return Fault(f"{doing}: no usable AWS credentials ({fault}): set AWS_PROFILE, or {LOG_IN}", "no_credentials")
    if isinstance(fault, boto.TokenRetrievalError | boto.SSOError):
        return Fault(f"{doing}: the AWS login has expired ({fault}): {LOG_IN}", "expired_credentials")
    if isinstance(fault, NO_ANSWER):
        return Fault(f"{doing}: {where} does not answer ({fault})", "unreachable")
    return Fault(f"{doing}: {fault}", "aws")


def _of_service(fault: boto.ClientError, doing: str, where: str) -> Fault:
    error: dict[str, Any] = dict(fault.response.get("Error", {}))
    code, said = str(error.get("Code", "unknown")), str(error.get("Message", fault))
    if code in EXPIRED:
        return Fault(f"{doing}: the AWS credentials have expired: {LOG_IN}", "expired_credentials")
    if code in UNKNOWN_KEY:
        return Fault(f"{doing}: {where} does not know these credentials ({said}): {LOG_IN}", "wrong_credentials")
    if code in REFUSED:
        return Fault(f"{doing}: not permitted at {where} ({said}): ask for this permission", "forbidden")
    return Fault(f"{doing}: {where} answered {code}: {said}", "aws")
