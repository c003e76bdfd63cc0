"""Checkpoints of a job, from which a killed one resumes: finished parts, and the state of unfinished ones.

SageMaker copies /opt/ml/checkpoints to S3 as it changes and brings it back when the job starts again on another
machine. A folder that another job left (with other data, spec, seed or code) is emptied before use.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SAVE_SECONDS = 45.0
"""Seconds between two saves of an unfinished part: the work that a kill may cost."""

IDENTITY_FILE = "job.json"
SPENT_FILE = "spent"
"""The file with the seconds of fitting, over all attempts of the job."""


@dataclass
class Checkpoints:
    """Named byte strings in a folder; without a folder nothing is kept and nothing is read."""

    folder: Path | None = None
    _saved: dict[str, float] = field(default_factory=dict)
    _opened: float = field(default_factory=lambda: time.monotonic())
    _before: float = 0.0

    @property
    def spent(self) -> float:
        """Seconds since the folder was opened, and those of earlier attempts until they last kept something."""
        return self._before + time.monotonic() - self._opened

    @classmethod
    def open(cls, folder: Path, identity: dict[str, Any]) -> Checkpoints:
        """The checkpoints of the job that `identity` describes; those of another are removed."""
        content = json.dumps(identity, sort_keys=True)
        path = folder / IDENTITY_FILE
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            folder.mkdir(parents=True, exist_ok=True)
            _empty(folder)
            path.write_text(content, encoding="utf-8")
        checkpoints = cls(folder)
        checkpoints._before = float(checkpoints.read(SPENT_FILE) or 0.0)
        return checkpoints

    @property
    def kept(self) -> int:
        """How many parts, finished or not, an attempt has left."""
        if self.folder is None:
            return 0
        own = {self.folder / IDENTITY_FILE, self.folder / SPENT_FILE}
        return sum(path.is_file() and path not in own for path in self.folder.rglob("*"))

    def read(self, name: str) -> bytes | None:
        """The content that was kept under `name`, or None."""
        path = None if self.folder is None else self.folder / name
        return path.read_bytes() if path is not None and path.is_file() else None

    def keep(self, name: str, content: bytes) -> None:
        """Keeps `content` whole or not at all: a kill in between leaves what was there before."""
        if self.folder is not None:
            _write(self.folder / name, content)
            _write(self.folder / SPENT_FILE, repr(self.spent).encode())

    def place(self, name: str) -> Path | None:
        """A folder for a library that keeps its own files, made when it is not there."""
        if self.folder is None:
            return None
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def drop(self, name: str) -> None:
        """Removes what was kept under `name`."""
        if self.folder is not None:
            (self.folder / name).unlink(missing_ok=True)

    def due(self, name: str) -> bool:
        """Whether the unfinished part called `name` should be saved now: every `SAVE_SECONDS`."""
        if self.folder is None:
            return False
        now = time.monotonic()
        last = self._saved.setdefault(name, now)
        if now - last < SAVE_SECONDS:
            return False
        self._saved[name] = now
        return True

    def clear(self) -> None:
        """Removes everything: the job is complete."""
        if self.folder is not None:
            _empty(self.folder)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")  # folds are side by side
    scratch.write_bytes(content)
    scratch.replace(path)


def _empty(folder: Path) -> None:
    """Removes what is in it, as far as it is there still: SageMaker puts marks beside files and takes them away."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
