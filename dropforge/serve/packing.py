"""Compressed answers, for clients that say that they read them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.inference.http import Request, Response

LEAST = 32_768
"""Bytes of an answer from which on compressing it takes less time than a usual network needs for the rest."""

LEVEL = 1
"""The quickest, which makes numbers in JSON a third of their size."""


def packed(request: Request, response: Response) -> Response:
    """The response in gzip where it is long and the request's `Accept-Encoding` names gzip; otherwise itself."""
    if len(response.body) < LEAST or not wants_gzip(request.headers.get("accept-encoding", "")):
        return response
    packing = zlib.compressobj(LEVEL, wbits=16 + zlib.MAX_WBITS)
    body = packing.compress(response.body) + packing.flush()
    headers = {**response.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return response._replace(headers=headers, body=body)


def wants_gzip(accepted: str) -> bool:
    """Whether the header names gzip, and not with a weight of 0."""
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
