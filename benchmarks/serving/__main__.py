"""`make bench-serving`: every part that measures serving, one table, `results/serving.json`, the last line as JSON."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.report import publish
from benchmarks.serving import batch, cold, explain, forest, invoked, protocols, race
from benchmarks.serving.model import trained

PARTS = (race, protocols, explain, cold, forest, invoked, batch)
"""Modules with `rows(model) -> list[Row]`."""

if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="dropforge-serving-") as folder:
        model = trained(Path(folder))
        found = [row for part in PARTS for row in part.rows(model)]
    publish("serving", found, ["httptools", "msgspec", "numpy", "onnxruntime", "orjson", "uvicorn"], ["ROUNDS"])
    print(json.dumps([asdict(row) for row in found]))
