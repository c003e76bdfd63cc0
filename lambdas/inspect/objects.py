"""The objects of one run in S3: found, fetched, copied, quarantined, each in the very version that was dropped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.contract.names import SUCCESS, set_prefix
from lambdas.shared.aws import s3

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.contract.names import Drop
    from dropforge.contract.registry import RunRow


@dataclass(frozen=True)
class Source:
    """One object of the data set; `name` is what it is called in the run's own folder."""

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


def target_wish(source: Source) -> str | None:
    """The target that the object's own metadata names: what `dropforge drop --target` writes."""
    head = s3().head_object(Bucket=source.bucket, Key=source.key, **source.at_version)
    return head["Metadata"].get("target") or None


def sources(row: RunRow, drop: Drop) -> list[Source]:
    """The data themselves: the object, or for a set its parts in the order of their names, empty ones left out."""
    if drop.kind != "set":
        return [dropped(row, drop)]
    prefix = set_prefix(drop.model, drop.name)
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=row.bucket, Prefix=f"{prefix}part-")
    keys = [item["Key"] for page in pages for item in page.get("Contents", []) if item["Size"]]
    return [_latest(row.bucket, key, key.removeprefix(prefix)) for key in sorted(keys)]


def _latest(bucket: str, key: str, name: str) -> Source:
    head = s3().head_object(Bucket=bucket, Key=key)
    return Source(bucket, key, head.get("VersionId", ""), head["ContentLength"], name.replace("/", "_"))


def read_optional(bucket: str, key: str) -> bytes | None:
    """The object's bytes, None when there is no such object."""
    try:
        body: bytes = s3().get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as fault:
        if fault.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return body


def fetch(source: Source, folder: Path) -> Path:
    """The object on disk, streamed, under its own name."""
    path = folder / source.name
    s3().download_file(source.bucket, source.key, str(path), ExtraArgs=source.at_version)
    return path


def copy_into(found: Sequence[Source], bucket: str, prefix: str) -> None:
    """Copies of these versions under `prefix`; tags are left behind, they would need rights of their own."""
    for source in found:
        origin: Any = {"Bucket": source.bucket, "Key": source.key, **source.at_version}
        s3().copy(origin, bucket, f"{prefix}{source.name}", ExtraArgs={"TaggingDirective": "REPLACE"})


def write_json(bucket: str, key: str, value: dict[str, Any]) -> None:
    """A small document, indented for people."""
    body = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).encode()
    s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
