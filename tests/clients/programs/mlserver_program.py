"""Asks a server with requests that MLServer's codecs make, and reads the answers with them; run by MLServer's Python.

    python mlserver_program.py http://127.0.0.1:8080 < rows.json

Reads `{"model": …, "columns": {name: [value, …]}}`, prints one JSON of what came back.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from typing import Any

import numpy as np
import pandas as pd
from mlserver.codecs import NumpyCodec, PandasCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, MetadataModelResponse


def asked(url: str, request: InferenceRequest) -> InferenceResponse:
    """The response to a request."""
    body = request.model_dump_json().encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url}/infer", body)) as answer:
        return InferenceResponse.model_validate_json(answer.read())


def column(name: str, values: list[Any]) -> Any:
    """A tensor by the codec of its type."""
    if any(isinstance(value, str) for value in values):
        return StringCodec.encode_input(name, [value or "" for value in values], use_bytes=False)
    return NumpyCodec.encode_input(name, np.array([[np.nan if value is None else value] for value in values]))


def series(values: list[Any]) -> pd.Series:
    """A column: MLServer 1.7.1 knows neither gaps among texts nor the dtype that pandas 3 gives those."""
    if any(isinstance(value, str) for value in values):
        return pd.Series([value or "" for value in values], dtype=object)
    return pd.Series(values, dtype=float)


def main(base: str, model: str, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """By the codec of tables, and by those of single columns."""
    url = f"{base}/v2/models/{model}"
    with urllib.request.urlopen(url) as answer:
        metadata = MetadataModelResponse.model_validate_json(answer.read())
    rows = pd.DataFrame({name: series(each) for name, each in columns.items()})
    table = asked(url, PandasCodec.encode_request(rows, use_bytes=False))
    frame = PandasCodec.decode_response(table)
    single = asked(url, InferenceRequest(id="7", inputs=[column(*each) for each in columns.items()]))
    shares = NumpyCodec.decode_output(next(each for each in single.outputs if each.name == "probabilities"))
    return {
        "inputs": [each.name for each in metadata.inputs or []],
        "table": {str(name): frame[name].tolist() for name in frame},
        "id": single.id,
        "shares": shares.tolist(),
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(main(sys.argv[1], given["model"], given["columns"])))
