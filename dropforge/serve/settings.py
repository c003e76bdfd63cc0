"""What a server is told at its start, and its limits."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Settings:
    """The settings of one server; every worker of it has the same."""

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
