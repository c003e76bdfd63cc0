"""The number of a stream's last record, in a file of its process's disk: what a killed process had not written yet.

The next process on the same disk (Lambda starts one in the same sandbox after a crash or a time-out) finds the file
without its owner, and says where the stream ended, so that even its last records are missed by number.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

try:
    import fcntl
except ModuleNotFoundError:  # Windows: streams then have no such files
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

BETWEEN = "~"
"""Between the parts of a file's name; none of them has it."""


class Ended(NamedTuple):
    """A stream whose process is gone."""

    model: str
    version: str
    sandbox: str
    last: int
    path: str


class End:
    """The file of one stream; it is locked as long as its process lives."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    @classmethod
    def of(cls, folder: str, model: str, version: str, sandbox: str) -> End | None:
        """The file of a new stream; None where it cannot be made, as on a disk that nobody may write to."""
        if fcntl is None:
            return None
        try:
            os.makedirs(folder, 0o700, exist_ok=True)  # noqa: PTH103 - pathlib is another import of a cold start
            return cls(f"{folder}/{BETWEEN.join((model, version, sandbox))}")
        except OSError:
            return None

    def say(self, last: int) -> None:
        """Writes the number of the last record down."""
        os.pwrite(self._file, last.to_bytes(8, "little"), 0)

    def forget(self) -> None:
        """Removes the file: the stream's end has been told."""
        os.unlink(self.path)  # noqa: PTH108
        os.close(self._file)


def left(folder: str) -> Iterator[Ended]:
    """The streams whose processes are gone. Whoever has told of one removes its file."""
    if fcntl is None or not os.path.isdir(folder):  # noqa: PTH112
        return
    for name in sorted(os.listdir(folder)):  # noqa: PTH208
        parts, path = name.split(BETWEEN), f"{folder}/{name}"
        if len(parts) != 3:
            continue
        last = _unowned(path)
        if last:
            model, version, sandbox = parts
            yield Ended(model, version, sandbox, last, path)


def _unowned(path: str) -> int:
    """The number in a file that no process holds; 0 for one that is held, gone, or still empty."""
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        return 0
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return int.from_bytes(os.pread(file, 8, 0), "little")
    except OSError:
        return 0
    finally:
        os.close(file)
