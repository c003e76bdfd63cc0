"""Keeps web pages out: the server of a laptop answers programs on it, not the pages in its browser.

Without it a page anywhere could send requests to 127.0.0.1, and MiniStack, which asks for no signature in plain mode
and allows every origin, would create and run functions for it. Browsers say where a request comes from in headers
that a page can neither set nor leave out; AWS's SDKs send none of them. A foreign `Host` is a name that somebody lets
point to this machine, to pass for its own origin (DNS rebinding).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropforge.contract.web import refusal

if TYPE_CHECKING:
    from collections.abc import Iterable


def guarded(application: Any) -> Any:
    """Wraps the application; requests from a web page, or with a foreign host name, get a 403."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reason = "" if scope["type"] == "lifespan" else refusal(sent_in(scope["headers"]))
        if reason and scope["type"] == "http":
            await _forbidden(reason, send)
        elif reason:
            await send({"type": "websocket.close", "code": 1008})
        else:
            await application(scope, receive, send)

    return app


def sent_in(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of a request as texts, names in lower case."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


async def _forbidden(reason: str, send: Any) -> None:
    body = json.dumps({"message": f"the embedded cloud does not answer: {reason}"}).encode()
    kind = (b"content-type", b"application/json")
    await send({"type": "http.response.start", "status": 403, "headers": [kind]})
    await send({"type": "http.response.body", "body": body})
