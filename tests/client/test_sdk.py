"""`Dropforge` itself, against an API on this machine: predictions of any size, rows, outcomes, reports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.client import ApiFault, Dropforge, Fault, predictions
from tests.client.server import RUN, ApiServer, answer, run_row

if TYPE_CHECKING:
    from pathlib import Path

PREDICT = "POST /api/models/houses/predict"
REPORT = f"GET /artifacts/runs/{RUN}/report.html"


def posted(api: ApiServer) -> list[list[dict[str, Any]]]:
    return [json.loads(asked.body) for asked in api.asked if asked.method == "POST"]


def test_many_rows_are_few_requests_and_one_answer(forge: Dropforge, api: ApiServer) -> None:
    api.say(PREDICT, answer(1_000, probabilities=True), answer(500, probabilities=True))
    found = forge.predict("houses", [{"x": at} for at in range(1_500)])
    assert [len(rows) for rows in posted(api)] == [1_000, 500]
    assert posted(api)[1][0] == {"x": 1_000}
    assert len(found.predictions) == len(found.ids) == len(found.probabilities or []) == 1_500
    assert (found.model, found.version) == ("houses", "1")


def test_what_is_too_large_goes_in_halves(forge: Dropforge, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    too_large = (413, {"error": {"code": "too_large", "message": "too large", "field": None}})
    api.say(PREDICT, too_large, answer(2), answer(1), answer(1))
    assert forge.predict("houses", [{"x": at} for at in range(4)]).predictions == [0.0, 1.0, 0.0]
    assert [len(rows) for rows in posted(api)] == [4, 2, 2]
    monkeypatch.setattr(predictions, "MOST_BYTES", 20)
    api.asked.clear()
    forge.predict("houses", [{"x": "a" * 9}, {"x": "b" * 9}])
    assert [len(rows) for rows in posted(api)] == [1, 1]


def test_one_row_that_is_too_large_is_told(forge: Dropforge, api: ApiServer) -> None:
    api.say(PREDICT, (413, {"error": {"code": "too_large", "message": "too large", "field": None}}))
    with pytest.raises(ApiFault, match="too large"):
        forge.predict("houses", [{"x": 1}])


@pytest.mark.parametrize("places", [{"row": 3, "column": "x"}, {}], ids=["today", "an API without row and column"])
def test_a_fault_names_the_row_among_all_rows(forge: Dropforge, api: ApiServer, places: dict[str, object]) -> None:
    error = {"code": "wrong_type", "message": "rows[3].x: expected a number, got 'rows'", "field": "rows[3].x"}
    api.say(PREDICT, answer(1_000), (422, {"error": {**error, **places}}))
    with pytest.raises(ApiFault) as caught:
        forge.predict("houses", [{"x": at} for at in range(1_500)])
    assert caught.value.field == "rows[1003].x"
    assert caught.value.message == "rows[1003].x: expected a number, got 'rows'"
    assert (caught.value.row, caught.value.column) == (1003, "x")
    assert caught.value.to_json()["error"]["row"] == 1003


def test_a_fault_names_all_missing_columns(forge: Dropforge, api: ApiServer) -> None:
    error = {"code": "missing_column", "message": "rows[0].x: …", "field": "rows[0].x", "row": 0, "column": "x"}
    api.say(PREDICT, answer(1_000), (422, {"error": {**error, "columns": ["x", "y"]}}))
    with pytest.raises(ApiFault) as caught:
        forge.predict("houses", [{"z": 1}] * 1_001)
    assert (caught.value.row, caught.value.column, caught.value.columns) == (1_000, "x", ("x", "y"))


@pytest.mark.parametrize("field", [None, "explain", "columns.x", "inputs.rows[1].shape"])
def test_a_fault_about_no_row_names_none(forge: Dropforge, api: ApiServer, field: str | None) -> None:
    error = {"code": "wrong_shape", "message": "expected rows[3] to be well", "field": field}
    api.say(PREDICT, answer(1_000), (400, {"error": error}))
    with pytest.raises(ApiFault, match=r"expected rows\[3\] to be well") as caught:
        forge.predict("houses", [{"x": at} for at in range(1_500)])
    assert (caught.value.row, caught.value.column, caught.value.field) == (None, None, field)


def test_two_versions_are_never_mixed(forge: Dropforge, api: ApiServer) -> None:
    api.say(PREDICT, answer(1_000, version="1"), answer(1, version="2"))
    with pytest.raises(Fault, match="moved from version 1 to 2 meanwhile: ask again"):
        forge.predict("houses", [{"x": 1}] * 1_001)


def test_no_rows_are_no_question(forge: Dropforge, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "bare.csv").write_text("x,y\n")
    for rows in ([], tmp_path / "bare.csv"):
        with pytest.raises(Fault, match="at least one row"):
            forge.predict("houses", rows)
    assert posted(api) == []


def test_a_file_is_sent_as_text_and_a_batch_at_a_time(forge: Dropforge, api: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("x;y\n" + "1,5;a\n" * 1_001)
    api.say(PREDICT, answer(1_000), answer(1))
    parts = forge.predict_stream("houses", path)
    batch, found = next(parts)
    assert (len(batch.rows), len(found.predictions)) == (1_000, 1_000)
    sent = [asked for asked in api.asked if asked.method == "POST"]
    assert len(sent) == 1  # what nobody has asked for yet is not sent
    assert sent[0].headers["content-type"] == "text/csv"
    assert sent[0].body.startswith(b'x,y\r\n"1,5",a\r\n')
    assert len(next(parts)[0].rows) == 1


def test_runs_and_models_are_as_the_api_tells(forge: Dropforge, api: ApiServer) -> None:
    api.say("GET /api/runs", {"runs": [run_row()]})
    api.say(f"GET /api/runs/{RUN}", run_row())
    api.say("GET /api/models", {"models": [{"model": "houses"}]})
    api.say("GET /api/models/houses", {"model": "houses", "card": {}})
    assert [row.run for row in forge.runs()] == [RUN]
    assert forge.run(RUN).metrics == {"rmse": 0.5, "mae": 0.3}
    assert [line.to_json() for line in forge.models()] == [{"model": "houses"}]
    assert forge.model("houses").to_json() == {"model": "houses", "card": {}}


def test_an_outcome_has_its_report_on_this_machine(forge: Dropforge, api: ApiServer, tmp_path: Path) -> None:
    api.say(f"GET /api/runs/{RUN}", run_row())
    api.say(REPORT, b"<html>the report</html>")
    found = forge.outcome(forge.wait(RUN))
    path = tmp_path / ".dropforge" / "reports" / f"{RUN}.html"
    assert found.to_json() == {
        "run": RUN,
        "model": "houses",
        "status": "promoted",
        "original": None,
        "version": "1",
        "task": "regression",
        "target": "price",
        "metrics": {"rmse": 0.5, "mae": 0.3},
        "baseline": {"rmse": 1.25, "mae": 0.9},
        "reason": "",
        "report": str(path),
        "metric": "rmse",
        "intervals": {},
        "gains": {},
        "notes": [],
        "remarks": [],
        "more_remarks": 0,
        "suspects": [],
        "may_be_chance": False,
    }
    assert path.read_bytes() == b"<html>the report</html>"


def test_a_report_goes_where_it_is_wanted_or_is_told_to_be_missing(
    forge: Dropforge, api: ApiServer, tmp_path: Path
) -> None:
    api.say(f"GET /api/runs/{RUN}", run_row())
    api.say(REPORT, b"<html>")
    assert forge.report(RUN, tmp_path / "new" / "r.html").read_bytes() == b"<html>"
    api.say(f"GET /api/runs/{RUN}", run_row(status="rejected", report=None))
    with pytest.raises(Fault, match="has no report: it is 'rejected'"):
        forge.report(RUN)
    with pytest.raises(ApiFault, match="nothing here"):
        forge.report("run-ffffffffffffffff")


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([("2", False), ("1", False)], "1"),
        ([("2", True), ("2", False), ("1", False)], "2"),  # removed: what served comes back
        ([("2", False), ("2", True), ("2", False), ("1", False)], "1"),  # came back: the one before, not itself
        ([("1", False), ("2", False), ("1", False)], "2"),
    ],
)
def test_rollback_is_to_another_version_than_the_one_that_serves(
    forge: Dropforge, api: ApiServer, history: list[tuple[str, bool]], expected: str
) -> None:
    told = [{"version": version, "withdrawn": withdrawn} for version, withdrawn in history]
    api.say("GET /api/models/houses", {"history": told})
    api.say("PUT /api/models/houses/live", {"version": expected})
    forge.rollback("houses")
    assert [json.loads(asked.body) for asked in api.asked if asked.method == "PUT"] == [
        {"version": expected, "because": ""}
    ]


@pytest.mark.parametrize("history", [[], [("1", False)], [("1", False), ("1", True), ("1", False)]])
def test_without_another_version_there_is_no_rollback(
    forge: Dropforge, api: ApiServer, history: list[tuple[str, bool]]
) -> None:
    api.say("GET /api/models/houses", {"history": [{"version": name, "withdrawn": gone} for name, gone in history]})
    with pytest.raises(Fault, match="nothing served before; name a version"):
        forge.rollback("houses")


def test_rollback_goes_on_behind_the_page_of_the_model(forge: Dropforge, api: ApiServer) -> None:
    def moves(*versions: str) -> list[dict[str, Any]]:
        return [{"version": version, "withdrawn": False} for version in versions]

    api.say("GET /api/models/houses", {"history": moves("8", "8"), "history_next": "41"})
    pages = [{"history": moves("8"), "next": "40"}, {"history": moves("8", "7"), "next": "38"}]
    api.say("GET /api/models/houses/history", *pages)
    api.say("PUT /api/models/houses/live", {"version": "7"})
    forge.rollback("houses")
    paths = [asked.path for asked in api.asked if asked.path.startswith("/api/models/houses/history")]
    assert paths == ["/api/models/houses/history?after=41", "/api/models/houses/history?after=40"]
    assert json.loads(api.asked[-1].body) == {"version": "7", "because": ""}
