"""Reads and copies the S3 objects of one run, each in exactly the version that was dropped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.contract.names import spec_key
from lambdas.common.aws import s3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.registry import TrainingRun
    from lambdas.common.sources import Source


def metadata_of(source: Source) -> dict[str, str]:
    """The object's own metadata: options for this drop alone, such as `dropforge drop --target` writes."""
    head = s3().head_object(Bucket=source.bucket, Key=source.key, **source.at_version)
    return dict(head["Metadata"])


def read_spec(row: TrainingRun) -> bytes | None:
    """The spec.yaml that the data were claimed with, or None if there was none.

    If the version is not known, the newest is read.
    """
    if row.spec == "":
        return None
    at_version: Any = {"VersionId": row.spec} if row.spec else {}
    try:
        body: bytes = s3().get_object(Bucket=row.bucket, Key=spec_key(row.model), **at_version)["Body"].read()
    except ClientError as fault:
        if not row.spec and fault.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return body


def copy_into(sources: Sequence[Source], bucket: str, prefix: str, tags: str = "") -> None:
    """Copies these versions under `prefix`, with `tags` (`name=value`) instead of their own."""
    instead = {"TaggingDirective": "REPLACE", **({"Tagging": tags} if tags else {})}
    for source in sources:
        origin: Any = {"Bucket": source.bucket, "Key": source.key, **source.at_version}
        s3().copy(origin, bucket, f"{prefix}{source.name}", ExtraArgs=instead)


def write_json(bucket: str, key: str, value: dict[str, Any]) -> None:
    """Writes a small document, indented for people."""
    body = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).encode()
    s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
