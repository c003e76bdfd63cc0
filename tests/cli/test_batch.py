"""`batch`: starts, is watched with its own steps and rows, and ends with totals and where the predictions lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dropforge.client import Dropforge
from dropforge.contract.ids import run_id
from tests.client.server import ApiServer, run_row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

KEY = "batch/houses/new.csv"
THE_RUN = run_id("drops", KEY, "")
OUTPUT = "s3://artifacts/predictions/houses/new.csv"


def row(status: str, step: str, **more: Any) -> dict[str, Any]:
    bare = {
        "task": None,
        "target": None,
        "version": None,
        "metric": None,
        "metrics": {},
        "baseline": {},
        "report": None,
    }
    return run_row(**{**bare, "status": status, "step": step, "run": THE_RUN, "kind": "batch", "key": KEY, **more})


pytestmark = pytest.mark.usefixtures("api")


@pytest.fixture
def file(tmp_path: Path, api: ApiServer) -> Path:
    """A file to predict, and an S3 that takes it."""
    api.say(f"PUT /drops/{KEY}", b"")
    path = tmp_path / "new.csv"
    path.write_text("rooms\n3\n")
    return path


def tell(api: ApiServer, *rows: dict[str, Any]) -> None:
    api.say(f"GET /api/runs/{THE_RUN}", *rows)


PREDICTED = row("predicted", "Notify", version="2", predicted=1_200, failed=3, output=OUTPUT,
                output_version="v7", pieces=2)  # fmt: skip


def test_a_batch_gives_its_id_at_once(run: Run, file: Path) -> None:
    ran = run("batch", "houses", str(file), "--json")
    assert (ran.code, ran.document["run"], ran.document["key"]) == (0, THE_RUN, KEY)
    assert f"dropforge show {THE_RUN} --wait" in run("batch", "houses", str(file)).out


def test_a_watched_batch_tells_its_steps_its_rows_and_its_totals(run: Run, api: ApiServer, file: Path) -> None:
    progress = [{"1": 400}, {"1": 600, "2": 200}]
    rows = [row("running", "Answer", pieces=2, progress=each) for each in progress]
    tell(api, row("running", "Plan"), *rows, PREDICTED)
    ran = run("batch", "houses", str(file), "--wait")
    assert ran.code == 0
    lines = [line.partition("] ")[2] for line in ran.err.splitlines() if line.startswith("[")]
    assert lines == ["Plan", "Answer 400 rows in 1 of 2 pieces", "Answer 800 rows in 2 of 2 pieces", "predicted"]
    assert "1,200 rows, 3 without predicted by version 2 of houses" in ran.out
    assert OUTPUT in ran.out and f"{OUTPUT}.errors.jsonl" in ran.out


def test_the_document_of_a_batch(run: Run, api: ApiServer, file: Path) -> None:
    tell(api, PREDICTED)
    document = run("batch", "houses", str(file), "--wait", "--json").document
    assert document == {
        "run": THE_RUN, "model": "houses", "status": "predicted", "version": "2", "predicted": 1_200, "failed": 3,
        "reason": "", "predictions": OUTPUT, "predictions_version": "v7", "errors": f"{OUTPUT}.errors.jsonl",
    }  # fmt: skip


@pytest.mark.parametrize("status", ["rejected", "failed"])
def test_a_batch_without_predictions_is_exit_code_1_and_says_why(
    run: Run, api: ApiServer, file: Path, status: str
) -> None:
    tell(api, row(status, "Plan", reason="no version of 'houses' is live"))
    ran = run("batch", "houses", str(file), "--wait")
    assert ran.code == 1
    assert "nothing was predicted" in ran.out and "why: no version of 'houses' is live" in ran.out


def test_predictions_are_fetched(run: Run, api: ApiServer, file: Path, tmp_path: Path) -> None:
    tell(api, PREDICTED)
    api.say("HEAD /artifacts/predictions/houses/new.csv", b"")
    api.say("GET /artifacts/predictions/houses/new.csv", b"line,prediction\n")
    out = tmp_path / "out" / "priced.csv"
    ran = run("batch", "houses", str(file), "--out", str(out))
    assert ran.code == 0, ran.err
    assert out.exists()
    (fetched,) = [asked.path for asked in api.asked if asked.method == "GET" and "/predictions/" in asked.path]
    assert "versionId=v7" in fetched  # another batch may have written under the same key since


def test_runs_and_show_know_batches(run: Run, api: ApiServer) -> None:
    api.say("GET /api/runs", {"runs": [PREDICTED]})
    assert "1,200 rows, 3 without" in run("runs").out
    tell(api, PREDICTED)
    shown = run("show", THE_RUN).out
    assert OUTPUT in shown and "1,200 rows, 3 without" in shown
    assert run("show", THE_RUN, "--wait").code == 0


def test_the_sdk_gives_the_outcome(api: ApiServer, file: Path) -> None:
    tell(api, row("running", "Claim"), PREDICTED)
    ended = Dropforge().batch("houses", file, wait=True)
    assert (ended.good, ended.predicted, ended.failed, ended.predictions) == (True, 1_200, 3, OUTPUT)


@pytest.mark.parametrize(("name", "code"), [("no.csv", 2), ("a.xls", 2), ("a.zip", 1)])
def test_what_is_no_file_of_rows(run: Run, api: ApiServer, tmp_path: Path, name: str, code: int) -> None:
    if name != "no.csv":
        (tmp_path / name).write_text("x")
    assert run("batch", "houses", str(tmp_path / name)).code == code
    assert not [asked for asked in api.asked if asked.method == "PUT"]
