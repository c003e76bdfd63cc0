"""The ASGI application: reads a body of bounded size, calls the handler, writes the response.

Requests that will probably be fast (`pace`) are handled on the event loop itself, because a thread costs up to as much
as the response. Others are handled in a thread, so that health probes and small requests do not wait for them
(decision 12); explanations have threads of their own (`explaining`).
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import cached_property
from http.client import OK
from itertools import count
from typing import TYPE_CHECKING, Any

from dropforge.contract.log import begin, log
from dropforge.inference.protocols.common import MOST_BYTES
from dropforge.serve.connections import Watch
from dropforge.serve.doors import Doors
from dropforge.serve.explaining import Explaining, Gone
from dropforge.serve.metrics import Metrics
from dropforge.serve.pace import Pace
from dropforge.serve.packing import packed
from dropforge.serve.refusals import refusal
from dropforge.serve.routes import ROUTES, reply, routed
from dropforge.serve.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from dropforge.inference.http import Request, Response
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

REQUEST_ID = re.compile(r"[A-Za-z0-9_.:/+=-]{1,128}")
"""An id of the caller's own, which the answer and the log repeat."""

HEALTH = ("/ping", "/v2/health/live", "/v2/health/ready")
"""Paths that are answered whatever else goes on."""


METRICS = "/metrics"


@dataclass(frozen=True)
class App:
    """The application that uvicorn calls for every request."""

    files: Files
    settings: Settings = field(default_factory=Settings)
    pace: Pace = field(default_factory=Pace)
    held: list[int] = field(default_factory=lambda: [0])
    """Bytes of all bodies that are held at the moment."""

    @cached_property
    def watch(self) -> Watch:
        """Who ends slow connections."""
        return Watch(self.settings)

    @cached_property
    def explaining(self) -> Explaining:
        """Who answers requests for explanations."""
        return Explaining(self.settings.most_explained)

    @cached_property
    def doors(self) -> Doors:
        """Who keeps out whom the settings do not allow."""
        return Doors(self.settings)

    @cached_property
    def metrics(self) -> Metrics:
        """What has been done."""
        return Metrics()

    @cached_property
    def threads(self) -> ThreadPoolExecutor:
        """Those of long predictions: one a processor, since each keeps one busy."""
        return ThreadPoolExecutor(os.cpu_count() or 1, "predict")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles one HTTP request; other protocols are not supported."""
        if scope["type"] != "http":
            raise NotImplementedError(f"expected http, got {scope['type']}")
        try:
            response = await self.answered(scope, receive)
        except Gone:
            return
        await sent(response, scope, send)

    async def for_health_alone(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handles a request on a connection beyond the limit."""
        if scope["path"] in HEALTH:
            await self(scope, receive, send)
            return
        message = "all connections are being answered: try again"
        response = refusal(scope["path"], 503, "busy", message, Retry_After="1", Connection="close")
        await sent(response, scope, send)

    async def answered(self, scope: Message, receive: Receive) -> Response:
        """The response; an unexpected error is logged by its type alone, because its text may contain values."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = headers.get("x-request-id", "")
        if not request_id or not REQUEST_ID.fullmatch(request_id):
            request_id = f"{PROCESS}-{next(NUMBERS)}"
        begin("Serve", request=request_id)
        path: str = scope["path"]
        request = routed(scope["method"], target(scope), headers, b"")
        body = Body(self.held, self.settings.most_body_bytes)
        start = time.perf_counter()
        try:
            response = self.doors.preflight(scope["method"], headers)
            response = response or self.doors.refused(path, headers)
            response = response or await body.read(receive, path)
            if response is None:
                start = time.perf_counter()
                response = await self.handled(request._replace(body=body.whole), path, receive)
        except Gone:
            raise
        except Exception as fault:
            log("fault", level="error", type=type(fault).__name__)
            message = "the server failed at this request; its log has the kind of fault"
            response = refusal(path, 500, "fault", message)
        finally:
            body.drop()
        self._count(request, response, time.perf_counter() - start)
        response = self.doors.shared(response, headers)
        return response._replace(headers={**response.headers, "X-Request-Id": request_id})

    async def handled(self, request: Request, path: str, receive: Receive) -> Response:
        """The response to a request whose body is here."""
        if request.resource == METRICS and request.method in ("GET", "HEAD"):
            return self.metrics.page(self.files)
        if "explain" in request.query:
            return await self.explaining.answer(lambda: self._reply(request), path, gone(receive))
        if self.pace.is_quick(request):
            return self._timed(request)
        return await asyncio.get_running_loop().run_in_executor(self.threads, copy_context().run, self._timed, request)

    def _reply(self, request: Request) -> Response:
        return packed(request, reply(request, self.files))

    def _timed(self, request: Request) -> Response:
        start = time.thread_time()  # what others do meanwhile says nothing about this request
        response = self._reply(request)
        if response.status == OK:
            self.pace.learn(request, time.thread_time() - start)
        return response

    def _count(self, request: Request, response: Response, seconds: float) -> None:
        route = request.resource if request.resource in ROUTES or request.resource == METRICS else "other"
        model = request.path.get("model", "")
        model = model if model in self.files.served else ""
        self.metrics.count(route, model, response.status, seconds)
        if self.settings.access_log:
            milliseconds, size = round(1000 * seconds, 3), len(response.body)
            log("request", model=model, method=request.method[:20], route=route, status=response.status,
                milliseconds=milliseconds, bytes=size)  # fmt: skip


class Body:
    """A request's body, as long as it is held."""

    def __init__(self, held: list[int], most: int) -> None:
        self.whole = b""
        self._held, self._most, self._own = held, most, 0

    async def read(self, receive: Receive, path: str) -> Response | None:
        """Reads the body; a response where it is refused.

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
            if size <= MOST_BYTES and self._hold(len(part)):
                parts.append(part)
            else:
                parts.clear()
                self.drop()
            if size > DRAINED or not message.get("more_body"):
                break
        if size > MOST_BYTES:
            reason = f"expected at most {MOST_BYTES} bytes, got {size}: send fewer rows"
            return refusal(path, 413, "too_large", reason, Connection="close")
        if self._own < size:
            return refusal(path, 503, "busy", "too many large requests at a time: try again", Retry_After="1")
        self.whole = parts[0] if len(parts) == 1 else b"".join(parts)
        return None

    def _hold(self, size: int) -> bool:
        if self._held[0] + size > self._most:
            return False
        self._held[0] += size
        self._own += size
        return True

    def drop(self) -> None:
        """Lets the body go."""
        self._held[0] -= self._own
        self._own = 0


async def gone(receive: Receive) -> None:
    """Waits until the client has disconnected; the body has been read."""
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)


async def sent(response: Response, scope: Message, send: Send) -> None:
    """Sends a response; one to HEAD without its body."""
    length = (b"content-length", str(len(response.body)).encode())
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})


def target(scope: Message) -> str:
    """The path and the query as they were sent."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
