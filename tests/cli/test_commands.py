"""Every command: what it prints for people, what for programs, and with which exit code."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from dropforge import __version__
from dropforge.cli import drop as drop_command
from dropforge.contract.ids import run_id
from tests.client.server import RUN, ApiServer, answer, run_row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

KEY = "datasets/houses/houses.csv"
PREDICT = "POST /api/models/houses/predict"


@pytest.fixture
def houses(tmp_path: Path, api: ApiServer) -> Path:
    """A file to drop, and an S3 that takes it."""
    api.say(f"PUT /drops/{KEY}", b"")
    path = tmp_path / "houses.csv"
    path.write_text("rooms,price\n3,100\n")
    return path


THE_RUN = run_id("drops", KEY, "")
"""The test's S3 gives no version ids."""


def tell(api: ApiServer, *rows: dict[str, Any]) -> None:
    api.say(f"GET /api/runs/{THE_RUN}", *({**row, "run": THE_RUN} for row in rows))
    api.say(f"GET /artifacts/runs/{RUN}/report.html", b"<html>")


def test_a_drop_gives_the_runs_id_at_once(run: Run, api: ApiServer, houses: Path) -> None:
    ran = run("drop", str(houses), "--target", "price", "--json")
    assert ran.code == 0
    assert ran.document["run"] == THE_RUN
    assert ran.document["key"] == KEY
    (put,) = [asked for asked in api.asked if asked.method == "PUT"]
    assert put.headers["x-amz-meta-target"] == "price"
    assert b"3,100" in put.body
    people = run("drop", str(houses))
    assert f"dropforge show {THE_RUN} --wait" in people.out
    assert "uploading houses.csv (18 bytes) to the embedded cloud" in people.err


@pytest.mark.parametrize(("status", "code"), [("promoted", 0), ("refused", 1), ("rejected", 1), ("failed", 1)])
def test_a_waited_drop_ends_with_the_promised_document(
    run: Run, api: ApiServer, houses: Path, status: str, code: int
) -> None:
    tell(api, run_row(status="running", step="Train"), run_row(status=status, reason="so it is"))
    ran = run("drop", str(houses), "--wait", "--json")
    assert ran.code == code
    document = ran.document
    assert list(document) == [
        "run", "model", "status", "original", "version", "task", "target", "metrics", "baseline", "reason", "report",
        "metric", "intervals", "gains", "notes", "remarks", "more_remarks", "suspects",
        "may_be_chance",
    ]  # fmt: skip
    assert (document["run"], document["status"], document["reason"]) == (THE_RUN, status, "so it is")
    report = houses.parent / ".dropforge" / "reports" / f"{THE_RUN}.html"
    assert document["report"] == str(report)
    assert report.read_text() == "<html>"
    assert "Train" in ran.err


def test_a_duplicate_is_filled_from_the_first_run(run: Run, api: ApiServer, houses: Path) -> None:
    bare = run_row(status="duplicate", duplicate_of=RUN, version=None, task=None, target=None, report=None, metric=None)
    tell(api, {**bare, "metrics": {}, "baseline": {}})
    api.say(f"GET /api/runs/{RUN}", run_row(version="7"))
    ran = run("drop", str(houses), "--wait", "--json")
    assert ran.code == 0
    assert ran.document["status"] == "duplicate"
    assert (ran.document["run"], ran.document["version"]) == (THE_RUN, "7")
    assert ran.document["metrics"] == {"rmse": 0.5, "mae": 0.3}


TRUST = {
    "intervals": {"rmse": {"low": 0.4, "high": 0.6}},
    "gains": {"rmse": {"value": 0.75, "interval": {"low": -0.1, "high": 0.9}, "by_chance": None}},
    "notes": ["Only 20 hold-out rows: every score is rough."],
    "suspects": [{"column": "price_with_tax", "why": "it is named like the target 'price'", "score": None}],
}


