"""The files of a run in the artifact bucket."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from dropforge.contract import names
from dropforge.contract.errors import ServiceError
from lambdas.common import aws

if TYPE_CHECKING:
    from typing import Protocol

    # Not when it runs: a protocol costs a cold start as much as a record.
    class Reader(Protocol):
        """The one read of S3's client."""

        def get_object(self, *, Bucket: str, Key: str) -> Any:
            """The object, a stream under `Body`."""


class ArtifactFault(ServiceError, RuntimeError):
    """A file that is not what its manifest says, or is not there."""


class Artifacts:
    """Reads and writes `runs/<run>/…`.

    Args:
        bucket: its name.
        reader: does the reads where it is given; everything else is boto3's.
    """

    def __init__(self, bucket: str, reader: Reader | None = None) -> None:
        self.bucket = bucket
        self.reader = reader

    def read(self, key: str) -> bytes:
        """The whole object.

        Raises:
            botocore.exceptions.ClientError: no such key, or no right; the reader's own where it is given.
        """
        reader: Any = self.reader or aws.s3()
        body: bytes = reader.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def read_checked(self, key: str, sha256: str) -> bytes:
        """The whole object, refused with `ArtifactFault` when its SHA-256 is another."""
        body = self.read(key)
        found = hashlib.sha256(body).hexdigest()
        if found != sha256:
            raise ArtifactFault(f"s3://{self.bucket}/{key}: expected SHA-256 {sha256}, got {found}")
        return body

    def read_json(self, key: str) -> Any:
        """The object as parsed JSON."""
        return json.loads(self.read(key))

    def write(self, key: str, body: bytes, content_type: str = "application/octet-stream") -> None:
        """Puts an object."""
        aws.s3().put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def write_json(self, key: str, value: Any) -> None:
        """Puts a JSON document."""
        self.write(key, json.dumps(value, indent=1).encode(), "application/json")

    def uri(self, run: str, name: str) -> str:
        """S3 URI of a run's file."""
        return f"s3://{self.bucket}/{names.RunFiles(run).key(name)}"
