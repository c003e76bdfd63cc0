"""A real HTTP server on 127.0.0.1 in the place of the API: answers what it is told to, remembers what it was asked."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

RUN = "run-0123456789abcdef"


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class ApiServer:
    """`answers` maps 'METHOD /path' to a list of (status, body): one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[Asked] = []
        handler = type("Bound", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> ApiServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def say(self, route: str, *answers: Any) -> None:
        """What `route` answers: documents (status 200), or (status, document) pairs."""
        self.answers[route] = [each if isinstance(each, tuple) else (200, each) for each in answers]

    def next(self, route: str) -> tuple[int, Any]:
        known = self.answers.get(route)
        if known is None:
            return 404, {"error": {"code": "not_found", "message": f"{route}: nothing here", "field": None}}
        return known.pop(0) if len(known) > 1 else known[0]


class _Handler(BaseHTTPRequestHandler):
    owner: ApiServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.asked.append(Asked(self.command, self.path, headers, body))
        method = "GET" if self.command == "HEAD" else self.command
        status, value = self.owner.next(f"{method} {urlsplit(self.path).path}")
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def run_row(**changes: Any) -> dict[str, Any]:
    """A run as the API shows it."""
    row = {
        "schema": "dropforge.run/1",
        "run": RUN,
        "model": "houses",
        "status": "promoted",
        "step": "Notify",
        "created": "2026-11-23T10:00:00Z",
        "updated": "2026-11-23T10:01:00Z",
        "execution": "arn:aws:states:us-east-1:000000000000:execution:pipeline:one",
        "bucket": "drops",
        "key": "datasets/houses/houses.csv",
        "object_version": "v1",
        "size": 2048,
        "identity": "crc32-abc-2048",
        "content": "c0ffee",
        "task": "regression",
        "target": "price",
        "version": "1",
        "metric": "rmse",
        "metrics": {"rmse": 0.5, "mae": 0.3},
        "baseline": {"rmse": 1.25, "mae": 0.9},
        "report": f"s3://artifacts/runs/{RUN}/report.html",
        "forecast": 0.06,
    }
    return {**row, **changes}


def answer(count: int, version: str = "1", probabilities: bool = False) -> dict[str, Any]:
    """A prediction document for `count` rows."""
    shares = [{"no": 0.25, "yes": 0.75}] * count if probabilities else None
    given = ["yes" if probabilities else float(at) for at in range(count)]
    ids = [f"p-{at}" for at in range(count)]
    return {
        "model": "houses",
        "version": version,
        "predictions": given,
        "probabilities": shares,
        "ids": ids,
        "recommendations": None,
    }
