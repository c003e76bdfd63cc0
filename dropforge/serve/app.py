"""The ASGI application: reads a body of bounded size, calls the handler, writes the response.

Requests that will probably be fast (`pace`) are handled on the event loop itself, because a thread costs up to as much
as the response. Others, and those for explanations, are handled in a thread, so that health probes and small requests
do not wait for them (decision 12).
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from http.client import OK
from itertools import count
from typing import TYPE_CHECKING, Any

from dropforge.contract.log import begin, log
from dropforge.inference.http import Response, error
from dropforge.inference.protocols.common import MOST_BYTES
from dropforge.serve.pace import Pace
from dropforge.serve.routes import reply, routed, too_large

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from dropforge.inference.http import Request
    from dropforge.serve.store import Files

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

DRAINED = 4 * MOST_BYTES
"""Bytes of a refused body that are read and discarded, so that its sender gets to read the reason."""

PROCESS = os.urandom(4).hex()
"""Tells the request ids of this process from those of others and of earlier ones."""

NUMBERS = count(1)
"""Numbers of this process's requests."""


class Gone(Exception):
    """The client disconnected during its request."""


@dataclass(frozen=True)
class App:
    """The application that uvicorn calls for every request."""

    files: Files
    pace: Pace = field(default_factory=Pace)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles one HTTP request; other protocols are not supported."""
        if scope["type"] != "http":
            raise NotImplementedError(f"expected http, got {scope['type']}")
        try:
            response = await self.answered(scope, receive)
        except Gone:
            return
        length = (b"content-length", str(len(response.body)).encode())
        headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": [*headers, length]})
        body = b"" if scope["method"] == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    async def answered(self, scope: Message, receive: Receive) -> Response:
        """The response; an unexpected error is logged by its type alone, because its text may contain values."""
        begin("Serve", request=f"{PROCESS}-{next(NUMBERS)}")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body, size = await whole(receive)
        if size > MOST_BYTES:
            return _last(too_large(size))
        try:
            request = routed(scope["method"], target(scope), headers, body)
            if "explain" in request.query:
                return await asyncio.to_thread(reply, request, self.files)
            if self.pace.is_quick(request):
                return self._timed(request)
            return await asyncio.to_thread(self._timed, request)
        except Exception as fault:
            log("fault", level="error", type=type(fault).__name__)
            return error(500, "fault", "the server failed at this request; its log has the kind of fault")

    def _timed(self, request: Request) -> Response:
        start = time.perf_counter()
        response = reply(request, self.files)
        if response.status == OK:
            self.pace.learn(request, time.perf_counter() - start)
        return response


def target(scope: Message) -> str:
    """The path and the query as they were sent."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")


async def whole(receive: Receive) -> tuple[bytes, int]:
    """The body and its size; for a body that is too large only the size, which stops counting at `DRAINED`.

    Raises:
        Gone: the client disconnected.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size += len(part)
        if size > MOST_BYTES:
            parts.clear()
        else:
            parts.append(part)
        if size > DRAINED or not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts), size


def _last(response: Response) -> Response:
    """Adds a header that closes the connection, because the rest of the body is not read."""
    return Response(response.status, {**response.headers, "Connection": "close"}, response.body)
