"""The folder of an embedded cloud, with a name for every path below it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Home:
    """`.dropforge/` of one embedded cloud; it writes nowhere else."""

    root: Path

    @property
    def connection(self) -> Path:
        """How to reach the cloud; CLI and SDK read this file."""
        return self.root / "connection.json"

    @property
    def deployment(self) -> Path:
        """The last deployment: digest of the sources and the stack's outputs."""
        return self.root / "deployment.json"

    @property
    def server_lock(self) -> Path:
        """The server locks this file while it runs; it has the pid, port and mode."""
        return self.root / "server.lock"

    @property
    def command_lock(self) -> Path:
        """`up` and `down` lock this file, so that two of them never run at once."""
        return self.root / "command.lock"

    @property
    def log(self) -> Path:
        """The log of the server."""
        return self.root / "server.log"

    @property
    def state(self) -> Path:
        """The state of the services, without S3 bodies."""
        return self.root / "state"

    @property
    def objects(self) -> Path:
        """The bodies of S3 objects."""
        return self.root / "s3"

    @property
    def journal(self) -> Path:
        """S3's events that are not yet known to be delivered."""
        return self.root / "events.journal"

    @property
    def training(self) -> Path:
        """One folder per running training job, removed when the job ends."""
        return self.root / "training"

    @property
    def jobs(self) -> Path:
        """One description per training job that ever ran, because a name can be used only once."""
        return self.root / "jobs"

    @property
    def tls(self) -> Path:
        """The certificate and the key of strict mode."""
        return self.root / "tls"

    @property
    def secret(self) -> Path:
        """The secret of the root key; only the owner can read it."""
        return self.root / "secret"

    @property
    def cdk(self) -> Path:
        """The CDK CLI's cache, the synthesized assembly, and the log of each command."""
        return self.root / "cdk"

    @property
    def temporary(self) -> Path:
        """The server's temporary folder, mostly for unpacked functions."""
        return self.root / "tmp"

    @property
    def cache(self) -> Path:
        """A cache for training jobs, which may be deleted at any time (fonts, for example)."""
        return self.root / "cache"


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`; None if the file does not exist or is incomplete."""
    try:
        value = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, Any], mode: int = 0o600) -> None:
    """Write `value` atomically, readable by its owner only; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.touch(mode=mode)
    part.write_text(json.dumps(value, indent=2) + "\n")
    part.replace(path)
