"""Capture in Lambda: what is kept after the answer, and by which carrier."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from dropforge.inference.capture.buffer import FREE, Buffer

if TYPE_CHECKING:
    from dropforge.inference.capture.writer import Writer
    from lambdas.api.predict.extension import Extension

    class Carrier(Protocol):
        """Who calls the writer, and when."""

        def done(self) -> None:
            """An answer has been made."""

        def end(self) -> None:
            """The process is about to end."""


class Capturing:
    """The buffer of this process, and the carrier that empties it.

    Args:
        bucket: the artifact bucket.
        extension: of Lambda's Extensions API; None where the runtime has none, and the process is never frozen.
    """

    def __init__(self, bucket: str, extension: Extension | None) -> None:
        self.bucket = bucket
        self._extension = extension
        folder = f"{os.environ.get('TMPDIR', '/tmp')}/dropforge-captures/{bucket}"
        self.buffer = Buffer(folder) if extension is not None else Buffer(folder, FREE, FREE)

    @cached_property
    def writer(self) -> Writer:
        """Made after the first answer, like all that only it imports."""
        from dropforge.inference.capture.writer import Writer
        from lambdas.common.aws_client import clients

        def put(key: str, body: bytes, tags: str) -> None:
            clients.S3().put_object(Bucket=self.bucket, Key=key, Body=body, Tagging=tags)

        return Writer(self.buffer, put, salt=self.bucket)

    @cached_property
    def carrier(self) -> Carrier:
        """Made after the first answer."""
        if self._extension is not None:
            self._extension.serves(self.buffer, lambda: self.writer)
            return self._extension
        from dropforge.inference.capture.endings import on_end
        from dropforge.inference.capture.thread import ThreadCarrier

        carrier = ThreadCarrier(self.buffer, self.writer)
        on_end(carrier.end)
        return carrier
