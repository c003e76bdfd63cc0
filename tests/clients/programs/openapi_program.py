"""Generates a client from the server's document with openapi-python-client, and predicts with it; run by the tests."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

url, given = sys.argv[1], json.loads(sys.stdin.read())
folder = Path(tempfile.mkdtemp())
(folder / "document.json").write_text(httpx.get(f"{url}/openapi.json").text)
generator = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--path", "document.json"]
subprocess.run([*generator, "--output-path", "made"], cwd=folder, check=True, capture_output=True)
sys.path.insert(0, str(folder / "made"))

package = "dropforge_client"
client = importlib.import_module(package).Client(base_url=url)
models = importlib.import_module(f"{package}.models")
modules = sorted(path.stem for path in (folder / "made" / package / "api" / "default").glob("*.py"))
calls = {name: importlib.import_module(f"{package}.api.default.{name}") for name in modules if name != "__init__"}

columns, name = given["columns"], given["model"]
rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
records = [models.Row.from_dict(row) for row in rows]
by_column = models.RowsOfColumns.from_dict({"columns": columns})
kinds = {column: "BYTES" if column == "colour" else "FP64" for column in columns}
tensors = [
    {"name": column, "shape": [len(rows), 1], "datatype": kinds[column], "data": values}
    for column, values in columns.items()
]
asked = models.InferenceRequest.from_dict({"inputs": tensors})
instances = models.InstanceList.from_dict({"instances": [[*row.values()] for row in rows]})
refused = calls["predict"].sync(name, client=client, body=[models.Row.from_dict({})])

answer = {
    "operations": sorted(calls),
    "models": [line.model for line in calls["list_models"].sync(client=client).models],
    "columns": [column.name for column in calls["show_model"].sync(name, client=client).card.columns],
    "records": calls["predict"].sync(name, client=client, body=records).predictions,
    "by column": calls["predict"].sync(name, client=client, body=by_column).predictions,
    "infer": calls["infer"].sync(name, client=client, body=asked).outputs[0].data,
    "endpoint": [
        one.predicted_label for one in calls["invoke_endpoint"].sync(name, client=client, body=instances).predictions
    ],
    "refusal": refused.error.code,
    "ready": calls["server_ready"].sync(client=client).ready,
}
print(json.dumps(answer))
