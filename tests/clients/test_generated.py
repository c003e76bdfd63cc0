"""Clients that generators make from the server's document, used; `make test-clients` installs the generators."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.clients.test_other_environments import COUNT, ENVIRONMENTS, PROGRAMS, expected, told
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serve.conftest import Server

pytestmark = pytest.mark.clients

NODE = ENVIRONMENTS / "node"
TOOLS = NODE / "node_modules" / ".bin"


def run(folder: Path, *command: str | Path) -> str:
    """What a command says."""
    environment = {**os.environ, "NODE_PATH": str(NODE / "node_modules"), "NODE_MODULES": str(NODE)}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_openapi_python_client(server: Server) -> None:
    labels, _ = expected(server)
    found = told(server, "openapi")
    assert {"predict", "infer", "invocations", "invoke_endpoint", "ping_server", "show_model"} <= {*found["operations"]}
    for way in ("records", "by column", "infer", "endpoint"):
        assert found[way] == labels, way
    assert found["models"] == ["flowers", "houses"] and len(found["columns"]) == len(little("multiclass").columns)
    assert (found["refusal"], found["ready"]) == ("missing_column", True)


def test_openapi_typescript(server: Server, tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "document.json").write_text(json.dumps(server.ask("GET", "/openapi.json").body))
    shutil.copy(PROGRAMS / "typed.ts", tmp_path)
    run(tmp_path, TOOLS / "openapi-typescript", "document.json", "-o", "document.d.ts")
    options = ["--strict", "--skipLibCheck", "--module", "nodenext", "--target", "es2022", "--types", ""]
    (tmp_path / "package.json").write_text('{"type": "commonjs"}')
    run(tmp_path, TOOLS / "tsc", *options[:-2], "--lib", "es2022,dom", "typed.ts")
    rows = json.dumps(little("multiclass").rows(COUNT))
    found = json.loads(run(tmp_path, "node", "typed.js", f"http://127.0.0.1:{server.port}", rows))
    labels, _ = expected(server)
    assert found == {"models": ["flowers", "houses"], "predictions": labels, "refusal": "missing_column"}


@pytest.mark.parametrize("runtime", ["onnxruntime-node", "onnxruntime-web"])
def test_the_model_file_alone_in_javascript(server: Server, tmp_path: Path, runtime: str) -> None:
    made = little("multiclass")
    (tmp_path / "model.onnx").write_bytes(made.body)
    columns = {name: values[:COUNT] for name, values in made.columns.items()}
    text = run(tmp_path, "node", PROGRAMS / "alone.mjs", runtime, tmp_path / "model.onnx", json.dumps(columns))
    _, shares = expected(server)
    assert json.loads(text) == pytest.approx([value for row in shares for value in row], abs=1e-6)
