"""The folder that an embedded cloud lives in: every path below it, named once."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Home:
    """`.dropforge/` of one embedded cloud; nothing of it is written anywhere else."""

    root: Path

    @property
    def connection(self) -> Path:
        """How to reach the cloud: what CLI and SDK read."""
        return self.root / "connection.json"

    @property
    def deployment(self) -> Path:
        """What was deployed last: digest of the sources and the stack's outputs."""
        return self.root / "deployment.json"

    @property
    def server_lock(self) -> Path:
        """Locked by the server while it lives; holds its pid, port and mode."""
        return self.root / "server.lock"

    @property
    def command_lock(self) -> Path:
        """Locked by `up` and `down`, so that two of them never run at once."""
        return self.root / "command.lock"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.root / "server.log"

    @property
    def state(self) -> Path:
        """The services' state, but for S3 bodies."""
        return self.root / "state"

    @property
    def objects(self) -> Path:
        """S3 bodies."""
        return self.root / "s3"

    @property
    def training(self) -> Path:
        """One folder a running training job; gone when the job ends."""
        return self.root / "training"

    @property
    def jobs(self) -> Path:
        """One description a training job that ever was: names are used once."""
        return self.root / "jobs"

    @property
    def tls(self) -> Path:
        """Certificate and key of strict mode."""
        return self.root / "tls"

    @property
    def cdk(self) -> Path:
        """The CDK CLI's own cache, the synthesized assembly, and what each of its commands said."""
        return self.root / "cdk"

    @property
    def temporary(self) -> Path:
        """The server's temporary folder: unpacked functions, mostly."""
        return self.root / "tmp"

    @property
    def cache(self) -> Path:
        """What training jobs may reuse and lose at any time (font caches and the like)."""
        return self.root / "cache"


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`, or None when there is no such file or it is not whole."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any], mode: int = 0o600) -> None:
    """Write `value` in one step, readable by its owner alone: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.touch(mode=mode)
    part.write_text(json.dumps(value, indent=2) + "\n")
    part.replace(path)
