"""Asks a server by kserve's `InferenceRESTClient`; run by the Python that has kserve.

    python kserve_program.py http://127.0.0.1:8080 < rows.json

Reads `{"model": …, "columns": {name: [value, …]}}`, prints one JSON of what came back.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput


def inputs(columns: dict[str, list[Any]], binary: bool) -> list[InferInput]:
    """A tensor a column: texts as BYTES, numbers as FP64."""
    found = []
    for name, values in columns.items():
        texts = any(isinstance(value, str) for value in values)
        made = [value or "" for value in values] if texts else [np.nan if value is None else value for value in values]
        array = np.array(made, object if texts else np.float64).reshape(-1, 1)
        one = InferInput(name, list(array.shape), "BYTES" if texts else "FP64")
        one.set_data_from_numpy(array, binary_data=binary)
        found.append(one)
    return found


def told(response: Any) -> dict[str, Any]:
    """The outputs as plain lists."""
    return {each.name: each.as_numpy().ravel().tolist() for each in response.outputs}


async def main(url: str, model: str, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """Everything that the client can do with protocol v2."""
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        wanted = [RequestedOutput("prediction", {"binary_data": True})]
        binary = InferRequest(model, inputs(columns, True), request_id="7", request_outputs=wanted)
        plain = InferRequest(model, inputs(columns, False), parameters={"binary_data_output": False})
        try:
            await client.infer(url, InferRequest(model, inputs(columns, True)[1:]), model_name=model)
            refusal = None
        except httpx.HTTPStatusError as fault:
            refusal = str(fault)
        return {
            "live": await client.is_server_live(url),
            "ready": await client.is_server_ready(url),
            "model_ready": await client.is_model_ready(url, model),
            "unknown_ready": await client.is_model_ready(url, "trees"),
            "binary": told(await client.infer(url, binary, model_name=model)),
            "json": told(await client.infer(url, plain, model_name=model)),
            "dict": told(await client.infer(url, plain.to_rest()[0], model_name=model)),
            "refusal": refusal,
        }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(asyncio.run(main(sys.argv[1], given["model"], given["columns"]))))
