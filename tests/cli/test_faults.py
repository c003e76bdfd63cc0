"""What goes wrong: one readable line, the right exit code, one document for programs, and never a traceback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.cli import catalog, cloud
from dropforge.client.connection import Connection
from dropforge.client.faults import Fault
from dropforge.embedded import cloud as embedded
from tests.client.server import RUN, ApiServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

CALLS = [
    (["frobnicate"], "usage", "No such command 'frobnicate'"),
    (["runs", "--limit", "0"], "usage", "--limit"),
    (["runs", "--limt"], "usage", "--limt"),
    (["show"], "usage", "RUN"),
    (["predict", "houses"], "usage", "one of --rows, --file, or picture files"),
    (["predict", "houses", "--rows", "[", "--file", "x.csv"], "usage", "one of --rows, --file, or picture files"),
    (["predict", "houses", "--rows", "[{"], "usage", "expected JSON"),
    (["predict", "houses", "--rows", "[1]"], "usage", "expected a list of objects"),
    (["predict", "houses", "--rows", "[{}]", "--out", "x.txt"], "out", "ending in .csv or .jsonl"),
    (["predict", "Houses", "--rows", "[{}]"], "model_name", "expected 1 to 63"),
    (["predict", "houses", "--file", "nope.csv"], "no_such_file", "no such file: nope.csv"),
    (["drop", "nope.csv"], "no_such_file", "no such file: nope.csv"),
    (["drop", "."], "not_a_file", "is a folder"),
    (["drop", "data.xls"], "unknown_format", "ends in .xls: expected one of .csv"),
    (["drop", "data.csv", "--model", "My Data"], "model_name", "try 'my-data'"),
    (["drop", "data.csv", "--target", ""], "target", "expected the name of a column"),
    (["show", "run-1"], "run_id", "16 hex digits"),
    (["report", "../x"], "run_id", "16 hex digits"),
]


@pytest.mark.parametrize(("call", "code", "words"), CALLS, ids=[" ".join(call) for call, _, _ in CALLS])
@pytest.mark.usefixtures("api")
def test_a_wrong_call_is_exit_code_2(run: Run, tmp_path: Path, call: list[str], code: str, words: str) -> None:
    for name in ("data.xls", "data.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    ran = run(*call, "--json")
    assert ran.code == 2, ran.err
    assert ran.document["error"]["code"] == code
    assert words in ran.document["error"]["message"]
    lines = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert words in lines[0]
    assert "Traceback" not in ran.err
    assert run(*call).out == ""


def test_no_cloud_at_all(run: Run) -> None:
    ran = run("runs", "--json")
    assert (ran.code, ran.document["error"]["code"]) == (1, "no_cloud")
    assert "dropforge up" in ran.err


def test_a_stopped_cloud(run: Run, tmp_path: Path) -> None:
    ran = run("--home", str(tmp_path / "away"), "models")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"error: the embedded cloud in {tmp_path / 'away'} is not running: start it with `dropforge up`\n"
    assert run("models", "--home", str(tmp_path / "away")).err == ran.err


@pytest.mark.usefixtures("api")
def test_another_stack_is_asked_for_by_name(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the embedded cloud too, whose own stack stands in connection.json."""
    asked: list[str] = []

    def no_outputs(_connection: Connection, stack: str) -> Connection:
        asked.append(stack)
        raise Fault(f"no stack {stack!r}", "no_stack")

    monkeypatch.setattr(Connection, "_with_outputs", no_outputs)
    assert run("--stack", "Two", "models").code == 1
    monkeypatch.setenv("DROPFORGE_STACK", "Three")
    assert run("models").code == 1
    assert asked == ["Two", "Three"]


def test_the_apis_fault_is_told_with_its_field(run: Run, api: ApiServer) -> None:
    error = {"code": "missing_column", "message": "rows[0].rooms: expected a value", "field": "rows[0].rooms"}
    api.say("POST /api/models/houses/predict", (422, {"error": error}))
    ran = run("predict", "houses", "--rows", "[{}]", "--json")
    assert (ran.code, ran.document) == (1, {"error": {**error, "row": 0, "column": "rooms"}})
    assert ran.err == "error: rows[0].rooms: expected a value\n"


def test_expired_credentials(run: Run, api: ApiServer) -> None:
    api.say(f"GET /api/runs/{RUN}", (403, {"message": "The security token included in the request is expired"}))
    ran = run("show", RUN, "--json")
    assert ran.document["error"]["code"] == "expired_credentials"
    assert "aws sso login" in ran.err


def test_an_unexpected_fault_is_one_line_and_debugging_shows_where(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by zero\nreally")

    monkeypatch.setattr(catalog.Shell, "of", broken)
    ran = run("runs", "--json")
    assert ran.code == 1
    assert ran.document["error"]["code"] == "unexpected"
    assert ran.err == "error: unexpected ZeroDivisionError: by zero really; DROPFORGE_DEBUG=1 shows where\n"
    monkeypatch.setenv("DROPFORGE_DEBUG", "1")
    assert "Traceback" in run("runs").err


def test_without_the_local_extra_the_message_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "NEEDED", ("no_such_package",))
    for command in ("up", "down", "status"):
        ran = run(command)
        assert ran.code == 1
        assert "run `make setup` in a checkout" in ran.err


def test_the_embedded_clouds_own_faults_are_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(**_: Any) -> None:
        raise embedded.CloudFault("port 80 is taken by another program: choose another with --port, or --port 0")

    monkeypatch.setattr(embedded, "up", taken)
    ran = run("up", "--port", "80", "--json")
    assert ran.document["error"]["code"] == "embedded_cloud"
    assert ran.err == "error: port 80 is taken by another program: choose another with --port, or --port 0\n"


def test_up_reports_on_standard_error_and_keeps_the_key_to_itself(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: dict[str, Any] = {}

    def up(*, report: Any, **wishes: Any) -> dict[str, Any]:
        called.update(wishes)
        report("deploying the stack [1/2]")
        return {"endpoint_url": "http://127.0.0.1:1", "secret_key": "test"}

    monkeypatch.setattr(embedded, "up", up)
    ran = run("up", "--strict", "--home", str(tmp_path / "h"), "--json")
    assert ran.document == {"endpoint_url": "http://127.0.0.1:1"}
    assert ran.err == "deploying the stack [1/2]\n"
    assert called == {"home": tmp_path / "h", "port": None, "strict": True}


def test_status_and_down_of_nothing(run: Run, tmp_path: Path) -> None:
    ran = run("status", "--json")
    assert (ran.code, ran.document["running"]) == (1, False)
    assert "no: start it with `dropforge up`" in run("status").out
    assert json.loads(run("down", "--json").out) == {"home": str(tmp_path / ".dropforge"), "stopped": False}
