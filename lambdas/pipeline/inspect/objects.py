"""The objects of one run in S3: read, copied, quarantined, each in the very version that was dropped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.contract.names import spec_key
from lambdas.common.aws import s3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.registry import RunRow
    from lambdas.common.sources import Source


def metadata_of(source: Source) -> dict[str, str]:
    """The object's own metadata, which hold wishes for this drop alone: what `dropforge drop --target` writes."""
    head = s3().head_object(Bucket=source.bucket, Key=source.key, **source.at_version)
    return dict(head["Metadata"])


def read_spec(row: RunRow) -> bytes | None:
    """The spec.yaml that the data were claimed with, None when there was none.

    Where the version is not known, it is the newest.
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


def copy_into(found: Sequence[Source], bucket: str, prefix: str) -> None:
    """Copies of these versions under `prefix`; tags are left behind, they would need rights of their own."""
    for source in found:
        origin: Any = {"Bucket": source.bucket, "Key": source.key, **source.at_version}
        s3().copy(origin, bucket, f"{prefix}{source.name}", ExtraArgs={"TaggingDirective": "REPLACE"})


def write_json(bucket: str, key: str, value: dict[str, Any]) -> None:
    """A small document, indented for people."""
    body = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).encode()
    s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
