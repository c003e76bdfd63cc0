"""The API module against a real server: signatures, retries, and every kind of fault."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dropforge.client import ApiFault, Fault
from dropforge.client.api import ATTEMPTS, Api
from tests.client.server import RUN, answer, run_row

if TYPE_CHECKING:
    from dropforge.client import Connection
    from tests.client.server import ApiServer, Asked


def patient(connection: Connection) -> tuple[Api, list[float]]:
    waits: list[float] = []
    return Api(connection, waits.append), waits


def signature(asked: Asked, url: str) -> str:
    """What SigV4 says the signature of this request is, from what came over the wire."""
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", "a-secret"), "execute-api", "eu-central-1")
    signed = asked.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: asked.headers[name] for name in signed if name != "host"}
    request = AWSRequest(method=asked.method, url=url, data=asked.body, headers=headers)
    request.context["timestamp"] = asked.headers["x-amz-date"]
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return str(auth.signature(text, request))


def test_every_request_is_signed_for_execute_api(api: ApiServer, connection: Connection) -> None:
    api.say("GET /live/runs", {"runs": []})
    api.say("POST /live/models/houses/predict", answer(1))
    Api(connection).runs(5, "houses")
    Api(connection).predict("houses", b'[{"rooms": 3}]')
    for asked, path in zip(api.asked, ("/live/runs?limit=5&model=houses", "/live/models/houses/predict"), strict=True):
        assert asked.path == path
        scope = f"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{asked.headers['x-amz-date'][:8]}/eu-central-1/execute-api/"
        assert asked.headers["authorization"].startswith(scope)
        assert asked.headers["authorization"].endswith(f"Signature={signature(asked, api.url + path)}")
    assert api.asked[1].headers["content-type"] == "application/json"
    assert api.asked[0].headers["user-agent"].startswith("dropforge/")


def test_a_blank_in_a_query_is_signed_as_the_service_reads_it(api: ApiServer, connection: Connection) -> None:
    api.say("POST /live/models/houses/predict", answer(1))
    Api(connection).predict("houses", b"[{}]", query={"explain": "true", "class": "very good"})
    (asked,) = api.asked
    assert asked.path == "/live/models/houses/predict?class=very%20good&explain=true"
    assert asked.headers["authorization"].endswith(f"Signature={signature(asked, api.url + asked.path)}")


def test_listings_are_read_to_their_end(api: ApiServer, connection: Connection) -> None:
    lines = [{"model": name} for name in "abc"]
    api.say("GET /live/models", {"models": lines[:2], "next": "b"}, {"models": lines[2:], "next": None})
    assert [line.to_json() for line in Api(connection).models()] == lines
    assert [asked.path for asked in api.asked] == ["/live/models", "/live/models?after=b"]
    api.asked.clear()
    api.say("GET /live/runs", {"runs": [{}] * 100, "next": "t1"}, {"runs": [{}] * 50, "next": "t2"})
    assert len(Api(connection).runs(150)) == 150
    assert [asked.path for asked in api.asked] == ["/live/runs?limit=100", "/live/runs?after=t1&limit=50"]


def test_a_session_token_travels_along(api: ApiServer, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token-1")
    api.say("GET /live/models", {"models": []})
    Api(connection).models()
    assert api.asked[0].headers["x-amz-security-token"] == "token-1"


def test_the_apis_own_words_and_field_arrive(api: ApiServer, connection: Connection) -> None:
    error = {"code": "wrong_type", "message": "rows[0].age: expected a number", "field": "rows[0].age"}
    api.say("POST /live/models/houses/predict", (422, {"error": error}))
    with pytest.raises(ApiFault) as caught:
        Api(connection).predict("houses", b"[{}]")
    fault = caught.value
    assert (fault.status, fault.code, fault.field) == (422, "wrong_type", "rows[0].age")
    assert fault.to_json() == {"error": {**error, "row": 0, "column": "age"}}


@pytest.mark.parametrize(
    ("status", "document", "code", "words"),
    [
        (403, {"message": "The security token included in the request is expired"}, "expired_credentials", "aws sso"),
        (403, {"message": "Signature expired: 2026 is now earlier than 2027"}, "expired_credentials", "clock"),
        (403, {"Message": "User: x is not authorized to perform: execute-api:Invoke"}, "forbidden", "not authorized"),
        (403, {}, "forbidden", "no reason given"),
        (404, b"<html>", "api", "404"),
        (400, {"message": None}, "api", "400"),
        (200, b"not json", "api", "200"),
        (200, ["a list"], "api", "200"),
    ],
)
def test_what_the_gateway_says_is_explained(
    api: ApiServer, connection: Connection, status: int, document: Any, code: str, words: str
) -> None:
    api.say("GET /live/models", (status, document))
    with pytest.raises(ApiFault, match=words) as caught:
        Api(connection).models()
    assert caught.value.code == code
    assert len(api.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_trouble_is_waited_out(api: ApiServer, connection: Connection, status: int) -> None:
    api.say("GET /live/models", (status, {"message": None}), (status, b""), {"models": [{"model": "houses"}]})
    asking, waits = patient(connection)
    assert [line.model for line in asking.models()] == ["houses"]
    assert len(waits) == 2
    assert 0 < waits[0] < waits[1] < 5


def test_a_lasting_trouble_is_told(api: ApiServer, connection: Connection) -> None:
    api.say("GET /live/models", (429, {"message": "Too Many Requests"}))
    asking, waits = patient(connection)
    with pytest.raises(ApiFault, match="too many requests"):
        asking.models()
    assert len(api.asked) == ATTEMPTS == len(waits) + 1


def test_a_model_that_cannot_serve_is_not_asked_again(api: ApiServer, connection: Connection) -> None:
    error = {"code": "no_healthy_model", "message": "model 'houses' cannot be served at the moment", "field": None}
    api.say("POST /live/models/houses/predict", (503, {"error": error}))
    with pytest.raises(ApiFault, match="cannot be served"):
        patient(connection)[0].predict("houses", b"[]")
    assert len(api.asked) == 1


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_answers(connection: Connection) -> None:
    url = f"http://127.0.0.1:{closed_port()}/live"
    with pytest.raises(Fault, match="cannot be reached") as caught:
        Api(replace(connection, api_url=url)).models()
    assert caught.value.code == "unreachable"
    embedded = replace(connection, api_url=url, home=Path("/somewhere/.dropforge"), access_key="a", secret_key="b")
    with pytest.raises(Fault, match="not running: start it with `dropforge up`"):
        Api(embedded).models()


def test_without_credentials_nothing_is_sent(
    api: ApiServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(Fault, match="no AWS credentials"):
        Api(connection).models()
    assert api.asked == []


@pytest.mark.parametrize("name", ["", "Houses", "a/b", "../runs", "-x", "a" * 64, "ä"])
def test_a_name_that_cannot_be_is_never_sent(api: ApiServer, connection: Connection, name: str) -> None:
    with pytest.raises(Fault, match="expected 1 to 63"):
        Api(connection).model(name)
    with pytest.raises(Fault, match="16 hex digits"):
        Api(connection).run(name)
    assert api.asked == []


def test_a_run_is_found_or_not(api: ApiServer, connection: Connection) -> None:
    asking = Api(connection)
    assert asking.find_run(RUN) is None
    api.say(f"GET /live/runs/{RUN}", run_row())
    assert asking.find_run(RUN) == run_row()
    api.say(f"GET /live/runs/{RUN}", (403, {"message": "no"}))
    with pytest.raises(ApiFault):
        asking.find_run(RUN)


def test_the_description_is_fetched(api: ApiServer, connection: Connection) -> None:
    api.say("GET /live/openapi.json", {"openapi": "3.1.0"})
    assert Api(connection).openapi() == {"openapi": "3.1.0"}
