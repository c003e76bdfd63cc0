"""A registry on the loopback that remembers manifests and forgets layers: what an engine pushes, without its gigabytes.

It answers the part of the OCI distribution API that a push uses.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from .serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Pushed:
    """What was pushed to the registry at `address` (host and port)."""

    address: str = ""
    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Media type and content by `repository:tag`."""
    blobs: set[str] = field(default_factory=set)
    """Digests of layers and configurations, whose content is not kept."""


@contextmanager
def registry() -> Iterator[Pushed]:
    """An empty registry."""
    pushed = Pushed()
    with serving(partial(Handler, pushed)) as url:
        pushed.address = url.removeprefix("http://")
        yield pushed


class Handler(BaseHTTPRequestHandler):
    """One connection of an engine."""

    protocol_version = "HTTP/1.1"

    def __init__(self, pushed: Pushed, *arguments: object) -> None:
        self._pushed = pushed
        super().__init__(*arguments)  # type: ignore[arg-type]

    def log_message(self, *_: object) -> None:
        """Logs nothing."""

    def do_GET(self) -> None:  # the base class's name
        """Answers that this is a registry."""
        self._answer(200 if self.path == "/v2/" else 404)

    def do_HEAD(self) -> None:
        """Answers whether a blob was pushed; every manifest is new."""
        self._answer(200 if self.path.rpartition("/")[2] in self._pushed.blobs else 404)

    def do_POST(self) -> None:
        """Begins an upload, or takes it whole."""
        self._body()
        self._finish() if "digest=" in self.path else self._answer(202, Location=f"{urlsplit(self.path).path}upload")

    def do_PATCH(self) -> None:
        """Takes a part of an upload."""
        size = self._body()
        self._answer(202, Location=self.path, Range=f"0-{max(size - 1, 0)}")

    def do_PUT(self) -> None:
        """Ends an upload, or takes a manifest."""
        if "/manifests/" not in self.path:
            self._body()
            return self._finish()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
        self._pushed.manifests[f"{name}:{tag}"] = (self.headers["Content-Type"], body)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        return self._answer(201, Location=self.path, **{"Docker-Content-Digest": digest})

    def _finish(self) -> None:
        (digest,) = parse_qs(urlsplit(self.path).query)["digest"]
        self._pushed.blobs.add(digest)
        self._answer(201, Location=self.path, **{"Docker-Content-Digest": digest})

    def _body(self) -> int:
        """Reads and forgets the request's body, whose size it returns."""
        size = 0
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline().split(b";")[0], 16):
                size += self._skip(length)
                self.rfile.readline()
            self.rfile.readline()
            return size
        return self._skip(int(self.headers.get("Content-Length") or 0))

    def _skip(self, length: int) -> int:
        left = length
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        return length

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {
            "Docker-Distribution-API-Version": "registry/2.0",
            "Content-Length": "0",
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
