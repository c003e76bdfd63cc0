"""Errors of the SDK: a readable message of one line, with a code for programs."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore import exceptions as boto

from dropforge.contract.errors import CallerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired")
REFUSED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")
UNKNOWN_KEY = ("InvalidClientTokenId", "InvalidAccessKeyId", "UnrecognizedClientException", "SignatureDoesNotMatch")
NO_ANSWER = (boto.ConnectionError, boto.HTTPClientError)
"""boto3's connection errors, which have no common base class."""

LOG_IN = "log in again (`aws sso login`, or fresh keys)"


class Fault(CallerError, RuntimeError):
    """An error that the user can fix; the message says what happened, what was expected and what to do.

    Args:
        message: one readable line.
        code: a short name of the error that stays the same, such as `no_such_file`.
        field: the argument or field that caused it, if one did.
        row: number of the row that caused it, counted from 0 over all rows of the call, if one did.
        column: name of the column that caused it, if one did.

    Example:
        >>> try:
        ...     forge.drop("huses.csv")
        ... except Fault as fault:
        ...     print(fault.code, fault.message)
        no_such_file no such file: huses.csv (looked in ...)
    """

    def __init__(
        self, message: str, code: str, field: str | None = None, row: int | None = None, column: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
        self.row = row
        """Number of the row that is wrong, counted from 0 over all rows of the call; None for what is about no row."""
        self.column = column
        """Name of the column that is wrong; None for what is about no column."""

    def to_json(self) -> dict[str, Any]:
        """The error as the document that `--json` prints; places that are not known are left out."""
        document: dict[str, Any] = {"code": self.code, "message": self.message}
        places = {"field": self.field or None, "row": self.row, "column": self.column}
        return {"error": document | {name: value for name, value in places.items() if value is not None}}


class ApiFault(Fault):
    """An error response of the API.

    Args:
        status: the HTTP status, such as 404 or 422.
        code: a short name of the error, such as `not_found`.
        message: one readable line.
        field: the place in the request that caused it, such as `rows[3].price`, if one did.
        row: number of the row that caused it, if one did.
        column: name of the column that caused it, if one did.
        columns: names of all columns that are missing, or of all that the model does not know; `column` is the first.

    Example:
        >>> try:
        ...     forge.predict("houses", [{"rooms": "four"}])
        ... except ApiFault as fault:
        ...     print(fault.status, fault.field)
        422 rows[0].rooms
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        row: int | None = None,
        column: str | None = None,
        columns: Sequence[str] = (),
    ) -> None:
        super().__init__(message, code, field, row, column)
        self.status = status
        self.columns = tuple(columns)

    @classmethod
    def from_body(cls, status: int, error: Mapping[str, Any]) -> ApiFault:
        """The fault that the `error` of an API's response means.

        An API of before these fields gives no `row` and `column`; its `field` holds both.
        """
        field = None if error.get("field") is None else str(error["field"])
        row, column = (error["row"], error.get("column")) if "row" in error else _place_in(field)
        columns = error.get("columns") or ()
        return cls(status, str(error.get("code", "api")), str(error["message"]), field, row, column, columns)

    def after_rows(self, count: int) -> ApiFault:
        """The same fault with its row counted from the first of all rows, `count` rows before the request's own."""
        if self.row is None or count == 0:
            return self
        row = self.row + count
        field, message = (
            text and text.replace(f"rows[{self.row}]", f"rows[{row}]", 1) for text in (self.field, self.message)
        )
        return ApiFault(self.status, self.code, message or "", field, row, self.column, self.columns)


OLDER_FIELD = re.compile(r"rows\[(\d+)\](?:\.(.+))?", re.DOTALL)


def _place_in(field: str | None) -> tuple[int | None, str | None]:
    """Row and column in a `field` of an older API; neither where it names no row."""
    found = OLDER_FIELD.fullmatch(field or "")
    return (int(found[1]), found[2]) if found else (None, None)


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
