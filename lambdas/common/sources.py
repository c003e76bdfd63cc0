"""The dropped objects of one run in S3, each in exactly the version that was dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropforge.contract.names import SUCCESS
from lambdas.common.aws import s3

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow


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


def sources(row: RunRow, drop: Drop) -> list[Source]:
    """The objects with the data: the dropped one, or the parts of a set sorted by name, without empty ones."""
    if drop.kind != "set":
        return [dropped(row, drop)]
    prefix = row.key.removesuffix(SUCCESS)
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=row.bucket, Prefix=f"{prefix}part-")
    keys = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Size"]]
    return [_latest(row.bucket, key, key.removeprefix(prefix)) for key in sorted(keys)]


def _latest(bucket: str, key: str, name: str) -> Source:
    head = s3().head_object(Bucket=bucket, Key=key)
    return Source(bucket, key, head.get("VersionId", ""), head["ContentLength"], name.replace("/", "_"))


def fetch(source: Source, folder: Path) -> Path:
    """Downloads the object into `folder` under its own name."""
    path = folder / source.name
    s3().download_file(source.bucket, source.key, str(path), ExtraArgs=source.at_version)
    return path
