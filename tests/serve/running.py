"""A server in a thread of the test, with settings of the test's own, and raw connections to it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from dropforge.serve.server import _settings, bound
from tests.serve.conftest import Reply, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.serve.app import App


@contextmanager
def running(app: App) -> Iterator[int]:
    """The port of a server of this application, until the block ends."""
    with bound("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(app, **_settings(app.settings)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until(lambda: server.started)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def connected(port: int, sent: bytes = b"") -> socket.socket:
    """A connection on which so much has been sent."""
    made = socket.create_connection(("127.0.0.1", port), timeout=20)
    if sent:
        made.sendall(sent)
    return made


def heard(connection: socket.socket) -> bytes:
    """All that comes until the server ends the connection; empty if it ends it without a word."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    finally:
        connection.close()
    return b"".join(parts)


def parsed(answer: bytes) -> Reply:
    """A raw answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Reply(int(first.split()[1]), headers, json.loads(body) if body else None)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
    """One request on a connection of its own; the body of the answer is JSON, or text as it came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        text = response.read()
        found: Any = text
        if response.headers.get("content-type") == "application/json" and "content-encoding" not in response.headers:
            found = json.loads(text) if text else None
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, found)
    finally:
        connection.close()
