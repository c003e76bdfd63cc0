"""A handler's import is cheap: what it costs, every cold start costs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("boto3", "torch", "polars", "onnx", "sklearn")


@pytest.mark.parametrize(
    ("step", "heavy"),
    [
        ("predict", (*HEAVY, "botocore", "onnxruntime", "PIL")),
        ("catalog", (*HEAVY, "botocore", "numpy")),
        ("judge", (*HEAVY, "onnxruntime", "PIL")),
        ("claim", (*HEAVY, "numpy")),
    ],
)
def test_what_importing_a_handler_loads(step: str, heavy: tuple[str, ...]) -> None:
    code = f"import json, sys, lambdas.{step}.handler; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert not set(heavy) & set(json.loads(done.stdout))
