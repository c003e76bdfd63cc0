"""boto3's client of `sagemaker-runtime`, pointed at `dropforge serve`: an endpoint is a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.serve.conftest import place_run, serving
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serve.conftest import Server


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    return boto3.client("sagemaker-runtime", endpoint_url=f"http://127.0.0.1:{server.port}", region_name="us-east-1")


def test_an_endpoint_is_a_model(server: Server, client: Any) -> None:
    rows = little("regression").rows(4)
    expected = server.predict("houses", rows).body["predictions"]
    lines = "\n".join(",".join("" if value is None else str(value) for value in row.values()) for row in rows)
    reply = client.invoke_endpoint(EndpointName="houses", ContentType="text/csv", Accept="text/csv", Body=lines)
    assert reply["ContentType"] == "text/csv"
    assert [float(line) for line in reply["Body"].read().decode().splitlines()] == expected
    body = json.dumps({"instances": [list(row.values()) for row in rows]})
    reply = client.invoke_endpoint(EndpointName="houses", ContentType="application/json", Body=body)
    assert [each["score"] for each in json.loads(reply["Body"].read())["predictions"]] == expected


def test_a_refusal_says_what_is_wrong(client: Any) -> None:
    with pytest.raises(ClientError, match=r"rows\[0\]: expected 5 values in the order x0, .*, got 2"):
        client.invoke_endpoint(EndpointName="flowers", ContentType="text/csv", Body="1,2")


def test_a_server_of_one_model_is_a_container(server: Server, tmp_path: Path) -> None:
    refused = server.ask("POST", "/invocations", b"[]")
    assert refused.status == 404 and "/models/flowers/invocations" in refused.body["error"]["message"]
    row = little("multiclass").rows(1)
    with serving(place_run(tmp_path, "multiclass")) as alone:
        assert alone.ask("GET", "/ping").status == 200
        reply = alone.ask("POST", "/invocations", json.dumps(row).encode(), content_type="application/json")
        expected = alone.predict("flowers", row).body["predictions"]
        assert [each["predicted_label"] for each in reply.body["predictions"]] == expected


def test_errors_of_the_server_itself_have_their_message(client: Any) -> None:
    with pytest.raises(ClientError) as large:
        client.invoke_endpoint(EndpointName="houses", ContentType="text/csv", Body=b"0" * 6_000_001)
    assert "at most 6000000 bytes" in large.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as bytes_alone:
        client.invoke_endpoint(EndpointName="houses", ContentType="application/octet-stream", Body=b"1,2")
    assert "model of a table" in bytes_alone.value.response["Error"]["Message"]
