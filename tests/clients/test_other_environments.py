"""Clients that need an environment of their own: `make test-clients` makes them and names their folder."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving.little import little

if TYPE_CHECKING:
    from tests.serve.conftest import Server

PROGRAMS = Path(__file__).parent / "programs"
ENVIRONMENTS = Path(os.environ.get("DROPFORGE_CLIENTS", Path(__file__).parents[2] / ".venv-clients"))
COUNT = 12

pytestmark = pytest.mark.clients


def told(server: Server, client: str) -> Any:
    """What the client's program says of `flowers`."""
    columns = {name: values[:COUNT] for name, values in little("multiclass").columns.items()}
    command = [str(ENVIRONMENTS / client / "bin" / "python"), str(PROGRAMS / f"{client}_program.py")]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}"],
        input=json.dumps({"model": "flowers", "columns": columns}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={"HOME": os.environ.get("HOME", "/"), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def expected(server: Server) -> tuple[list[Any], list[list[float]]]:
    """Classes and probabilities by the simple API."""
    body = server.predict("flowers", little("multiclass").rows(COUNT)).body
    return body["predictions"], [list(row.values()) for row in body["probabilities"]]


def test_kserve(server: Server) -> None:
    labels, shares = expected(server)
    found = told(server, "kserve")
    assert [found[name] for name in ("live", "ready", "model_ready", "unknown_ready")] == [True, True, True, False]
    assert found["binary"] == {"prediction": labels}
    for name in ("json", "dict"):
        assert found[name]["prediction"] == labels
        assert found[name]["probabilities"] == [value for row in shares for value in row]
    assert "x0: expected a value in every row" in found["refusal"] and "422" in found["refusal"]


def test_mlserver(server: Server) -> None:
    labels, shares = expected(server)
    found = told(server, "mlserver")
    assert found["inputs"] == ["x0", "x1", "x2", "x3", "colour"]
    assert found["table"]["prediction"] == labels
    assert found["table"]["probability_1"] == pytest.approx([row[1] for row in shares], abs=1e-7)
    assert found["id"] == "7"
    assert found["shares"] == [pytest.approx(row, abs=1e-7) for row in shares]


def test_the_sagemaker_sdk(server: Server) -> None:
    labels, shares = expected(server)
    found = told(server, "sagemaker")
    assert [label for (label,) in found["csv"]] == [str(label) for label in labels]
    for name in ("json", "json lines", "records"):
        predictions = found[name]["predictions"]
        assert [each["predicted_label"] for each in predictions] == labels
        assert [each["score"] for each in predictions] == shares
    assert "(422)" in found["refusal"] and "rows[0]: expected 5 values in the order x0" in found["refusal"]