@pytest.mark.parametrize("duplicate", [False, True])
@pytest.mark.parametrize("command", ["drop", "show"])
def test_all_that_says_how_far_to_trust_a_score_is_shown(
    run: Run, api: ApiServer, houses: Path, duplicate: bool, command: str
) -> None:
    """The same of a duplicate as of the run that has its data."""
    copy = run_row(status="duplicate", duplicate_of=RUN, version=None, metric=None, metrics={}, baseline={})
    tell(api, copy if duplicate else run_row(**TRUST))
    api.say(f"GET /api/runs/{RUN}", run_row(**TRUST))
    ran = run("drop", str(houses), "--wait") if command == "drop" else run("show", THE_RUN)
    shown = " ".join(ran.out.split())
    for words in (
        "0.4 to 0.6",
        "better than the trivial baseline by 0.75, 95 % interval -0.1 to 0.9: the difference may be chance",
        "note: Only 20 hold-out rows",
        "left out, changed or guessed: - Column 'price_with_tax' may leak the target",
        "`trusted: [price_with_tax]` keeps it",
        "In spec.yaml: `drop: [price_with_tax]`",
    ):
        assert words in shown
    if command == "drop":
        document = run("drop", str(houses), "--wait", "--json").document
        assert document["may_be_chance"] is True
        assert {name: document[name] for name in TRUST} == TRUST


SPEC = "datasets/houses/spec.yaml"


def test_the_budget_is_said_before_the_upload_and_wrong_options_stop_it(
    run: Run, api: ApiServer, houses: Path, tmp_path: Path
) -> None:
    assert "training may use up to 5 minutes (`budget:` in spec.yaml)" in run("drop", str(houses)).err
    api.say(f"GET /drops/{SPEC}", b"budget: 1\n")
    assert "up to 1 minute (" in run("drop", str(houses)).err
    api.asked.clear()
    api.say(f"GET /drops/{SPEC}", b"budgte: 1\n")
    standing = run("drop", str(houses))
    assert (standing.code, "`dropforge spec houses --clear` removes it" in standing.err) == (2, True)
    wishes = tmp_path / "wishes.yaml"
    wishes.write_text("targt: price\n")
    brought = run("drop", str(houses), "--spec", str(wishes), "--json")
    assert (brought.code, brought.document["error"]["code"]) == (2, "spec")
    assert "did you mean 'target'?" in brought.document["error"]["message"]
    assert not [asked for asked in api.asked if asked.method == "PUT"]


def test_the_options_of_a_model_are_shown_set_and_cleared(run: Run, api: ApiServer, tmp_path: Path) -> None:
    assert "houses has no datasets/houses/spec.yaml" in run("spec", "houses").out
    wishes = tmp_path / "wishes.yaml"
    wishes.write_text("target: price\n")
    api.say(f"PUT /drops/{SPEC}", b"")
    api.say(f"GET /drops/{SPEC}", wishes.read_bytes())
    ran = run("spec", "houses", "--set", str(wishes), "--json")
    assert ran.document == {"model": "houses", "key": SPEC, "spec": "target: price\n"}
    assert [asked.method for asked in api.asked if asked.path.startswith(f"/drops/{SPEC}")][-2:] == ["PUT", "GET"]
    api.say(f"DELETE /drops/{SPEC}", b"")
    assert run("spec", "houses", "--clear").code == 0
    assert "DELETE" in [asked.method for asked in api.asked]
    assert run("spec", "houses", "--clear", "--set", str(wishes)).code == 2
    assert run("spec", "My Model").code == 2


REMARKS = [
    {"code": "leak", "sentence": "It may leak.", "severity": "warning", "option": "drop: [vat]", "column": "vat"},
    {"code": "copy", "sentence": "It is a copy.", "severity": "notice", "option": "kinds: {b: number}", "column": "b"},
    {"code": "of-a-newer-version", "sentence": "It is new.", "severity": "notice", "option": None, "column": None},
]


