"""Open Inference Protocol through the handler, by proxy events as API Gateway sends them, against the bare runtime; and
what 10,000 answers in all protocols leave in memory. Alone: `python -m benchmarks.serving.protocols MODEL_FILE`."""

from __future__ import annotations

import base64
import json
import statistics
import sys
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report import Row
from benchmarks.serving.contestants import MODEL
from benchmarks.serving.model import rows as data
from benchmarks.serving.race import ROUNDS, bare, handled, proxy, timed
from dropforge.serve.sources import find
from dropforge.serve.store import Files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Record = dict[str, float]
Event = dict[str, object]

ANSWERS = 10_000
WARM = 1_000
"""Answers before memory is looked at first: arenas of the runtime and of Python have then grown."""

STATUS = Path("/proc/self/status")


def rows(model: Path) -> list[Row]:
    """Ratios to `session.run`, medians, the two taking turns; and KiB of memory."""
    files = Files.of(find([f"{MODEL}={model}"]))
    forms: list[tuple[str, Callable[[Sequence[Record]], Event], int, int, float | None]] = [
        ("1 row: handler, v2 JSON, one matrix", matrix, 1, 150, 1.8),
        ("1 row: handler, v2 JSON, a tensor a column", columns, 1, 150, 1.8),
        ("1,000 rows: handler, v2 binary in and out", binary, 1000, 20, 1.3),
        ("1,000 rows: handler, v2 JSON, a tensor a column", columns, 1000, 8, None),
    ]
    found = []
    for name, form, count, repeats, target in forms:
        ratio = against_bare(model, files, form, count, repeats)
        found.append(Row(f"{name} / session.run", ratio, "times", "lower", target))
    return [*found, Row(f"memory after {ANSWERS:,} answers in all protocols / before", growth(files), "times", "lower")]


def against_bare(model: Path, files: Files, form: Callable[[Sequence[Record]], Event], count: int,
                 repeats: int) -> float:  # fmt: skip
    """Seconds through the handler over those of the bare runtime."""
    asked = (data() * 2)[:count]
    loaded, feed = bare(model, asked)
    event = form(asked)
    alone, ours = [], []
    for _ in range(ROUNDS):
        alone += timed(partial(loaded.session.run, ["prediction", "probabilities"], feed), repeats)
        ours += timed(partial(handled, event, files), repeats)
    return statistics.median(ours) / statistics.median(alone)


def growth(files: Files) -> float:
    """Resident memory after many answers over what it was when the process was warm."""
    asked = [form((data() * 2)[:count]) for count in (1, 3, 50, 700) for form in (matrix, columns, binary, simple)]
    turns = cycle(asked)
    for event in islice(turns, WARM):
        handled(event, files)
    before = resident()
    for event in islice(turns, ANSWERS):
        handled(event, files)
    return resident() / before


def resident() -> int:
    """KiB of memory that this process holds."""
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith("VmRSS"))


def simple(asked: Sequence[Record]) -> Event:
    """The simple API's records."""
    return proxy(f"/models/{MODEL}/predict", json.dumps(list(asked)))


def matrix(asked: Sequence[Record]) -> Event:
    """One tensor [N, columns] in JSON."""
    values = [value for row in asked for value in row.values()]
    tensor = {"name": "x", "shape": [len(asked), len(asked[0])], "datatype": "FP32", "data": values}
    return _event({"inputs": [tensor]})


def columns(asked: Sequence[Record]) -> Event:
    """A tensor a column in JSON."""
    tensors = [{**_head(name, asked), "data": [row[name] for row in asked]} for name in asked[0]]
    return _event({"inputs": tensors})


def binary(asked: Sequence[Record]) -> Event:
    """A tensor a column in binary, answered in binary, as Triton's client asks."""
    blobs = [np.array([row[name] for row in asked], "<f4").tobytes() for name in asked[0]]
    heads = [{**_head(name, asked), "parameters": {"binary_data_size": len(blob)}}
             for name, blob in zip(asked[0], blobs, strict=True)]  # fmt: skip
    return _event({"inputs": heads, "parameters": {"binary_data_output": True}}, b"".join(blobs))


def _head(name: str, asked: Sequence[Record]) -> dict[str, Any]:
    return {"name": name, "shape": [len(asked), 1], "datatype": "FP32"}


def _event(document: dict[str, Any], blob: bytes = b"") -> Event:
    text = json.dumps(document).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))} if blob else {"Content-Type": "application/json"}
    body = base64.b64encode(text + blob).decode()
    event = proxy(f"/v2/models/{MODEL}/infer", body)
    return {**event, "resource": "/v2/models/{model}/infer", "headers": headers, "isBase64Encoded": True}


if __name__ == "__main__":
    for row in rows(Path(sys.argv[1])):
        print(f"{row.value:8.2f} {row.unit}  {row.measure}")
