"""Asks a server by `Predictor` of the SageMaker Python SDK; run by the Python that has it.

    python sagemaker_program.py http://127.0.0.1:8080 < rows.json

Reads `{"model": …, "columns": {name: [value, …]}}`, prints one JSON of what came back.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer, JSONLinesSerializer, JSONSerializer
from sagemaker.session import Session

REGION = "us-east-1"


def session(url: str) -> Session:
    """A session whose runtime is the server."""
    made = boto3.Session("any", "any", region_name=REGION)
    runtime = made.client("sagemaker-runtime", endpoint_url=url)
    return Session(made, sagemaker_client=made.client("sagemaker", endpoint_url=url), sagemaker_runtime_client=runtime)


def main(url: str, model: str, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """The answers by each serializer."""
    of = {"endpoint_name": model, "sagemaker_session": session(url)}
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    lines = [["" if value is None else value for value in row] for row in rows]
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    plain = Predictor(**of, serializer=JSONSerializer(), deserializer=JSONDeserializer())
    by_lines = Predictor(**of, serializer=JSONLinesSerializer(), deserializer=JSONDeserializer())
    try:
        plain.predict({"instances": [row[1:] for row in rows]})
        refusal = None
    except ClientError as fault:
        refusal = str(fault)
    return {
        "csv": Predictor(**of, serializer=CSVSerializer(), deserializer=CSVDeserializer()).predict(lines),
        "json": plain.predict({"instances": rows}),
        "json lines": by_lines.predict([{"features": row} for row in rows]),
        "records": plain.predict(records),
        "refusal": refusal,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(main(sys.argv[1], given["model"], given["columns"])))