def test_what_was_left_out_stands_in_every_place_and_a_warning_comes_before_the_training(
    run: Run, api: ApiServer, houses: Path
) -> None:
    told = {"remarks": REMARKS, "more_remarks": 2, "notes": ["It is a copy. In spec.yaml: `kinds: {b: number}`"]}
    tell(api, run_row(status="running", step="Train", **told), run_row(**told))
    ran = run("drop", str(houses), "--wait")
    shown = " ".join(ran.out.split())
    assert (
        "left out, changed or guessed: - It may leak. In spec.yaml: `drop: [vat]` - It is a copy. In spec.yaml: "
        "`kinds: {b: number}` - It is new. and 2 more, which profile.json names" in shown
    )
    assert shown.count("It is a copy") == 1 and shown.index("It may leak") < shown.index("rmse")
    assert ran.err.index("It may leak") < ran.err.index("promoted") and "It is a copy" not in ran.err
    tell(api, run_row(**told))
    document = run("drop", str(houses), "--wait", "--json").document
    assert (document["remarks"], document["more_remarks"]) == (REMARKS, 2)
    tell(api, run_row(status="running", step="Train", metrics={}, **told))
    assert "- It may leak." in run("show", THE_RUN).out
    assert run("show", THE_RUN, "--json").document["remarks"] == REMARKS


def test_what_a_drop_may_replace_travels_with_it(run: Run, api: ApiServer, houses: Path) -> None:
    tell(api, run_row())
    assert run("drop", str(houses), "--replace", "target", "--replace", "worse", "--unproven").code == 0
    (put,) = [asked for asked in api.asked if asked.method == "PUT"]
    assert (put.headers["x-amz-meta-replace"], put.headers["x-amz-meta-unproven"]) == ("target,worse", "true")
    ran = run("drop", str(houses), "--replace", "everything")
    assert ran.code == 1
    assert "replace 'everything': expected one of target, task, classes, columns, uncompared, worse" in ran.err


@pytest.mark.parametrize(("original", "code"), [("promoted", 0), ("refused", 1), ("failed", 1), ("rejected", 1)])
def test_a_duplicate_ends_as_the_run_that_has_its_data(
    run: Run, api: ApiServer, houses: Path, original: str, code: int
) -> None:
    tell(api, run_row(status="duplicate", duplicate_of=RUN, reason="known"))
    going, ended = run_row(status="running", step="Train"), run_row(status=original, reason="so it is")
    api.say(f"GET /api/runs/{RUN}", going, going, ended, ended)  # asked for, then watched to its end, then told of
    ran = run("drop", str(houses), "--wait", "--json")
    assert ran.code == code
    assert (ran.document["status"], ran.document["original"]) == ("duplicate", original)
    assert ran.document["reason"] == f"known ({original}: so it is)"
    assert f"{RUN} has the same data and has not ended" in ran.err


def test_people_read_the_end_of_a_drop(run: Run, api: ApiServer, houses: Path) -> None:
    tell(api, run_row())
    ran = run("drop", str(houses), "--wait")
    assert "houses is live as version 1: regression of 'price'" in ran.out
    assert ran.out.index("rmse") < ran.out.index("mae")  # the metric that decided stands first
    assert "1.25" in ran.out
    assert "next: dropforge predict houses" in ran.out
    tell(api, run_row(status="rejected", metrics={}, report=None, reason="[bold]line 62[/] has 3 fields"))
    ran = run("drop", str(houses), "--wait")
    assert "why: [bold]line 62[/] has 3 fields" in ran.out
    assert "quarantine" in ran.out


def test_the_end_of_patience_says_how_to_go_on(run: Run, api: ApiServer, houses: Path) -> None:
    tell(api, run_row(status="running", step="Train"))
    ran = run("drop", str(houses), "--wait", "--timeout", "0", "--json")
    assert ran.code == 1
    assert ran.document["error"]["code"] == "timeout"
    assert f"watch it with `dropforge show {THE_RUN} --wait`" in ran.err


