"""Identity of dropped objects, from their metadata alone: a claim costs the same for a kilobyte and for 50 GB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from dropforge.contract.ids import digest
from dropforge.contract.names import set_prefix, spec_key, spellings
from dropforge.contract.registry import PARTS
from dropforge.contract.spec import REPLACE_KEY, UNPROVEN_KEY
from lambdas.common.aws import s3
from lambdas.common.sources import list_parts

if TYPE_CHECKING:
    from dropforge.contract.names import Drop
    from dropforge.contract.steps import ClaimInput
    from lambdas.common.registry import Registry

CHECKSUMS = ("ChecksumSHA256", "ChecksumCRC64NVME", "ChecksumCRC32C", "ChecksumCRC32", "ChecksumSHA1")
NOT_FOUND = ("404", "NoSuchKey", "NotFound")


def stored_key(bucket: str, key: str) -> str:
    """The spelling of `key` under which the bucket has an object; `key` itself if no spelling has one.

    EventBridge gives keys as they are. An emulator of AWS percent-encodes them, so that a key with a '%' may be another
    key's encoding. Listing takes no right beyond those that Claim has, for batches too.
    """
    if "%" not in key:
        return key
    return next((spelling for spelling in spellings(key) if _has(bucket, spelling)), key)


def _has(bucket: str, key: str) -> bool:
    listed = s3().list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)  # a key comes before all that it begins
    return any(item["Key"] == key for item in listed.get("Contents", []))


def identity(request: ClaimInput, drop: Drop, run: str, registry: Registry) -> str:
    """A text that is equal for equal data: S3's checksum of the object, or a digest over all parts of a set.

    The parts of a set are listed, and kept in the registry in the versions of this moment: what is claimed is trained.
    A listing has no checksums, so that parts are compared by their ETags.
    """
    if drop.kind != "set":
        return identity_of(head(request.bucket, request.key, request.version))
    parts = list_parts(request.bucket, set_prefix(drop.model, drop.name))
    content = f"{PARTS}{digest(*(f'{part.key}:{part.etag}-{part.size}' for part in parts))}"
    registry.put_parts(run, content, parts)
    return content


@dataclass(frozen=True)
class DropOptions:
    """The options of a drop: in the object's own metadata, and in the model's spec.yaml."""

    content: str
    """A digest that is equal for equal options."""
    spec: str | None
    """The version id of spec.yaml; empty if there is no spec.yaml, None if the bucket keeps no versions."""
    dropped: str
    """When S3 took the object, by S3's clock: UTC, ISO 8601."""


def drop_options(request: ClaimInput, drop: Drop) -> DropOptions:
    """The options that this drop is claimed with; later changes of spec.yaml do not affect it."""
    found = head(request.bucket, request.key, request.version)
    metadata, dropped = found["Metadata"], found["LastModified"].isoformat()
    target = metadata.get("target", "")
    # Only those that are set, so that drops from before these options existed keep their identity.
    more = [f"{key}={metadata[key]}" for key in (REPLACE_KEY, UNPROVEN_KEY) if metadata.get(key)]
    try:
        spec = head(request.bucket, spec_key(drop.model))
    except ClientError as fault:
        if fault.response["Error"]["Code"] not in NOT_FOUND:
            raise
        return DropOptions(digest(target, "", *more), "", dropped)
    return DropOptions(digest(target, identity_of(spec), *more), spec.get("VersionId"), dropped)


def head(bucket: str, key: str, version: str = "") -> dict[str, Any]:
    """HeadObject with checksums, of `version` or of the newest version."""
    at_version: Any = {"VersionId": version} if version else {}
    return dict(s3().head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", **at_version))


def identity_of(head: dict[str, Any]) -> str:
    """A checksum of the whole object if S3 has one; otherwise the ETag, which may differ for equal bytes."""
    whole = head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
    for name in CHECKSUMS:
        if whole and name in head:
            return f"{name.removeprefix('Checksum').lower()}-{head[name]}-{head['ContentLength']}"
    return f"etag-{head['ETag'].strip(chr(34))}-{head['ContentLength']}"
