"""Pictures on this machine: packs folders to drop them, and sends files to predict them."""

from __future__ import annotations

import base64
import json
import tempfile
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropforge.client.api import JSON
from dropforge.client.batches import Batch
from dropforge.client.faults import Fault
from dropforge.contract.schema import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".jpe": "image/jpeg",
    ".jfif": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".gif": "image/gif",
}
"""The content type for each ending of a picture file."""

MOST_PICTURES = 64
"""Pictures per request, as many as the API allows."""
MOST_BYTES = 2_500_000
"""Bytes of the files in one request."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every entry in a zip, so that equal folders make equal zips."""


def is_picture(path: Path) -> bool:
    """Whether the ending of a path is that of a picture."""
    return path.suffix.lower() in CONTENT_TYPES


@dataclass(frozen=True)
class PictureBatch(Batch):
    """Some pictures; each row names its file. A single one is sent as it is, several as base64."""

    files: tuple[Path, ...] = ()

    def request(self) -> tuple[bytes, str]:
        """Body and content type of a request for these pictures."""
        if len(self.files) == 1:
            return _read(self.files[0]), CONTENT_TYPES[self.files[0].suffix.lower()]
        rows = [{IMAGE: base64.b64encode(_read(path)).decode("ascii")} for path in self.files]
        return json.dumps({"rows": rows}).encode(), JSON

    def part(self, start: int, end: int) -> Batch:
        """Some of the pictures."""
        return batch_of(self.files[start:end])


def batch_of(files: Sequence[Path]) -> PictureBatch:
    """These pictures as one batch."""
    return PictureBatch([{"file": str(path)} for path in files], files=tuple(files))


def of_pictures(paths: Sequence[Path]) -> Iterator[Batch]:
    """Batches small enough for one request each.

    Raises:
        Fault: a file that is not there, or no picture by its ending.
    """
    for path in paths:
        if not path.is_file():
            raise Fault(f"no such file: {path} (looked in {Path.cwd()})", "no_such_file", "file")
        if not is_picture(path):
            endings = ", ".join(CONTENT_TYPES)
            raise Fault(f"{path.name}: expected pictures ending in {endings}; convert it", "unknown_format", "file")
    taken: list[Path] = []
    size = 0
    for path in paths:
        more = path.stat().st_size
        if taken and (len(taken) == MOST_PICTURES or size + more > MOST_BYTES):
            yield batch_of(taken)
            taken, size = [], 0
        taken.append(path)
        size += more
    if taken:
        yield batch_of(taken)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise Fault(f"{path} cannot be read: {fault.strerror or fault}", "unreadable", "file") from fault


@contextmanager
def as_file(path: Path) -> Iterator[Path]:
    """Yields `path` itself or, for a folder of pictures, a temporary zip of it."""
    if not path.is_dir():
        yield path
        return
    files = sorted(each for each in path.rglob("*") if is_picture(each) and len(each.relative_to(path).parts) > 1)
    if not files:
        raise Fault(f"{path} is a folder without folders of pictures in it: expected one file of rows, or a folder "
                    "with one folder of pictures a class", "not_a_file", "file")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="dropforge-") as scratch:
        yield packed(path, files, Path(scratch) / f"{path.resolve().name}.zip")


def packed(folder: Path, files: Sequence[Path], target: Path) -> Path:
    """Writes the files into a zip, uncompressed because pictures are compressed; equal folders make equal zips."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH), _read(path))
    return target