def test_an_interrupt_says_that_the_run_goes_on(
    run: Run, api: ApiServer, houses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(drop_command, "follow_live", interrupt)
    ran = run("drop", str(houses), "--wait", "--json")
    assert ran.code == 130
    assert ran.document["error"]["code"] == "interrupted"
    assert f"error: stopped watching; {THE_RUN} continues: watch it with `dropforge show {THE_RUN} --wait`" in ran.err
    assert api.asked


def test_runs_are_listed(run: Run, api: ApiServer) -> None:
    api.say("GET /api/runs", {"runs": [run_row(), run_row(status="running", metric=None, metrics={}, version=None)]})
    ran = run("runs", "--limit", "5", "--model", "houses")
    assert ran.code == 0
    assert RUN in ran.out
    assert "rmse 0.5" in ran.out
    assert "2026-11-23 10:00:00" in ran.out
    assert api.asked[-1].path == "/api/runs?limit=5&model=houses"
    assert run("--json", "runs").document == {"runs": [{**run_row(), **extra} for extra in EXTRAS]}
    api.say("GET /api/runs", {"runs": []})
    assert "no runs yet" in run("runs").out


OF_BATCHES = {
    "kind": "training",
    "spec": None,
    "pieces": 0,
    "progress": {},
    "predicted": None,
    "failed": None,
    "output": None,
    "output_version": None,
}
SCORED = {"intervals": {}, "gains": {}, "notes": [], "remarks": [], "more_remarks": 0, "budget": None, "suspects": []}
TRAINED = {"instance_type": None, "device": None, "hops": [], "sequencer": "", "dropped": "", "generation": None}
EMPTY = {"reason": "", "duplicate_of": None, "job": None, "cost": None, **SCORED, **TRAINED, **OF_BATCHES}
EXTRAS = (EMPTY, {**EMPTY, "status": "running", "metric": None, "metrics": {}, "version": None})


def test_one_run_is_shown(run: Run, api: ApiServer) -> None:
    api.say(f"GET /api/runs/{RUN}", run_row(status="refused", reason="no better than the mean"))
    ran = run("show", RUN)
    for words in (
        "refused",
        "no better than the mean",
        "regression of 'price'",
        "s3://drops/",
        "at most $0.06",
        "1.25",
    ):
        assert words in ran.out
    assert run("show", RUN, "--json").document["reason"] == "no better than the mean"


def test_a_shown_run_can_be_waited_for(run: Run, api: ApiServer) -> None:
    api.say(f"GET /api/runs/{RUN}", run_row(status="running", step="Judge"), run_row())
    api.say(f"GET /artifacts/runs/{RUN}/report.html", b"<html>")
    ran = run("show", RUN, "--wait", "--json")
    assert (ran.code, ran.document["status"]) == (0, "promoted")
    assert "Judge" in ran.err


MODEL = {
    "model": "houses",
    "version": "2",
    "run": RUN,
    "moved": "2026-11-23T10:00:00Z",
    "task": "binary",
    "target": "sold",
    "metric": "auc",
    "metrics": {"auc": 0.9},
    "baseline": {"auc": 0.5},
}
PAGE = {
    **MODEL,
    "card": {"classes": ["no", "yes"], "columns": [{"name": "rooms", "kind": "number"}]},
    "versions": [
        {**MODEL, "outcome": "approved", "reason": ""},
        {**MODEL, "version": "1", "outcome": "refused", "reason": "worse"},
    ],
}


def test_models_are_listed_and_one_is_shown(run: Run, api: ApiServer) -> None:
    api.say("GET /api/models", {"models": [MODEL]})
    api.say("GET /api/models/houses", PAGE)
    listed, shown = run("models"), run("models", "houses")
    assert "binary of 'sold'" in listed.out
    assert "auc 0.9" in listed.out
    for words in ("no, yes", "rooms", "number", "2 live", "refused", "worse"):
        assert words in shown.out
    assert run("models", "--json").document == {"models": [MODEL]}
    assert run("models", "houses", "--json").document == PAGE
    api.say("GET /api/models", {"models": []})
    assert "no model is live yet" in run("models").out


def test_intervals_notes_and_importances_stand_beside_the_scores(run: Run, api: ApiServer) -> None:
    told = {"intervals": {"auc": {"low": 0.871, "high": 0.932}}, "notes": ["Only 80 hold-out rows."]}
    matters = [{"column": "rooms", "fall": 0.123, "interval": {"low": 0.101, "high": 0.145}}]
    api.say("GET /api/models/houses", {**PAGE, **told, "importances": matters})
    shown = run("models", "houses").out
    assert "0.871 to 0.932" in shown and "note: Only 80 hold-out rows." in shown
    assert "0.101 to 0.145" in shown and "auc worsens by" in shown
    row = run_row(intervals={"rmse": {"low": 0.44, "high": 0.56}}, notes=["Only 80 hold-out rows."])
    api.say(f"GET /api/runs/{RUN}", row)
    shown = run("show", RUN).out
    assert "0.44 to 0.56" in shown and "note: Only 80 hold-out rows." in shown
    api.say(f"GET /api/runs/{RUN}", run_row())
    assert "interval" not in run("show", RUN).out


def test_a_report_is_fetched(run: Run, api: ApiServer, tmp_path: Path) -> None:
    api.say(f"GET /api/runs/{RUN}", run_row())
    api.say(f"GET /artifacts/runs/{RUN}/report.html", b"<html>")
    ran = run("report", RUN, "--out", "r.html", "--json")
    assert ran.document == {"run": RUN, "report": "r.html"}
    assert (tmp_path / "r.html").read_text() == "<html>"
    assert run("report", RUN).out.strip() == str(tmp_path / ".dropforge" / "reports" / f"{RUN}.html")


def test_predictions_of_rows(run: Run, api: ApiServer) -> None:
    api.say(PREDICT, answer(1, probabilities=True))
    ran = run("predict", "houses", "--rows", '[{"rooms": 3}]', "--json")
    assert ran.document == {
        **answer(1, probabilities=True),
        "explanations": None,
        "refused": None,
        "warnings": [],
        "warning_count": 0,
    }
    people = run("predict", "houses", "--rows", '{"rooms": 3}')
    assert "yes" in people.out
    assert "0.750" in people.out
    assert "--out" not in people.out


def test_predictions_of_a_file_land_in_a_file(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('id;prediction;note\n007;old;"a;b"\n8;older;"line\none"\n')
    api.say(PREDICT, answer(2, probabilities=True))
    ran = run("predict", "houses", "--file", "in.csv", "--out", "out.csv", "--json")
    assert ran.document == {
        **answer(2, probabilities=True), "explanations": None, "refused": None, "warnings": [], "warning_count": 0,
        "out": "out.csv",
    }  # fmt: skip
    with (tmp_path / "out.csv").open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert rows[0] == {
        "id": "007",
        "prediction": "old",
        "note": "a;b",
        "prediction_": "yes",
        "probability_no": "0.25",
        "probability_yes": "0.75",
        "prediction_id": "p-0",
    }
    assert rows[1]["note"] == "line\none"
    people = run("predict", "houses", "--file", "in.csv", "--out", "out.jsonl")
    assert people.out == "2 rows predicted by version 1 of houses: out.jsonl\n"
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines[0]["probabilities"] == {"no": 0.25, "yes": 0.75}
    assert (lines[0]["id"], lines[0]["prediction"], lines[0]["prediction_"]) == ("007", "old", "yes")


def test_a_file_that_fails_half_way_leaves_nothing(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,y\n" + "1,2\n" * 1_001)
    error = {"code": "wrong_type", "message": "rows[0].x: expected a number", "field": "rows[0].x"}
    api.say(PREDICT, answer(1_000), (422, {"error": error}))
    ran = run("predict", "houses", "--file", "in.csv", "--out", "out.csv", "--json")
    assert ran.code == 1
    assert ran.document["error"]["field"] == "rows[1000].x"
    assert sorted(each.name for each in tmp_path.iterdir()) == [".dropforge", "in.csv"]


def test_people_see_the_first_rows_and_nothing_more_is_asked(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("x,y\n" + "".join(f"{at},2\n" for at in range(1_000)))
    api.say(PREDICT, answer(1_000))
    ran = run("predict", "houses", "--file", "in.csv")
    assert "the first 20 rows; --out FILE writes all" in ran.out
    assert len([line for line in ran.out.splitlines() if line.strip()]) == 23


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"dropforge {__version__}\n"
    assert run("--version", "--json").document == {"version": __version__}


def test_the_bare_program_shows_its_help(run: Run) -> None:
    ran = run()
    assert ran.code == 0
    assert "Commands:" in ran.out


def test_a_model_that_came_from_elsewhere_cannot_steer_the_terminal(run: Run, api: ApiServer) -> None:
    api.say("GET /api/runs", {"runs": [run_row(model="\x1b]0;owned\x07", reason="\x1b[2J")]})
    assert "\x1b" not in run("runs").out
    api.say(f"GET /api/runs/{RUN}", (404, {"error": {"code": "x", "message": "a\x1b[2J\nb", "field": None}}))
    ran = run("show", RUN)
    assert ran.err == "error: a\N{REPLACEMENT CHARACTER}[2J b\n"


def test_rows_may_come_from_standard_input(run: Run, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.write(writer, b'[{"rooms": 3}]')
    os.close(writer)
    api.say(PREDICT, answer(1))
    with os.fdopen(reader) as source:
        monkeypatch.setattr("sys.stdin", source)
        assert run("predict", "houses", "--rows", "-", "--json").document == {
            **answer(1),
            "explanations": None,
            "refused": None,
            "warnings": [],
            "warning_count": 0,
        }


MOVED = {"model": "houses", "version": "2"}


def test_a_model_is_removed_and_brought_back(run: Run, api: ApiServer) -> None:
    api.say("DELETE /api/models/houses/live", {**MOVED, "withdrawn": True})
    gone = run("remove", "houses")
    assert gone.code == 0 and "houses is removed; `dropforge rollback houses` restores version 2" in gone.out
    assert run("remove", "houses", "--json").document["withdrawn"] is True
    moves = (("2", True), ("2", False), ("1", False))
    history = [{"version": version, "withdrawn": withdrawn} for version, withdrawn in moves]
    api.say("GET /api/models/houses", {**PAGE, "history": history})
    api.say("PUT /api/models/houses/live", MOVED)
    assert "version 2 of houses is live" in run("rollback", "houses").out
    assert json.loads(api.asked[-1].body) == {"version": "2", "because": ""}
    run("rollback", "houses", "--to", "1")
    assert json.loads(api.asked[-1].body) == {"version": "1", "because": ""}
    api.say("GET /api/models/houses", {**PAGE, "history": history[2:]})
    none = run("rollback", "houses")
    assert none.code == 1 and "nothing served before; name a version" in none.err


@pytest.mark.parametrize(("kind", "words"), [("training", "the run ended"), ("batch", "the batch ended")])
def test_a_status_of_a_later_version_is_shown_and_is_no_success(
    run: Run, api: ApiServer, kind: str, words: str
) -> None:
    api.say(f"GET /api/runs/{RUN}", run_row(status="archived", kind=kind, report=None))
    api.say("GET /api/runs", {"runs": [run_row(status="archived", kind=kind)]})
    assert "unknown" in run("runs").out and "'archived' is of a newer Dropforge" in run("show", RUN).out
    ran = run("show", RUN, "--wait")
    assert (ran.code, f"{words} with a status that this version does not know" in ran.out) == (1, True)
