"""`make test-api-fuzz`: schemathesis against `dropforge serve`, by the OpenAPI document that it serves itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.serve.conftest import Server

CASES = os.environ.get("CASES", "2500")
"""Of every operation, at most: those that repeat an earlier one are left out, so that about 2,000 remain."""


@pytest.mark.fuzz
def test_no_request_makes_a_server_error(server: Server, tmp_path: Path) -> None:
    version = server.ask("GET", "/models/flowers").body["version"]
    names = f'[parameters]\n"path.model" = "flowers"\n"path.version" = "{version}"\n'
    (tmp_path / "schemathesis.toml").write_text(names)  # others would be answered 404 without a look at the body
    command = [str(Path(sys.executable).with_name("schemathesis")), "run"]
    command += [f"http://127.0.0.1:{server.port}/openapi.json", "--checks", "not_a_server_error"]
    command += ["--phases", "fuzzing", "--max-examples", CASES, "--workers", "2", "--generation-database", "none"]
    command += ["--seed", "1", "--suppress-health-check", "all", "--no-color"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    print(done.stdout[-3000:])
    assert done.returncode == 0, done.stdout + done.stderr
