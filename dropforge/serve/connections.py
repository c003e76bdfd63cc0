"""Connections with limits: uvicorn itself has none for headers, for slow senders, or for how many there are.

Every connection is in one of five phases. A watch ends those that have been in one for too long, once a second for all
of them, because a timer for each would cost more. Where no connection is left, the one that has waited longest for its
client is ended in favour of the new one, so that silent connections keep nobody out.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dropforge.serve.refusals import Seldom, in_bytes, refusal

if TYPE_CHECKING:
    import asyncio

    from dropforge.inference.http import Response
    from dropforge.serve.settings import Settings

SPARE = 16
"""Connections beyond the limit that are accepted for health probes, where all others are being answered."""

ACCEPTED_AT_ONCE = 100
"""Connections that asyncio accepts in one turn of its loop."""

TURNS = 4
"""Turns until the first of them is handed over, and another one may be closed for it: so many more files are open."""

FRAMING = 9
"""Bytes that chunked encoding may send for each byte of a body: chunks of one byte have five around it."""

SECONDS_TO_READ = 2.0
"""How long a refused client may read the reason."""


class Phase(Enum):
    """What a connection waits for."""

    SILENT = "its first byte"
    HEAD = "the end of the headers"
    BODY = "the end of the body"
    ANSWER = "the answer"
    KEPT = "the next request"
    REFUSED = "the client to read why"


class TooLong(Exception):
    """The headers have more bytes than are allowed."""


class Watch:
    """Ends the connections of one process that keep it waiting."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.most = min(settings.most_connections, affordable())
        self.seldom = Seldom()
        self.connections: set[Connection] = set()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._seconds = {
            Phase.SILENT: settings.silent_seconds,
            Phase.HEAD: settings.header_seconds,
            Phase.BODY: settings.body_seconds,
            Phase.KEPT: settings.kept_seconds + SECONDS_TO_READ,
            Phase.REFUSED: SECONDS_TO_READ,
        }

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begins with the first connection, on its event loop."""
        if self.loop is None:
            self.loop = loop
            loop.set_exception_handler(self.failed)
            loop.call_later(1.0, self.sweep)

    def enter(self, connection: Connection) -> None:
        """Takes a new connection in, and ends another one where there are too many."""
        self.start(connection.loop)
        self.connections.add(connection)
        if len(self.connections) <= self.most:
            return
        waiting = [one for one in self.connections if one.phase is not Phase.ANSWER and one is not connection]
        if waiting:
            longest = min(waiting, key=lambda one: one.since)
            self.seldom.log("connection ended to make room", phase=longest.phase.value, connections=self.most)
            longest.end()
        elif len(self.connections) > self.most + SPARE:
            connection.refuse(503, "busy", f"expected at most {self.most} connections: try again", Retry_After="1")
        else:
            connection.for_health_alone()

    def sweep(self) -> None:
        """Ends what has been in its phase for too long."""
        assert self.loop is not None
        now = self.loop.time()
        for connection in list(self.connections):
            allowed = self._seconds.get(connection.phase)
            if allowed is not None and now - connection.since > allowed:
                connection.late(allowed)
        self.loop.call_later(1.0, self.sweep)

    def failed(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Logs what asyncio reports, such as that the system has no more files, by its kind."""
        fault = context.get("exception")
        self.seldom.log("event loop", reason=str(context.get("message"))[:200], type=type(fault).__name__)


