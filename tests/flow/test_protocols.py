"""Clients that nobody here wrote, against the deployed API: binary bodies through API Gateway, there and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import tritonclient.http as triton
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

if TYPE_CHECKING:
    from dropforge.client import Dropforge

    from .conftest import Forged

COUNT = 20


def rows_of(forge: Dropforge, forged: Forged) -> list[dict[str, Any]]:
    """Rows that the model has never seen, the columns that it reads."""
    names = [each["name"] for each in forge.model(forged.name)["card"]["columns"]]
    return forged.unseen.select(names).head(COUNT).to_dicts()


def inputs(rows: list[dict[str, Any]]) -> list[Any]:
    """A tensor a column: texts as BYTES, numbers as FP64."""
    found = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        texts = any(isinstance(value, str) for value in values)
        gap: Any = "" if texts else np.nan
        array = np.array([[gap if value is None else value] for value in values], object if texts else np.float64)
        one = triton.InferInput(name, list(array.shape), "BYTES" if texts else "FP64")
        one.set_data_from_numpy(array)
        found.append(one)
    return found


def signed(forge: Dropforge, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
    """One request as `docs/protocols.md` shows it: with SigV4 around what the client made."""
    connection = forge.connection
    request = AWSRequest(method=method, url=f"{connection.api_url}{path}", data=body, headers=headers)
    SigV4Auth(connection.credentials(), "execute-api", connection.region).add_auth(request)
    pool = urllib3.PoolManager(ca_certs=connection.ca_bundle)
    return pool.request(method, request.url, body=body, headers=dict(request.headers))


def test_a_signed_request_of_triton_s_client(forge: Dropforge, forged: dict[str, Forged]) -> None:
    rows = rows_of(forge, forged["penguins"])
    expected = forge.predict("penguins", rows)
    body, length = triton.InferenceServerClient.generate_request_body(inputs(rows))
    headers = {"Inference-Header-Content-Length": str(length)}
    answer = signed(forge, "POST", "/v2/models/penguins/infer", body, headers)
    assert answer.status == 200, answer.data
    size = int(answer.headers["Inference-Header-Content-Length"])
    result = triton.InferenceServerClient.parse_response_body(answer.data, header_length=size)
    assert [each.decode() for each in result.as_numpy("prediction")[:, 0]] == expected.predictions
    assert expected.probabilities is not None
    shares = [list(row.values()) for row in expected.probabilities]
    assert result.as_numpy("probabilities").tolist() == shares


def test_invocations_of_sagemaker(forge: Dropforge, forged: dict[str, Forged]) -> None:
    rows = rows_of(forge, forged["cars"])
    expected = forge.predict("cars", rows).predictions
    body = json.dumps({"instances": [list(row.values()) for row in rows]}, default=str).encode()
    answer = signed(forge, "POST", "/models/cars/invocations", body, {"Content-Type": "application/json"})
    assert answer.status == 200, answer.data
    assert [each["score"] for each in json.loads(answer.data)["predictions"]] == expected
    assert signed(forge, "GET", "/models/cars/ping", b"", {}).status == 200
