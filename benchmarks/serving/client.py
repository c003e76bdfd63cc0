"""One keep-alive connection that sends bytes made beforehand, so that the client costs every contestant the same."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field


@dataclass
class Client:
    """A connection to 127.0.0.1; reopened when the server has closed it."""

    port: int
    connection: socket.socket | None = None
    rest: bytes = field(default=b"")

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer, which has a length or comes in chunks.

        Raises:
            OSError: no answer.
        """
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection.sendall(request)
        head = self._until(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        named = dict(line.split(b":", 1) for line in lines[1:] if b":" in line)
        body = self._chunks() if b"chunked" in named.get(b"transfer-encoding", b"") else self._take(
            int(named[b"content-length"]))  # fmt: skip
        if b"close" in named.get(b"connection", b""):
            self.close()
        return int(lines[0].split()[1]), body

    def close(self) -> None:
        """Ends the connection."""
        if self.connection is not None:
            self.connection.close()
        self.connection, self.rest = None, b""

    def _more(self) -> None:
        assert self.connection is not None
        got = self.connection.recv(1 << 18)
        if not got:
            raise ConnectionError("the server closed the connection amid an answer")
        self.rest += got

    def _until(self, mark: bytes) -> bytes:
        while mark not in self.rest:
            self._more()
        found, _, self.rest = self.rest.partition(mark)
        return found

    def _take(self, count: int) -> bytes:
        while len(self.rest) < count:
            self._more()
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._until(b"\r\n").split(b";")[0], 16):
            parts.append(self._take(size))
            self._until(b"\r\n")
        self._until(b"\r\n")
        return b"".join(parts)


def post(path: str, body: bytes, **headers: str) -> bytes:
    """The bytes of a request; `content_type="…"` becomes a header."""
    fields = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def seconds(client: Client, request: bytes, count: int) -> list[float]:
    """How long each of `count` answers took, after one that opens a connection: servers close those that idle.

    Raises:
        RuntimeError: an answer that is not 200.
    """
    found = []
    client.close()
    client.ask(request)
    for _ in range(count):
        start = time.perf_counter()
        status, body = client.ask(request)
        found.append(time.perf_counter() - start)
        if status != 200:
            raise RuntimeError(f"port {client.port}: expected 200, got {status}: {body[:300]!r}")
    return found
