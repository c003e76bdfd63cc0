"""One bad cell does not fail a file: the other rows are answered, the bad ones named, and the exit code is 1."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.client.server import ApiServer, answer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

PREDICT = "POST /api/models/houses/predict"


def with_gaps(count: int, wrong: list[int], column: str | None = "x", probabilities: bool = True) -> dict[str, Any]:
    """An answer without those rows."""
    document = answer(count, probabilities=probabilities)
    for name in ("predictions", "ids", *(["probabilities"] if probabilities else [])):
        document[name] = [None if at in wrong else each for at, each in enumerate(document[name])]
    reason = "expected a number or an empty field, got 'old'"
    refused = [{"row": at, "column": column, "code": "wrong_type", "reason": reason} for at in wrong]
    return {**document, "refused": refused}


@pytest.fixture
def rows(tmp_path: Path) -> str:
    (tmp_path / "in.csv").write_text("x,y\n" + "".join(f"{at},b\n" for at in range(1_003)))
    return "in.csv"


def test_the_others_are_written_and_the_bad_ones_named(run: Run, api: ApiServer, rows: str, tmp_path: Path) -> None:
    api.say(PREDICT, with_gaps(1_000, [0, 999]), with_gaps(3, [1]))
    ran = run("predict", "houses", "--file", rows, "--out", "out.csv")
    assert (ran.code, ran.out) == (1, "1000 rows predicted by version 1 of houses: out.csv\n")
    assert "3 rows have no prediction:" in ran.err
    for number in (1, 1000, 1002):
        assert f"row {number}, column 'x': expected a number or an empty field, got 'old'" in ran.err
    with (tmp_path / "out.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["x"] for row in written] == [str(at) for at in range(1, 1_003) if at not in (999, 1_001)]
    assert all(row["prediction"] == "yes" and row["probability_yes"] == "0.75" for row in written)
    asked = [asked.path for asked in api.asked if asked.method == "POST"]
    assert asked == ["/api/models/houses/predict?errors=skip"] * 2


def test_json_has_every_row_and_every_reason(run: Run, api: ApiServer, rows: str) -> None:
    api.say(PREDICT, with_gaps(1_000, [*range(500)], None), with_gaps(3, [1]))
    for more in ([], ["--out", "out.jsonl"]):
        api.say(PREDICT, with_gaps(1_000, [*range(500)], None), with_gaps(3, [1]))
        ran = run("predict", "houses", "--file", rows, "--json", *more)
        assert ran.code == 1
        assert len(ran.document["predictions"]) == len(ran.document["ids"]) == 1_003
        assert [each["row"] for each in ran.document["refused"]] == [*range(500), 1_001]
        assert "501 rows have no prediction:" in ran.err and "and 491 more; --json lists all" in ran.err
        assert "row 1: expected" in ran.err and len(ran.err.splitlines()) < 15


def test_the_table_shows_which_row_was_refused(run: Run, api: ApiServer, rows: str) -> None:
    api.say(PREDICT, with_gaps(1_000, [1]))
    ran = run("predict", "houses", "--file", rows)
    lines = [line.split() for line in ran.out.splitlines()]
    assert ran.code == 1 and "1 row has no prediction:" in ran.err
    assert ["1", "yes", "0.750", "0", "b"] in lines and ["2", "refused", "1", "b"] in lines


def test_explanations_have_gaps(run: Run, api: ApiServer, rows: str) -> None:
    told = {"class": None, "base": 1.0, "contributions": {"x": 0.5}, "errors": {"x": 0.1}}
    gaps = with_gaps(10, [1], probabilities=False)
    api.say(PREDICT, {**gaps, "explanations": [None if at == 1 else told for at in range(10)]})
    ran = run("predict", "houses", "--file", rows, "--explain")
    assert ran.code == 1 and "row 2: refused" in ran.out and "row 3: 2" in ran.out


def test_a_file_of_bad_rows_alone(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"x": "old"}) + "\n")
    api.say(PREDICT, with_gaps(1, [0]))
    for more in ([], ["--out", "out.csv"], ["--json"], ["--explain"]):
        ran = run("predict", "houses", "--file", "in.jsonl", *more)
        assert (ran.code, "1 row has no prediction:" in ran.err) == (1, True), ran


def test_rows_on_the_command_line_are_refused_as_before(run: Run, api: ApiServer) -> None:
    error = {"code": "wrong_type", "message": "rows[0].x: expected a number", "field": "rows[0].x"}
    api.say(PREDICT, (422, {"error": error}))
    ran = run("predict", "houses", "--rows", '[{"x": "old"}]')
    assert ran.code == 1 and "error: rows[0].x: expected a number" in ran.err
    assert api.asked[-1].path == "/api/models/houses/predict"


def test_a_model_is_named_after_its_file_and_the_name_is_said(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "Äpfel 2024.csv").write_text("x,y\n1,2\n")
    key = "datasets/aepfel-2024/%C3%84pfel%202024.csv"
    api.say(f"PUT /drops/{key}", b"")
    ran = run("drop", "Äpfel 2024.csv", "--json")
    assert (ran.code, ran.document["model"]) == (0, "aepfel-2024")
    assert ran.document["key"] == "datasets/aepfel-2024/Äpfel 2024.csv"
    assert "the model is named aepfel-2024 after the file" in ran.err
    (tmp_path / "売上.csv").write_text("x,y\n1,2\n")
    ran = run("drop", "売上.csv")
    assert ran.code == 2 and "choose one with --model" in ran.err and "売上.csv" in ran.err
