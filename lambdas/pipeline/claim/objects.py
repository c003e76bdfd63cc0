"""What S3 knows of the dropped objects, from their heads alone: a claim costs the same for a kilobyte and for 50 GB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.contract.ids import digest
from dropforge.contract.names import SUCCESS, set_prefix, spec_key
from dropforge.contract.spec import REPLACE_KEY, UNPROVEN_KEY
from lambdas.common.aws import s3

if TYPE_CHECKING:
    from dropforge.contract.names import Drop
    from dropforge.contract.steps import ClaimInput

CHECKSUMS = ("ChecksumSHA256", "ChecksumCRC64NVME", "ChecksumCRC32C", "ChecksumCRC32", "ChecksumSHA1")
NOT_FOUND = ("404", "NoSuchKey", "NotFound")


def identity(given: ClaimInput, drop: Drop) -> str:
    """What equal data have in common: S3's checksum of the object, or of all parts of a set."""
    if drop.kind != "set":
        return identity_of(head(given.bucket, given.key, given.version))
    prefix = set_prefix(drop.model, drop.name)
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=given.bucket, Prefix=prefix)
    keys = sorted(item["Key"] for page in pages for item in page.get("Contents", []))
    parts = [f"{key}:{identity_of(head(given.bucket, key))}" for key in keys if not key.endswith(SUCCESS)]
    return f"set-{digest(*parts)}"


@dataclass(frozen=True)
class Wishes:
    """What the owner asked for: in the object's own metadata, and in the model's spec.yaml, as they are now."""

    content: str
    """What equal wishes have in common."""
    spec: str | None
    """The version id of spec.yaml; empty where there is no spec.yaml, None where the bucket keeps no versions."""


def wishes(given: ClaimInput, drop: Drop) -> Wishes:
    """The wishes that this drop is claimed with, whatever spec.yaml says later."""
    metadata = head(given.bucket, given.key, given.version)["Metadata"]
    target = metadata.get("target", "")
    # Only where they are there: drops of before these wishes existed keep their identity.
    more = [f"{key}={metadata[key]}" for key in (REPLACE_KEY, UNPROVEN_KEY) if metadata.get(key)]
    try:
        spec = head(given.bucket, spec_key(drop.model))
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in NOT_FOUND:
            raise
        return Wishes(digest(target, "", *more), "")
    return Wishes(digest(target, identity_of(spec), *more), spec.get("VersionId"))


def head(bucket: str, key: str, version: str = "") -> dict[str, Any]:
    """HeadObject with checksums, of one version when it is named."""
    at_version: Any = {"VersionId": version} if version else {}
    return dict(s3().head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", **at_version))


def identity_of(found: dict[str, Any]) -> str:
    """A checksum of the whole object where S3 has one; the ETag, which may differ for equal bytes, where not."""
    whole = found.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    for name in CHECKSUMS:
        if whole and name in found:
            return f"{name.removeprefix('Checksum').lower()}-{found[name]}-{found['ContentLength']}"
    return f"etag-{found['ETag'].strip(chr(34))}-{found['ContentLength']}"
