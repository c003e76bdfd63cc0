"""HTTP/1.1 over a socket, as much of it as S3 and DynamoDB speak: `http.client` costs 25 ms to import."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ssl import SSLContext
    from typing import BinaryIO

CONNECT_SECONDS, READ_SECONDS = 3.0, 12.0
"""Of one connection, and of one wait for bytes: two tries and an answer fit into API Gateway's 29 seconds."""

LONGEST_LINE = 65_536
MOST_HEADERS = 100


class ConnectionFault(ConnectionError):
    """The other side cannot be reached, or what it says is not HTTP/1.1."""


class Answer(NamedTuple):
    """A whole answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Host:
    """One server, its connections kept open between requests; threads may share it.

    Args:
        url: `https://s3.eu-central-1.amazonaws.com`, without a path.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.idle: list[Connection] = []

    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request that may be sent twice: a connection that was idle may have been closed by the other side.

        Args:
            method: `GET` or `POST`.
            target: path and query, percent-encoded.
            headers: all but Content-Length; `Host` among them.
            body: sent with its length when there is one.

        Raises:
            ConnectionFault: no connection, or none that answers.
        """
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}"] if body or method == "POST" else []
        message = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
        while self.idle:
            try:
                return self._asked(self.idle.pop(), message)
            except OSError:
                continue
        try:
            return self._asked(Connection.to(self.url), message)
        except OSError as fault:
            raise ConnectionFault(f"{self.url}: {fault}") from fault

    def close(self) -> None:
        """Lets go of the connections that are kept open."""
        while self.idle:
            self.idle.pop().close()

    def _asked(self, connection: Connection, message: bytes) -> Answer:
        try:
            answer = connection.ask(message)
        except BaseException:
            connection.close()
            raise
        if answer.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self.idle.append(connection)
        return answer


class Connection:
    """One open connection."""

    def __init__(self, made: socket.socket) -> None:
        self.socket = made
        self.incoming: BinaryIO = made.makefile("rb")

    @classmethod
    def to(cls, url: str) -> Connection:
        """Connects; `OSError` when it cannot, also for a certificate that is not trusted."""
        parts = urlsplit(url)
        secure, host = parts.scheme == "https", parts.hostname or ""
        plain = socket.create_connection((host, parts.port or (443 if secure else 80)), CONNECT_SECONDS)
        try:
            plain.settimeout(READ_SECONDS)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made = trusted().wrap_socket(plain, server_hostname=host) if secure else plain
        except BaseException:
            plain.close()
            raise
        return cls(made)

    def ask(self, message: bytes) -> Answer:
        """Sends a request and reads its answer; `OSError` when either breaks off."""
        self.socket.sendall(message)
        status = self._line().split(b" ", 2)
        if len(status) < 2 or not status[0].startswith(b"HTTP/1.") or not status[1].isdigit():
            raise ConnectionFault(f"expected the status line of HTTP/1.1, got {status[0][:40]!r}")
        headers = dict(self._headers())
        return Answer(int(status[1]), headers, self._body(headers))

    def close(self) -> None:
        """Lets go of the socket."""
        self.incoming.close()
        self.socket.close()

    def _line(self) -> bytes:
        line = self.incoming.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ConnectionFault("the connection was closed amid an answer")
        return line.rstrip(b"\r\n")

    def _headers(self) -> Iterator[tuple[str, str]]:
        for _ in range(MOST_HEADERS):
            line = self._line()
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            yield name.strip().lower(), value.strip()
        raise ConnectionFault(f"expected at most {MOST_HEADERS} headers")

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
        found = self.incoming.read(size)
        if len(found) < size:
            raise ConnectionFault(f"expected {size} bytes, got {len(found)}: the connection was closed amid an answer")
        return found


_trusted: list[Any] = []


def trusted() -> SSLContext:
    """Checks certificates and names, against `AWS_CA_BUNDLE` where it is set, as the AWS SDKs do."""
    import ssl

    if not _trusted:
        _trusted.append(ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or None))
    found: SSLContext = _trusted[0]
    return found
