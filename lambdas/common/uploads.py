"""Streams an object to S3 in parts, with one part in memory. The object appears when it is complete, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from lambdas.common import aws

if TYPE_CHECKING:
    from types import TracebackType

PART_BYTES = 8 << 20
"""Size of a part; S3 takes up to 10,000 parts, each but the last of at least 5 MiB."""


class Upload:
    """A context manager: `with Upload(bucket, key) as upload: upload.write(…)`. After an exception there is no object.

    Afterwards `version` is the version id of the object, or None if the bucket keeps no versions.
    """

    def __init__(
        self, bucket: str, key: str, content_type: str = "application/octet-stream", part: int = PART_BYTES
    ) -> None:
        self._place: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._type, self._part = content_type, part
        self._buffer = bytearray()
        self._id = ""
        self._parts: list[Any] = []
        self.version: str | None = None

    def write(self, data: bytes) -> None:
        """Appends bytes to the object."""
        self._buffer += data
        while len(self._buffer) >= self._part:
            self._send(bytes(self._buffer[: self._part]))
            del self._buffer[: self._part]

    def _send(self, data: bytes) -> None:
        if not self._id:
            response = aws.s3().create_multipart_upload(**self._place, ContentType=self._type)
            self._id = response["UploadId"]
        number = len(self._parts) + 1
        sent = aws.s3().upload_part(**self._place, UploadId=self._id, PartNumber=number, Body=data)
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        if kind is not None:
            if self._id:
                aws.s3().abort_multipart_upload(**self._place, UploadId=self._id)
            return
        if not self._id:
            put = aws.s3().put_object(**self._place, Body=bytes(self._buffer), ContentType=self._type)
            self.version = put.get("VersionId")
            return
        if self._buffer:
            self._send(bytes(self._buffer))
        parts: Any = {"Parts": self._parts}
        whole = aws.s3().complete_multipart_upload(**self._place, UploadId=self._id, MultipartUpload=parts)
        self.version = whole.get("VersionId")
