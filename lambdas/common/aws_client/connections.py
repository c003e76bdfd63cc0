"""The parts of HTTP/1.1 that S3 and DynamoDB use, over a socket: `http.client` takes 25 ms to import."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from dropforge.contract.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ssl import SSLContext
    from typing import BinaryIO

CONNECT_SECONDS, READ_SECONDS = 3.0, 12.0
"""Timeouts of connecting and of reading: two attempts and a response fit into API Gateway's 29 seconds."""

MAX_LINE_BYTES = 65_536
MAX_HEADERS = 100


class ConnectionFault(ServiceError, ConnectionError):
    """The server cannot be reached, or its response is not HTTP/1.1."""


class Response(NamedTuple):
    """A complete response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Host:
    """One server, and the connections that are kept open between requests. Threads may share it.

    Args:
        url: `https://s3.eu-central-1.amazonaws.com`, without a path.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.idle: list[Connection] = []

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Response:
        """Sends one request; it may be sent twice, because the server may have closed an idle connection.

        Args:
            method: `GET`, `POST` or `PUT`.
            target: path and query, percent-encoded.
            headers: all headers but Content-Length, including `Host`.
            body: the body, sent with its length if there is one.

        Raises:
            ConnectionFault: the server cannot be reached or does not respond.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}"] if body or method in ("POST", "PUT") else []
        message = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        while self.idle:
            try:
                return self._exchange(self.idle.pop(), message)
            except OSError:
                continue
        try:
            return self._exchange(Connection.to(self.url), message)
        except OSError as fault:
            raise ConnectionFault(f"{self.url}: {fault}") from fault

    def close(self) -> None:
        """Closes the connections that are kept open."""
        while self.idle:
            self.idle.pop().close()

    def _exchange(self, connection: Connection, message: bytes) -> Response:
        try:
            response = connection.exchange(message)
        except BaseException:
            connection.close()
            raise
        if response.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self.idle.append(connection)
        return response


class Connection:
    """One open connection."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.incoming: BinaryIO = connected.makefile("rb")

    @classmethod
    def to(cls, url: str) -> Connection:
        """Connects; `OSError` if the server cannot be reached or its certificate is not trusted."""
        parts = urlsplit(url)
        secure, host = parts.scheme == "https", parts.hostname or ""
        plain = socket.create_connection((host, parts.port or (443 if secure else 80)), CONNECT_SECONDS)
        try:
            plain.settimeout(READ_SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected = trusted().wrap_socket(plain, server_hostname=host) if secure else plain
        except BaseException:
            plain.close()
            raise
        return cls(connected)

    def exchange(self, message: bytes) -> Response:
        """Sends a request and reads its response; `OSError` if the connection fails meanwhile."""
        self.socket.sendall(message)
        status = self._line().split(b" ", 2)
        if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].isdigit():
            raise ConnectionFault(f"expected the status line of HTTP/1.1, got {status[0][:40]!r}")
        headers = dict(self._headers())
        return Response(int(status[1]), headers, self._body(headers))

    def close(self) -> None:
        """Closes the socket."""
        self.incoming.close()
        self.socket.close()

    def _line(self) -> bytes:
        line = self.incoming.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise ConnectionFault("the connection was closed amid a response")
        return line.rstrip(b"\r\n")

    def _headers(self) -> Iterator[tuple[str, str]]:
        for _ in range(MAX_HEADERS):
            line = self._line()
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            yield name.strip().lower(), value.strip()
        raise ConnectionFault(f"expected at most {MAX_HEADERS} headers")

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self._exactly(int(headers.get("content-length", "0")))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line().partition(b";")[0], 16):
            yield self._exactly(size)
            self._line()
        while self._line():
            pass

    def _exactly(self, size: int) -> bytes:
        data = self.incoming.read(size)
        if len(data) < size:
            raise ConnectionFault(f"expected {size} bytes, got {len(data)}: the connection was closed amid a response")
        return data


_trusted: list[Any] = []


def trusted() -> SSLContext:
    """The TLS context. It checks certificates and names, against `AWS_CA_BUNDLE` if it is set, as the AWS SDKs do."""
    import ssl

    if not _trusted:
        _trusted.append(ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None))
    context: SSLContext = _trusted[0]
    return context
