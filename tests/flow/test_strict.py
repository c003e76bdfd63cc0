"""What IAM and TLS keep out, in the strict run: DROPFORGE_STRICT=1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    from dropforge.client import Dropforge


def test_nobody_gets_in_unsigned(forge: Dropforge) -> None:
    pool = urllib3.PoolManager(ca_certs=forge.connection.ca_bundle)
    for path in ("models", "runs", "openapi.json"):
        assert pool.request("GET", f"{forge.connection.api_url}/{path}").status == 403


def test_everything_is_said_over_tls(forge: Dropforge) -> None:
    assert forge.connection.endpoint_url is not None
    assert forge.connection.endpoint_url.startswith("https://127.0.0.1")
    assert forge.connection.api_url.startswith("https://127.0.0.1")
