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

    # For type checkers only: defining a protocol costs a cold start as much as a record.
    class Reader(Protocol):
        """The one method of an S3 client that reads need."""

        def get_object(self, *, Bucket: str, Key: str) -> Any:
            """The object, a stream under `Body`."""


class ArtifactFault(ServiceError, RuntimeError):
    """A file is missing, or does not match its manifest."""


class Artifacts:
    """Reads and writes `runs/<run>/…`.

    Args:
        bucket: the bucket's name.
        reader: the client for reads; boto3's by default, which also does everything else.
    """

    def __init__(self, bucket: str, reader: Reader | None = None) -> None:
        self.bucket = bucket
        self.reader = reader

    def read(self, key: str) -> bytes:
        """The whole object.

        Raises:
            botocore.exceptions.ClientError: no such key, or no right to read it; a `reader` raises its own.
        """
        reader: Any = self.reader or aws.s3()
        body: bytes = reader.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def read_checked(self, key: str, sha256: str) -> bytes:
        """The whole object; `ArtifactFault` if its SHA-256 differs."""
        body = self.read(key)
        actual = hashlib.sha256(body).hexdigest()
        if actual != sha256:
            raise ArtifactFault(f"s3://{self.bucket}/{key}: expected SHA-256 {sha256}, got {actual}")
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
