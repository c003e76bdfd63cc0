"""What a server is told at its start, and its limits."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of Prometheus's library: the folder in which several workers count together."""


@dataclass(frozen=True)
class Settings:
    """The settings of one server; every worker of it has the same."""

    any_reload: bool = False
    """Whether a changed file may have another task, other columns or other classes."""
    repository: bool = False
    """Whether models may be loaded and unloaded by requests."""
    access_log: bool = False
    """Whether each request is logged."""
    loopback: bool = False
    """Whether the server listens on this machine alone, and so keeps web pages and foreign names out."""
    hosts: tuple[str, ...] = ()
    """Names that `Host` may have besides those of this machine; `*` for any."""
    origins: tuple[str, ...] = ()
    """Origins of web pages that may ask; `*` for any."""
    token_file: str | None = None
    """File of tokens, one of which every request needs; None for a server that asks for none."""
    certificate: str | None = None
    """File of the TLS certificate, and of those that vouch for it; None for a server without TLS."""
    key: str | None = None
    """File of its private key."""
    shadow: str | None = None
    """A model file, or a run's folder, that is asked the same rows after each answer; None for none."""
    silent_seconds: float = 30
    """How long a new connection may send nothing."""
    header_seconds: float = 20
    """From the first byte of a request to the end of its headers."""
    body_seconds: float = 60
    """From the end of a request's headers to the end of its body."""
    kept_seconds: int = 75
    """How long an idle connection stays open: longer than the minute for which load balancers usually reuse one."""
    most_header_bytes: int = 65_536
    """Of a request's line and headers together."""
    most_body_bytes: int = 256_000_000
    """Of all bodies that are held at a time."""
    most_connections: int = 4_096
    """Fewer where the system allows fewer files."""
    most_explained: int = 8
    """Requests for explanations that are worked on at a time."""

    def to_json(self) -> str:
        """As the environment of a worker has it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """The settings that were written so."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in json.loads(text).items() if name in known}
        found: dict[str, Any] = {name: tuple(each) if type(each) is list else each for name, each in values.items()}
        return cls(**found)
