"""Compressed bodies, decoded within the limit of a body. Imported for the first request that has one."""

from __future__ import annotations

import zlib

from dropforge.inference.faults import InputFault, short

EITHER = 32 + zlib.MAX_WBITS
"""Both headers, gzip's and zlib's, are recognized."""


def decoded(body: bytes, encoding: str, most: int) -> bytes:
    """The body behind its `Content-Encoding`.

    Args:
        body: as it came.
        encoding: gzip or deflate; identity or nothing for a body that is not compressed.
        most: bytes that it may have.

    Raises:
        InputFault: another encoding, a body that is not so encoded, or a larger one.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in ("gzip", "x-gzip", "deflate"):
        reason = f"expected gzip, deflate or identity, got {short(encoding)!r}"
        raise InputFault("content_encoding", reason, place="Content-Encoding")
    parts: list[bytes] = []
    left, size = body, 0
    try:
        while left:  # gzip may have several members
            unpacking = zlib.decompressobj(EITHER)
            parts.append(unpacking.decompress(left, most + 1 - size))
            size += len(parts[-1])
            if size > most:
                reason = f"expected at most {most} bytes once decompressed, got more: send fewer rows"
                raise InputFault("too_large", reason)
            if not unpacking.eof:
                raise zlib.error("incomplete")
            left = unpacking.unused_data
    except zlib.error as fault:
        message = f"expected {name} as the request calls its body, got {len(body)} other bytes: {fault}"[:300]
        raise InputFault("not_gzip", message, place="Content-Encoding") from fault
    return b"".join(parts)
