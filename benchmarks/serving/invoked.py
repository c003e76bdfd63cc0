"""One row through Lambda's own runtime client: Predict, and a bare session, against a function that does nothing, one
call each in turn.

The client is `awslambdaric` in an environment of its own, which holds what the package holds and no boto3
(`install_peers.sh FOLDER awslambdaric`); the runtime API that it asks for events is a server of this module.
"""

from __future__ import annotations

import json
import os
import queue
import statistics
import subprocess
import threading
import time
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import Row
from benchmarks.serving.cold import MODEL, ROOT, cloud
from benchmarks.serving.contestants import python_of
from benchmarks.serving.model import rows as records

if TYPE_CHECKING:
    from collections.abc import Iterator

PEER = "awslambdaric"
CALLS, FIRST = 400, 20
"""Calls of each function that count, and those before them that do not."""
PATIENCE = 60.0
"""Seconds for one call: the first imports and loads."""


def rows(model: Path) -> list[Row]:
    """The ratios of medians; nothing where the client is not installed."""
    peers = Path(os.environ.get("DROPFORGE_PEERS", ""))
    if not python_of(peers, PEER).exists():
        return []
    body = model.read_bytes()
    with (
        cloud(body, sha256(body).hexdigest()) as environment,
        function("lambdas.api.predict.handler.handle", peers, environment) as ours,
        function("benchmarks.serving.peers.session_app.handle", peers, {**environment, "MODEL": str(model)}) as session,
        function("benchmarks.serving.peers.noop_app.handle", peers, environment) as nothing,
    ):
        event = proxy_event(records()[0])
        calls = [[each.invoke(event) for each in (ours, session, nothing)] for _ in range(CALLS + FIRST)][FIRST:]
    mine, graph, none = (statistics.median(each) for each in zip(*calls, strict=True))
    return [
        Row(f"1 row through awslambdaric{who} / a function that does nothing", seconds / none, "×", "lower", target,
            "ms of the other", 1e3 * none)
        for who, seconds, target in (("", mine, 1.3), (", session.run alone", graph, None))
    ]  # fmt: skip


def proxy_event(record: dict[str, float]) -> bytes:
    """A REST proxy event with one row."""
    return json.dumps(
        {
            "httpMethod": "POST",
            "resource": "/models/{model}/predict",
            "pathParameters": {"model": MODEL},
            "headers": {"content-type": "application/json"},
            "body": json.dumps([record]),
        }
    ).encode()


class RuntimeApi:
    """Lambda's runtime API for one function: gives it events, takes its answers, and the time between."""

    def __init__(self) -> None:
        self.events: queue.Queue[bytes] = queue.Queue()
        self.answers: queue.Queue[tuple[float, bytes]] = queue.Queue()
        self.given = 0.0
        handler = type("Bound", (_Handler,), {"api": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # functions are killed amid a wait
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, event: bytes) -> float:
        """Seconds from the event on the wire to the answer off it.

        Raises:
            RuntimeError: the function failed, or answered with a status other than 200.
        """
        self.events.put(event)
        seconds, body = self.answers.get(timeout=PATIENCE)
        if json.loads(body).get("statusCode") != 200:
            raise RuntimeError(f"expected an answer with status 200, got {body[:500]!r}")
        return seconds


class _Handler(BaseHTTPRequestHandler):
    api: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the whole answer in one packet

    def do_GET(self) -> None:
        """`invocation/next`: waits for an event."""
        body = self.api.events.get()
        arn = "arn:aws:lambda:us-east-1:123456789012:function:predict"
        headers = {"Aws-Request-Id": "1", "Invoked-Function-Arn": arn, "Deadline-Ms": str(int(time.time() + 30) * 1000)}
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(f"Lambda-Runtime-{name}", value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.api.given = time.perf_counter()
        self.wfile.write(body)

    def do_POST(self) -> None:
        """`invocation/1/response` or `…/error`."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.api.answers.put((time.perf_counter() - self.api.given, body))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def function(handler: str, peers: Path, environment: dict[str, str]) -> Iterator[RuntimeApi]:
    """A function as Lambda runs it, until the block ends."""
    api = RuntimeApi()
    host, port = api.server.server_address[:2]
    given = {**environment, "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769"}
    words = [str(python_of(peers, PEER)), "-m", "awslambdaric", handler]
    process = subprocess.Popen(words, cwd=ROOT, env=given, stdout=subprocess.DEVNULL)
    try:
        yield api
    finally:
        process.kill()
        process.wait()
        api.server.shutdown()
