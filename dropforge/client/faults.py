"""What goes wrong between a user and the cloud: one readable line each, with a code for programs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as boto

from dropforge.contract.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")
UNKNOWN_KEY = ("InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "SignatureDoesNotMatch")
NO_ANSWER = (boto.ConnectionError, boto.HTTPClientError)
"""boto3's faults of the way to a service, which have no common base."""

LOG_IN = "log in again (`aws sso login`, or fresh keys)"


class Fault(CallerError, RuntimeError):
    """Something that the user can mend; the message says what happened, what was expected and what to do."""

    def __init__(self, message: str, code: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field

    def to_json(self) -> dict[str, Any]:
        """The document that a program gets."""
        about: dict[str, Any] = {"code": self.code, "message": self.message}
        return {"error": {**about, "field": self.field} if self.field else about}


class ApiFault(Fault):
    """The API refused a request; `status` is the HTTP status, `field` the place in the request."""

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
