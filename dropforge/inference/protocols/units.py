"""Whose request it is: what a canary's share is of, so that nobody meets both versions by turns."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from dropforge.inference.documents import read
from dropforge.inference.faults import InputFault
from dropforge.inference.protocols.common import JSON, checked_body, media_type

if TYPE_CHECKING:
    from dropforge.inference.http import Request

HEADER = "header:"
"""How `by` begins where a header names the unit."""


def unit_of(request: Request, by: str) -> str:
    """The unit of a request.

    Args:
        request: it may have many rows: the first one's unit is that of all, since one version answers a request.
        by: a column, or `header:` and a header's name; empty for the caller's identity.

    Returns:
        What distinguishes the unit; empty for a request that does not say it. All such requests are one unit.
    """
    if not by:
        return request.caller
    if by.startswith(HEADER):
        return request.headers.get(by.removeprefix(HEADER).strip().lower(), "")
    try:
        value = first_value(request, by)
    except (InputFault, ValueError, LookupError, TypeError, AttributeError, StopIteration):
        return ""  # a request that no version can read: the protocol says what is wrong with it
    while isinstance(value, list):  # a tensor of several dimensions
        value = value[0] if value else None
    return "" if value is None else str(value)


def first_value(request: Request, column: str) -> Any:
    """The column's value in the first row of a body of any protocol. Raises what reading such a body raises."""
    body = checked_body(request)
    if media_type(request, body) not in ("", JSON):
        lines = csv.reader(io.StringIO(body.decode("utf-8-sig")))
        return dict(zip(next(lines), next(lines), strict=False))[column]
    value = read(body)
    if isinstance(value, dict) and "inputs" in value:
        return next(each["data"] for each in value["inputs"] if each["name"] == column)[0]
    if isinstance(value, dict) and "columns" in value:
        return value["columns"][column][0]
    rows = value if isinstance(value, list) else value[next(name for name in ("rows", "instances") if name in value)]
    return rows[0][column]
