"""An object written as it is made: in parts, of which one lies in memory; it appears when it is whole, or never."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from lambdas.common import aws

if TYPE_CHECKING:
    from types import TracebackType

PART = 8 << 20
"""Bytes of a part; S3 takes 10,000 of them, each but the last of 5 MiB at least."""


class Upload:
    """`with Upload(bucket, key) as upload: upload.write(…)`; an exception inside leaves nothing behind.

    Afterwards `version` is the version id of the object, None where the bucket keeps none.
    """

    def __init__(self, bucket: str, key: str, content_type: str = "application/octet-stream", part: int = PART) -> None:
        self._place: dict[str, Any] = {"Bucket": bucket, "Key": key}
        self._type, self._part = content_type, part
        self._held = bytearray()
        self._id = ""
        self._parts: list[Any] = []
        self.version: str | None = None

    def write(self, data: bytes) -> None:
        """Takes more bytes."""
        self._held += data
        while len(self._held) >= self._part:
            self._send(bytes(self._held[: self._part]))
            del self._held[: self._part]

    def _send(self, data: bytes) -> None:
        if not self._id:
            begun = aws.s3().create_multipart_upload(**self._place, ContentType=self._type)
            self._id = begun["UploadId"]
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
            put = aws.s3().put_object(**self._place, Body=bytes(self._held), ContentType=self._type)
            self.version = put.get("VersionId")
            return
        if self._held:
            self._send(bytes(self._held))
        parts: Any = {"Parts": self._parts}
        whole = aws.s3().complete_multipart_upload(**self._place, UploadId=self._id, MultipartUpload=parts)
        self.version = whole.get("VersionId")
