"""Who may ask: the names of this server, the pages of other origins, and tokens."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import TYPE_CHECKING

from dropforge.contract.web import refusal as of_page
from dropforge.inference.http import Response
from dropforge.serve.faults import ServeFault
from dropforge.serve.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dropforge.serve.settings import Settings

OPEN = ("/ping", "/v2/health/live", "/v2/health/ready")
"""Paths that need no token: a load balancer has none."""

FEWEST = 16
"""Characters of a token."""


class Doors:
    """Refuses requests that the settings do not allow."""

    def __init__(self, settings: Settings) -> None:
        self._hosts, self._origins = settings.hosts, settings.origins
        self._guarded = settings.loopback or bool(settings.hosts)
        self._tokens = tokens(Path(settings.token_file)) if settings.token_file else []

    def refused(self, path: str, sent: Mapping[str, str]) -> Response | None:
        """The refusal of a request; None if it may come in.

        Args:
            path: of the request.
            sent: its headers, names in lower case.
        """
        if self._guarded:
            reason = of_page(sent, self._hosts, self._origins)
            if reason:
                return refusal(path, 403, "forbidden", reason)
        if self._tokens and path not in OPEN:
            scheme, _, token = sent.get("authorization", "").partition(" ")
            given = token.strip().encode()
            known = [hmac.compare_digest(given, each) for each in self._tokens]  # all, so that the time tells nothing
            if scheme.lower() != "bearer" or not any(known):
                reason = "expected Authorization: Bearer and a token of this server"
                return refusal(path, 401, "unauthorized", reason, WWW_Authenticate="Bearer")
        return None

    def preflight(self, method: str, sent: Mapping[str, str]) -> Response | None:
        """The answer to a browser that asks what a page may send; None for every other request."""
        if method != "OPTIONS" or "access-control-request-method" not in sent or not self._allowed(sent):
            return None
        headers = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": sent.get("access-control-request-headers", "content-type")[:1000],
            "Access-Control-Max-Age": "600",
        }
        return Response(204, headers, b"")

    def shared(self, response: Response, sent: Mapping[str, str]) -> Response:
        """The response with the headers that let a page of an allowed origin read it."""
        if not self._origins or not self._allowed(sent):
            return response
        more = {
            "Access-Control-Allow-Origin": sent["origin"],
            "Access-Control-Expose-Headers": "x-request-id, inference-header-content-length",
            "Vary": "Origin",
        }
        return response._replace(headers={**response.headers, **more})

    def _allowed(self, sent: Mapping[str, str]) -> bool:
        origin = sent.get("origin", "")
        return bool(origin) and ("*" in self._origins or origin in self._origins)


def tokens(path: Path) -> list[bytes]:
    """The tokens of a file, one a line.

    Raises:
        ServeFault: it cannot be read, has no token, or a short one.
    """
    try:
        found = [line.strip().encode() for line in path.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeError) as fault:
        raise ServeFault(f"--token-file {path}: {fault}", "token_file") from fault
    if not found or min(map(len, found)) < FEWEST:
        raise ServeFault(
            f"--token-file {path}: expected a token of at least {FEWEST} characters on each line", "token_file"
        )
    return found
