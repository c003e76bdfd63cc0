"""No web page, and no name from outside, gets an answer from the embedded cloud."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from dropforge.contract.web import refusal

if TYPE_CHECKING:
    from tests.embedded.conftest import Cloud

PAGES = {
    "a page": {"Origin": "https://page.example"},
    "a page without an origin": {"Origin": "null"},
    "a form, an image, a link of a page": {"Sec-Fetch-Site": "cross-site"},
    "a page of another port here": {"Sec-Fetch-Site": "same-site"},
    "a page that the cloud itself served": {"Sec-Fetch-Site": "same-origin"},
    "a name that was let point here": {"Host": "page.example:4566"},
    "a name that only looks like ours": {"Host": "localhost.page.example"},
}


def asked(cloud: Cloud, method: str, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(f"{cloud.address.url}/", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read(), {name.lower(): value for name, value in fault.headers.items()}


@pytest.mark.parametrize("headers", PAGES.values(), ids=PAGES.keys())
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_and_foreign_names_are_refused(cloud: Cloud, headers: dict[str, str], method: str) -> None:
    status, body, sent = asked(cloud, method, headers)
    assert status == 403
    assert "the embedded cloud does not answer" in json.loads(body)["message"]
    assert not [name for name in sent if name.startswith("access-control")]


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost", "abc.execute-api.localhost:4566"])
def test_programs_are_answered_by_every_name_of_this_machine(cloud: Cloud, host: str) -> None:
    status, body, _ = asked(cloud, "GET", {"Host": host, "Sec-Fetch-Site": "none"})
    assert status != 403 and b"does not answer" not in body


def test_a_request_without_headers_is_a_program() -> None:
    assert refusal({}) == ""
