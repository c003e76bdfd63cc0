"""`make test-api-fuzz`: schemathesis against `dropforge serve`, by the OpenAPI document that it serves itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serve.conftest import Server

CASES = int(os.environ.get("CASES", "2000"))
"""Of every operation."""


@pytest.mark.fuzz
def test_no_request_makes_a_server_error(server: Server, tmp_path: Path) -> None:
    names = {"model": "flowers", "version": server.ask("GET", "/models/flowers").body["version"]}
    (tmp_path / "schemathesis.toml").write_text(f'hooks = "{Path(__file__).with_name("vary.py").as_posix()}"\n')
    command = [str(Path(sys.executable).with_name("schemathesis")), "run"]
    command += [f"http://127.0.0.1:{server.port}/openapi.json", "--checks", "not_a_server_error"]
    command += ["--phases", "fuzzing", "--max-examples", str(CASES), "--generation-database", "none"]
    command += ["--workers", "1"]  # with two, the run of an operation now and then ends early and is told as passed
    command += ["--seed", "1", "--suppress-health-check", "all", "--no-color"]
    told = {**os.environ, "NAMES": json.dumps(names)}
    done = subprocess.run(command, cwd=tmp_path, env=told, check=False, capture_output=True, text=True)
    asked: dict[str, int] = json.loads((tmp_path / "asked.json").read_text())
    print(done.stdout[-3000:], *(f"{number:6} {name}" for name, number in sorted(asked.items())), sep="\n")
    assert done.returncode == 0, done.stdout + done.stderr
    served = server.ask("GET", "/openapi.json").body["paths"]
    del served["/openapi.json"]  # where schemathesis itself had the document from: it leaves it out
    assert sorted(asked) == sorted(f"{way.upper()} {path}" for path, ways in served.items() for way in ways)
    assert min(asked.values()) >= CASES, asked
