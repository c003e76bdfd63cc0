"""What the server itself refuses, before a route is asked: each in the shape that the path's protocol gives errors."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from dropforge.contract.log import log
from dropforge.inference.protocols.dispatch import protocol_of
from dropforge.inference.protocols.refusals import Refusal

if TYPE_CHECKING:
    from dropforge.inference.http import Response


def refusal(path: str, status: int, code: str, message: str, **headers: str) -> Response:
    """A refusal in the shape of the protocol that the path belongs to.

    Args:
        path: of the request, without its query; empty where it is not known.
        status: of HTTP.
        code: what is wrong, for programs.
        message: the same for people.
        headers: further ones, `_` in the place of `-`.
    """
    response = protocol_of(path).refused(Refusal(status, code, message))
    further = {name.replace("_", "-"): value for name, value in headers.items()}
    return response._replace(headers={**response.headers, **further})


def in_bytes(response: Response) -> bytes:
    """The response as it is sent on a connection that ends with it."""
    status = HTTPStatus(response.status)
    headers = {**response.headers, "Content-Length": str(len(response.body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.body


class Seldom:
    """A log line of each event at most once a second; the next one says how many were left out."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def log(self, event: str, **fields: object) -> None:
        """Logs the event as a warning, or counts it. See `dropforge.contract.log.log`."""
        now = time.monotonic()
        if now - self._last.get(event, -self._seconds) < self._seconds:
            self._left_out[event] = self._left_out.get(event, 0) + 1
            return
        self._last[event] = now
        more = self._left_out.pop(event, 0)
        log(event, level="warning", **fields, **({"more": more} if more else {}))
