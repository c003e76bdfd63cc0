"""The commands as a program runs them, against an embedded cloud whose API and S3 are a server of the test's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.cli.main import main
from tests.client.server import ApiServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OUTPUTS = {"DropBucket": "drops", "ArtifactBucket": "artifacts", "ApiId": "api1", "StateMachineArn": "arn:machine"}


@dataclass(frozen=True)
class Ran:
    """What one command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output, which must be one JSON document."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command: `run("show", "run-…", "--json")`."""

    def act(*arguments: str) -> Ran:
        code = main(list(arguments))
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return act


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty folder, nobody's credentials, no terminal."""
    for name in [each for each in os.environ if each.startswith(("AWS_", "DROPFORGE_"))] + ["COLUMNS", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "no-such-file"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    """An embedded cloud in the current folder."""
    with ApiServer() as server:
        home = tmp_path / ".dropforge"
        home.mkdir()
        found = {"endpoint_url": server.url, "region": "us-east-1", "access_key": "test", "secret_key": "test"}
        found |= {"ca_bundle": None, "api_url": f"{server.url}/api", "outputs": OUTPUTS, "pid": os.getpid()}
        (home / "connection.json").write_text(json.dumps(found))
        server.say("GET /_ministack/health", {})
        yield server
