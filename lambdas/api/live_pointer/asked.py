"""What a request to move the live pointer names, read and checked; what the caller can mend is `Refused`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeVar

from dropforge.contract.documents import DocumentError, Record, fields
from dropforge.contract.errors import CallerError
from dropforge.contract.models import NUMBER
from dropforge.contract.names import MODEL_NAME
from dropforge.contract.nearest import did_you_mean
from dropforge.inference.http import error
from lambdas.common.registry import ATTEMPTS, RegistryFault

if TYPE_CHECKING:
    from dropforge.contract.registry import VersionRow
    from dropforge.inference.http import Request
    from lambdas.common.registry import Registry

R = TypeVar("R", bound=Record)

MOST_READ, MOST_NAMED = 100, 20
"""Versions: those among which a refusal looks for approved ones, and those that it names."""

MOST_BECAUSE = 400
"""Characters of a reason for the history."""


class Refused(CallerError):
    """What the caller can mend."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.response = error(status, code, message, field)


def model_in(request: Request) -> str:
    """The model of the path; `Refused` for what no model can be named."""
    name = request.path["model"]
    if not MODEL_NAME.fullmatch(name):
        raise Refused(404, "not_found", f"model {name[:80]!r}: there is none; GET /models lists what serves")
    return name


def approved(model: str, version: str, registry: Registry) -> VersionRow:
    """The version; `Refused` when it may not serve."""
    row = registry.version(model, version) if re.fullmatch(NUMBER, version) else None
    if row is None or row.outcome != "approved":
        approved = [known.version for known in registry.versions(model, MOST_READ) if known.outcome == "approved"]
        listed = ", ".join(approved[:MOST_NAMED]) or "none of the newest is approved"
        message = f"model {model!r} version {version[:20]!r}: not approved, or not there; expected one of: {listed}"
        raise Refused(404, "no_such_version", message, "version")
    return row


def read_body(kind: type[R], request: Request, example: str, field: str) -> R:
    """The body as a record.

    Args:
        kind: the record.
        request: the request.
        example: a right body.
        field: what a refusal of the whole body names.

    Raises:
        Refused: 400, it is no such body.
    """
    known = [each.name for each in fields(kind)]
    try:
        body = json.loads(request.body or b"")
        unknown = [name for name in body if name not in known] if isinstance(body, dict) else []
        if unknown:
            hint = did_you_mean(str(unknown[0]), known)
            raise Refused(400, "wrong_shape", f"unknown key {unknown[0][:80]!r}; {hint}expected one of {known}", field)
        read = kind.from_json(body, "the body")
    except (ValueError, TypeError, RecursionError, DocumentError) as fault:
        said = f": {fault}" if isinstance(fault, DocumentError) else ""
        raise Refused(400, "wrong_shape", f"expected a body like {example}{said}"[:MOST_BECAUSE], field) from fault
    checked_because(getattr(read, "because", ""))
    return read


def checked_because(text: str) -> str:
    """The reason; `Refused` 400 where it is too long for the history."""
    if len(text) > MOST_BECAUSE:
        message = f"because: expected at most {MOST_BECAUSE} characters, got {len(text):,}"
        raise Refused(400, "wrong_shape", message, "because")
    return text


def busy(model: str) -> RegistryFault:
    """Others moved the pointer in every attempt."""
    return RegistryFault(f"live pointer of {model!r}: others moved it in each of {ATTEMPTS} attempts; ask again")
