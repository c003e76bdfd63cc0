"""The same rows in every protocol, and what each answers, behind the handler of `dropforge serve`."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dropforge.serve.routes import reply, routed
from tests.api.tensors import in_binary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.serve.store import Files

Row = dict[str, Any]
MODEL = "flowers"
ORDER = ("x0", "x1", "x2", "x3", "colour")
"""Of the columns in the model's card, which protocols without names go by."""


@dataclass(frozen=True)
class Said:
    """What came back, whatever the protocol: labels or numbers, and probabilities; or the words of a refusal."""

    status: int
    predictions: list[Any] | None = None
    probabilities: list[list[float]] | None = None
    error: str = ""


Way = "Callable[[Sequence[Row]], tuple[str, dict[str, str], bytes]]"
"""Rows to path, headers and body."""


def records(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """`[{…}, …]`."""
    return f"/models/{MODEL}/predict", {}, json.dumps(list(rows)).encode()


def columns(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """`{"columns": {name: […], …}}`."""
    return (
        f"/models/{MODEL}/predict",
        {},
        json.dumps({"columns": {name: [row[name] for row in rows] for name in rows[0]}}).encode(),
    )


def table(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """CSV with a header."""
    return f"/models/{MODEL}/predict", {"content-type": "text/csv"}, lines(rows, header=True)


def tensors_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A tensor a column: BYTES where a text is in it."""
    found = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        texts = name == "colour" or any(isinstance(value, str) for value in values)
        found.append({"name": name, "shape": [len(rows), 1], "datatype": "BYTES" if texts else "FP64", "data": values})
    return found


def inference(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """Open Inference Protocol in JSON."""
    return f"/v2/models/{MODEL}/infer", {}, json.dumps({"inputs": tensors_of(rows)}).encode()


def binary(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """Open Inference Protocol with binary tensors, answered in JSON."""
    heads, blob = in_binary(tensors_of(rows))
    text = json.dumps({"inputs": heads}).encode()
    return f"/v2/models/{MODEL}/infer", {"inference-header-content-length": str(len(text))}, text + blob


def instances(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """SageMaker's JSON."""
    body = json.dumps({"instances": [list(each.values()) for each in ordered(rows)]})
    return f"/models/{MODEL}/invocations", {"content-type": "application/json"}, body.encode()


def bare_lines(rows: Sequence[Row]) -> tuple[str, dict[str, str], bytes]:
    """SageMaker's CSV, without a header."""
    headers = {"content-type": "text/csv", "accept": "application/json"}
    return f"/models/{MODEL}/invocations", headers, lines(ordered(rows), header=False)


WAYS = (records, columns, table, inference, binary, instances, bare_lines)
BY_NAME = (records, columns, table, inference, binary)
"""Those that name their columns."""


def ordered(rows: Sequence[Row]) -> list[Row]:
    """The rows with their columns in the order of the card."""
    return [{name: row[name] for name in ORDER if name in row} for row in rows]


def lines(rows: Sequence[Row], *, header: bool) -> bytes:
    """CSV, null as nothing."""
    text = io.StringIO()
    writer = csv.writer(text)  # its line ends have both characters that must then stand in quotation marks
    if header:
        writer.writerow(rows[0])
    writer.writerows([row[name] for name in rows[0]] for row in rows)
    return text.getvalue().encode()


def say(files: Files, path: str, headers: dict[str, str], body: bytes) -> Said:
    """The answer to one request."""
    response = reply(routed("POST", path, headers, body), files)
    found = json.loads(response.body)
    if response.status != 200:
        error = found["error"]
        return Said(response.status, error=error if isinstance(error, str) else error["message"])
    if "outputs" in found:
        return from_tensors({each["name"]: each for each in found["outputs"]})
    if "/invocations" in path:
        return from_instances(found["predictions"])
    shares = found["probabilities"]
    return Said(200, found["predictions"], shares and [list(row.values()) for row in shares])


def from_tensors(outputs: dict[str, Any]) -> Said:
    """Of the Open Inference Protocol."""
    shares = outputs.get("probabilities")
    if shares is None:
        return Said(200, outputs["prediction"]["data"])
    width, data = shares["shape"][1], shares["data"]
    return Said(200, outputs["prediction"]["data"], [data[at : at + width] for at in range(0, len(data), width)])


def from_instances(found: list[dict[str, Any]]) -> Said:
    """Of SageMaker."""
    if "predicted_label" not in found[0]:
        return Said(200, [each["score"] for each in found])
    return Said(200, [each["predicted_label"] for each in found], [each["score"] for each in found])