class Connection(HttpToolsProtocol):
    """A connection of uvicorn with limits; its application is an `App`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        application: Any = self.app
        self.watch: Watch = application.watch
        self.settings: Settings = self.watch.settings
        self.most_header_bytes = self.settings.most_header_bytes
        self.phase, self.since = Phase.SILENT, self.loop.time()
        self.in_headers, self.header_bytes, self.framing_bytes = True, 0, 0
        self.url = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self.watch.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.watch.connections.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser; a request with long headers, or none at all, is refused and the rest of it discarded."""
        if self.phase is Phase.REFUSED or self.parser is None:
            return
        self._unset_keepalive_if_required()
        if self.phase is Phase.SILENT or self.phase is Phase.KEPT:
            self.enter(Phase.HEAD)
            self.in_headers, self.header_bytes = True, 0
        before, in_body = self.header_bytes, self.phase is Phase.BODY
        try:
            self.parser.feed_data(data)
            if self.in_headers and before == self.header_bytes:  # a header of which no end has come yet
                self.count(len(data))
            if in_body:
                self.framing_bytes += len(data)
                self.check_framing()
        except httptools.HttpParserUpgrade:
            self.refuse(400, "upgrade", "expected HTTP/1.1 without an upgrade")
        except (httptools.HttpParserError, TooLong) as fault:
            if isinstance(fault, TooLong) or isinstance(fault.__context__, TooLong):
                most = self.settings.most_header_bytes
                self.refuse(431, "headers_too_large", f"expected at most {most} bytes of headers, got more")
            else:
                self.refuse(400, "not_http", "expected a request of HTTP/1.1")

    def count(self, size: int) -> None:
        """Adds to the bytes of the request's headers; raises `TooLong`."""
        self.header_bytes += size
        if self.header_bytes > self.settings.most_header_bytes:
            raise TooLong

    def check_framing(self) -> None:
        """Raises `TooLong` for trailers and extensions of chunks beyond the limit of headers: the parser keeps them."""
        if self.framing_bytes > self.settings.most_header_bytes:
            raise TooLong

    def enter(self, phase: Phase) -> None:
        """Begins a phase."""
        self.phase, self.since = phase, self.loop.time()

    def on_message_begin(self) -> None:
        """See `HttpToolsProtocol`."""
        super().on_message_begin()
        self.in_headers, self.header_bytes = True, 0

    def on_url(self, url: bytes) -> None:
        """See `HttpToolsProtocol`."""
        self.count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See `HttpToolsProtocol`."""
        self.header_bytes += len(name) + len(value) + 4
        if self.header_bytes > self.most_header_bytes:
            raise TooLong
        HttpToolsProtocol.on_header(self, name, value)  # every header of every request comes by

    def on_headers_complete(self) -> None:
        """See `HttpToolsProtocol`."""
        self.in_headers, self.framing_bytes = False, 0
        self.enter(Phase.BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """See `HttpToolsProtocol`."""
        self.framing_bytes -= FRAMING * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See `HttpToolsProtocol`."""
        self.phase = Phase.ANSWER
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See `HttpToolsProtocol`."""
        self.enter(Phase.ANSWER if self.pipeline else Phase.KEPT)
        super().on_response_complete()

    def late(self, allowed: float) -> None:
        """Ends the connection, with a reason where a request was begun and not answered."""
        if self.phase is Phase.HEAD or (self.phase is Phase.BODY and not self.cycle.response_started):
            self.refuse(408, "too_slow", f"expected {self.phase.value} within {allowed:.0f} seconds")
        else:
            self.end()

    def end(self) -> None:
        """Closes the connection at once."""
        self.transport.abort()
        self.watch.connections.discard(self)

    def refuse(self, status: int, code: str, message: str, **headers: str) -> None:
        """Answers in the place of the application. What else comes is discarded, so that the client gets to read it."""
        path = self.url.partition(b"?")[0].decode("latin-1")
        self.watch.seldom.log("refused", status=status, code=code)
        self.write(refusal(path, status, code, message, **headers))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.enter(Phase.REFUSED)

    def write(self, response: Response) -> None:
        """Sends a last response."""
        self.transport.write(in_bytes(response))
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def for_health_alone(self) -> None:
        """Answers health probes, and refuses everything else."""
        application: Any = self.app
        self.app = application.for_health_alone


def affordable() -> int:
    """How many connections this process can have: the system's limit of files, less those that it needs itself."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 1_000_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard or hard == resource.RLIM_INFINITY:
        wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65_536)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError):
            pass
    return max(16, soft - TURNS * ACCEPTED_AT_ONCE - 64)
