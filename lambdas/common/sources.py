"""The dropped objects of one run in S3, each in exactly the version that was dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.contract.names import SUCCESS, check_file_name
from dropforge.contract.registry import PARTS, TrainingRun
from lambdas.common.aws import s3

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow
    from lambdas.common.registry import Registry


@dataclass(frozen=True)
class Source:
    """One object of the data; `name` is its name in the run's own folder."""

    bucket: str
    key: str
    version: str
    size: int
    name: str

    @property
    def at_version(self) -> dict[str, Any]:
        """The arguments that name this version; none in a bucket without versions."""
        return {"VersionId": self.version} if self.version else {}


def dropped(row: RunRow, drop: Drop) -> Source:
    """The object whose arrival started the run."""
    name = f"{drop.name}/{SUCCESS}" if drop.kind == "set" else drop.name
    return Source(row.bucket, row.key, row.object_version, row.size, name.replace("/", "_"))


def sources(row: RunRow, drop: Drop, registry: Registry) -> list[Source]:
    """The objects with the data: the dropped one, or the parts of a set sorted by name, without empty ones.

    The parts are those that Claim listed, in these versions; where it listed none, those that are there now.
    """
    if drop.kind != "set":
        return [dropped(row, drop)]
    prefix = row.key.removesuffix(SUCCESS)
    identity = row.identity if isinstance(row, TrainingRun) else ""
    if identity.startswith(PARTS):
        parts = [Part(*part) for part in registry.parts(row.run, identity)]
    else:
        parts = list_parts(row.bucket, prefix)
    return [
        Source(row.bucket, part.key, part.version, part.size, part.key.removeprefix(prefix).replace("/", "_"))
        for part in parts
    ]


class Part(NamedTuple):
    """One version of one part of a set."""

    key: str
    version: str
    size: int
    etag: str


def list_parts(bucket: str, prefix: str) -> list[Part]:
    """The newest versions of the parts under `prefix`, sorted by key, without empty ones; a thousand a request."""
    pages = s3().get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{prefix}part-")
    found = (each for page in pages for each in page.get("Versions", []) if each["IsLatest"] and each["Size"])
    return sorted(Part(each["Key"], each["VersionId"], each["Size"], each["ETag"].strip('"')) for each in found)


def fetch(source: Source, folder: Path) -> Path:
    """Downloads the object into `folder` under its own name; `NameFault` if that is too long for a file."""
    path = folder / check_file_name(source.name)
    s3().download_file(source.bucket, source.key, str(path), ExtraArgs=source.at_version)
    return path
