"""A batch from the drop to the predictions: right, whole, in the file's own format, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from dropforge.contract import names
from dropforge.contract.registry import run_key
from lambdas.batch.answer.handler import handle as answer
from lambdas.batch.join.handler import handle as join
from lambdas.batch.plan.handler import handle as plan
from lambdas.pipeline.claim.handler import handle as claim
from tests.serving.little import strict_little
from tests.steps import cloud as clouds
from tests.steps.cloud import HANDLERS, delete_row

from .conftest import Batches, table

if TYPE_CHECKING:
    from pathlib import Path

SHARES = ("probability_0", "probability_1", "probability_2")


def shares(rows: list[dict[str, Any]]) -> np.ndarray:
    return np.array([[float(row[name]) for name in SHARES] for row in rows], dtype=np.float32)


def assert_as_predicted(batches: Batches, rows: list[dict[str, Any]], text: str) -> None:
    """What the predict function answers to the same text, to the last bit of float32."""
    expected = batches.predicted(text)
    assert [str(row["prediction"]) for row in rows] == [str(each) for each in expected["predictions"]]
    wanted = [[each["0"], each["1"], each["2"]] for each in expected["probabilities"]]
    np.testing.assert_array_equal(shares(rows), np.array(wanted, dtype=np.float32))


def test_a_csv_is_answered_as_the_predict_function_answers_it(batches: Batches) -> None:
    text = table(outcome="1")
    row = batches.run("new.csv", text.encode())
    rows = batches.rows("new.csv")
    assert_as_predicted(batches, rows, text)
    assert list(rows[0]) == ["line", "outcome", "warnings", "prediction", *SHARES, "prediction_id"]
    assert [int(each["line"]) for each in rows] == list(range(2, 152))
    assert len({each["prediction_id"] for each in rows}) == 150
    assert (row.status, row.predicted, row.failed, row.version) == ("predicted", 150, 0, "1")
    assert (row.kind, row.pieces, row.progress) == ("batch", 1, {"1": 150})
    assert row.output == "s3://artifacts/predictions/flowers/new.csv"


def test_totals_and_message(batches: Batches) -> None:
    batches.cloud.messages()
    row = batches.run("new.csv", table(10).encode())
    told = batches.summary("new.csv")
    assert told["seconds"] > 0
    assert {name: told[name] for name in ("run", "model", "version", "file", "rows", "predicted", "failed")} == {
        "run": row.run, "model": "flowers", "version": "1", "file": "new.csv", "rows": 10, "predicted": 10, "failed": 0,
    }  # fmt: skip
    assert batches.text("new.csv.errors.jsonl") == b""
    (message,) = batches.cloud.messages()
    assert "10 rows predicted by version 1, 0 failed." in message["Message"]
    assert "s3://artifacts/predictions/flowers/new.csv" in message["Message"]


POISON = """x0,x1,x2,x3,colour,id
5.1,3.5,1.4,0.2,red,a
5.1,three,1.4,0.2,red,b
5.1,3.5,1.4,0.2,red
1e39,3.5,1.4,0.2,red,d
5.1,3.5,1.4,0.2,unseen,"e,""f"

,,,,,g
"""


def test_poisoned_rows_are_reported_by_line_and_lose_no_other(batches: Batches) -> None:
    row = batches.run("new.csv", POISON.encode())
    assert [(each["line"], each["id"]) for each in batches.rows("new.csv")] == [("2", "a"), ("6", 'e,"f'), ("8", "g")]
    assert batches.errors("new.csv") == [
        {"line": 3, "column": "x1", "why": "expected a number or an empty field, got 'three'"},
        {"line": 4, "column": None, "why": "expected 6 fields as in the header, got 5"},
        {"line": 5, "column": "x0", "why": "expected a number within the range of float32, got '1e39'"},
    ]
    assert (row.status, row.predicted, row.failed) == ("predicted", 3, 3)


def test_every_row_poisoned(batches: Batches) -> None:
    text = "x0,x1,x2,x3,colour\n" + "a,b,c,d,red\n" * 5_000
    row = batches.run("new.csv", text.encode())
    assert (row.predicted, row.failed) == (0, 5_000)
    assert [each["line"] for each in batches.errors("new.csv")] == list(range(2, 5_002))
    assert (
        batches.text("new.csv") == b"line,warnings,prediction,probability_0,probability_1,probability_2,prediction_id\n"
    )


def test_cut_into_pieces_it_is_the_same_to_the_byte(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where fields hold line breaks, and where a comma's meaning is told by a row of another piece."""
    text = "x0;x1;x2;x3;colour;note\n"
    text += "".join(f'"{at},5";3.5;1.4;0.2;red;"a\nb {at}"\n' for at in range(500))
    text += '"1,234";3.5;1.4;0.2;red;x\n' + "".join(f"{at};3.5;bad;0.2;red;y\n" for at in range(3))
    given = batches.drop("new.csv", text.encode())
    whole = batches.go(given)
    expected = [batches.text(name) for name in ("new.csv", "new.csv.errors.jsonl")]
    monkeypatch.setenv("PIECE_BYTES", "1000")
    monkeypatch.setattr("dropforge.datasets.blocks.BLOCK", 500)
    monkeypatch.setattr("dropforge.datasets.streams.CHUNK", 300)
    forget(whole.run)
    cut = batches.go(given)
    assert whole.pieces == 1 and cut.pieces > 10
    assert [batches.text(name) for name in ("new.csv", "new.csv.errors.jsonl")] == expected
    assert (cut.predicted, cut.failed) == (501, 3)
    assert [each["line"] for each in batches.errors("new.csv")] == [1003, 1004, 1005]
    last = batches.rows("new.csv", delimiter=";")[-1]
    (alone,) = batches.predicted("x0,x1,x2,x3,colour\n1.234,3.5,1.4,0.2,red\n")["probabilities"]
    assert np.float32(last["probability_0"]) == np.float32(alone["0"])


def forget(run: str) -> None:
    """The row of a run is gone, so that the same version of the object can be done again."""
    delete_row(run_key(run))


def test_nothing_is_left_behind_and_the_plan_stays(batches: Batches) -> None:
    row = batches.run("new.csv", table().encode())
    files = names.RunFiles(row.run)
    assert batches.keys(files.batch) == [f"{files.batch}plan.json"]
    assert sorted(batches.keys("predictions/")) == [
        f"predictions/flowers/new.csv{ending}" for ending in ("", ".errors.jsonl", ".summary.json")
    ]


def test_the_predictions_appear_last_and_not_at_all_when_a_piece_is_missing(batches: Batches) -> None:
    given = batches.drop("new.csv", table().encode())
    known = {name: claim(given, None)[name] for name in ("run", "model")}
    plan(known, None)
    with pytest.raises(Exception, match="NoSuchKey"):
        join(known, None)
    assert batches.keys("predictions/") == []
    answer({**known, "piece": 1}, None)
    join(known, None)
    times = {
        each["Key"]: each["LastModified"]
        for each in batches.cloud.s3.list_objects_v2(Bucket="artifacts", Prefix="predictions/")["Contents"]
    }
    assert max(times.values()) == times["predictions/flowers/new.csv"]


def test_every_step_may_be_done_twice(batches: Batches) -> None:
    given = batches.drop("new.csv", table().encode())
    known = {name: claim(given, None)[name] for name in ("run", "model")}
    assert claim(given, None)["outcome"] == "claimed"
    assert claim({**given, "execution": "exe-2"}, None)["outcome"] == "duplicate"
    assert plan(known, None) == plan(known, None)
    assert answer({**known, "piece": 1}, None) == answer({**known, "piece": 1}, None)
    first = join(known, None)
    text = batches.text("new.csv")
    assert join(known, None) == first == {"predicted": 150, "failed": 0}
    assert batches.text("new.csv") == text


def test_the_same_file_dropped_again_is_predicted_again(batches: Batches) -> None:
    first = batches.run("new.csv", table().encode())
    again = batches.run("new.csv", table().encode())
    assert first.run != again.run and again.status == "predicted"


@pytest.mark.parametrize("name", ["new.csv", "new.csv.gz", "new.parquet"])
def test_each_run_knows_its_own_predictions_under_the_same_name(batches: Batches, name: str) -> None:
    def body(rows: int) -> bytes:
        if name.endswith(".parquet"):
            out = io.BytesIO()
            pl.read_csv(table(rows).encode()).write_parquet(out)
            return out.getvalue()
        return gzip.compress(table(rows).encode()) if name.endswith(".gz") else table(rows).encode()

    for rows in (30, 40):
        row = batches.run(name, body(rows))
        assert row.predicted == rows and row.output_version
        if rows == 30:
            first = row
    for row in (first, batches.cloud.registry.runs(1)[0]):
        summary = batches.cloud.s3.get_object(
            Bucket="artifacts", Key=f"predictions/flowers/{name}", VersionId=row.output_version
        )
        content = summary["Body"].read()
        if name.endswith(".parquet"):
            assert len(pl.read_parquet(content)) == row.predicted
        else:
            text = gzip.decompress(content) if name.endswith(".gz") else content
            assert text.count(b"\n") == row.predicted + 1


def test_the_version_is_pinned_when_the_batch_is_planned(batches: Batches) -> None:
    given = batches.drop("new.csv", table().encode())
    known = {name: claim(given, None)[name] for name in ("run", "model")}
    plan(known, None)
    batches.cloud.serve("multiclass", "flowers", "datasets/flowers/b.csv", b"other")
    live = batches.cloud.registry.live("flowers")
    assert live is not None and live.version == "2"
    answer({**known, "piece": 1}, None)
    join(known, None)
    assert batches.summary("new.csv")["version"] == "1"


def test_gzip_in_gzip_out(batches: Batches) -> None:
    text = table()
    batches.run("new.csv", text.encode())
    batches.run("new.csv.gz", gzip.compress(text.encode()))
    plain, unpacked = (
        without_ids(each) for each in (batches.text("new.csv"), gzip.decompress(batches.text("new.csv.gz")))
    )
    assert unpacked == plain


def without_ids(text: bytes) -> list[bytes]:
    return [line.rpartition(b",")[0] for line in text.splitlines()]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_other_encodings_are_read_and_answers_are_utf_8(batches: Batches, encoding: str) -> None:
    text = "x0,x1,x2,x3,colour,größe\n5.1,3.5,1.4,0.2,red,süß\n"
    batches.run("new.csv", text.encode(encoding))
    (row,) = batches.rows("new.csv")
    assert (row["line"], row["größe"]) == ("2", "süß")


def test_tab_separated(batches: Batches) -> None:
    text = table()
    batches.run("new.tsv", text.replace(",", "\t").encode())
    assert_as_predicted(batches, batches.rows("new.tsv", delimiter="\t"), text)


def test_json_lines(batches: Batches) -> None:
    text = table(60)
    records = pl.read_csv(io.BytesIO(text.encode()), infer_schema=False).to_dicts()
    lines = [json.dumps({**each, "id": 10**20 + at, "line": 1.50}) for at, each in enumerate(records)]
    row = batches.run("new.jsonl", "\n".join([*lines, "oops", '{"x0": [1]}']).encode())
    found = [json.loads(line) for line in batches.text("new.jsonl").splitlines()]
    assert list(found[0]) == ["id", "line", "line_", "prediction", "probabilities", "prediction_id"]
    assert [each["id"] for each in found] == [10**20 + at for at in range(60)]
    flat = [{**each, **{f"probability_{name}": each["probabilities"][name] for name in "012"}} for each in found]
    assert_as_predicted(batches, flat, text)
    assert (row.predicted, row.failed) == (60, 2)
    assert [(each["line"], each["column"]) for each in batches.errors("new.jsonl")] == [(61, None), (62, "x0")]


def test_parquet_in_parquet_out(batches: Batches) -> None:
    text = table(outcome="007")
    frame = pl.read_csv(io.BytesIO(text.encode()), schema_overrides={"outcome": pl.String})
    out = io.BytesIO()
    frame.write_parquet(out)
    batches.run("new.parquet", out.getvalue())
    found = pl.read_parquet(io.BytesIO(batches.text("new.parquet")))
    assert dict(found.schema) == {
        "line": pl.Int64, "outcome": pl.String, "warnings": pl.String, "prediction": pl.Int64,
        **dict.fromkeys(SHARES, pl.Float32), "prediction_id": pl.String,
    }  # fmt: skip
    assert found["line"].to_list() == list(range(1, 151))
    assert set(found["outcome"]) == {"007"}
    assert_as_predicted(batches, found.to_dicts(), text)


def test_excel_in_excel_out(batches: Batches, tmp_path: Path) -> None:
    """Columns that the model does not read keep their values, and no text becomes a formula."""
    text, path = table(outcome="007"), tmp_path / "new.xlsx"
    header, *rows = [line.split(",") for line in text.splitlines()]
    with xlsxwriter.Workbook(path) as workbook:
        sheet = workbook.add_worksheet("cover")
        sheet = workbook.add_worksheet("rows")
        for at, fields in enumerate([[*header, "note", "age"], *([*row, "=1+1", 31.5] for row in rows)]):
            for column, field in enumerate(fields):
                sheet.write(at, column, float(field) if re.fullmatch(r"-?\d+\.\d+", str(field)) else field)
                if field in ("=1+1", "007"):
                    sheet.write_string(at, column, field)
    row = batches.run("new.xlsx", path.read_bytes())
    path.write_bytes(batches.text("new.xlsx"))
    answer = CalamineWorkbook.from_path(path).get_sheet_by_name("predictions").to_python()
    names, found = answer[0], [dict(zip(answer[0], each, strict=True)) for each in answer[1:]]
    assert (row.status, row.predicted, row.failed) == ("predicted", len(rows), 0)
    assert names == ["line", "outcome", "note", "age", "warnings", "prediction", *SHARES, "prediction_id"]
    assert found[0] | {name: None for name in names[4:]} == {
        "line": 1, "outcome": "007", "note": "=1+1", "age": 31.5, **dict.fromkeys(names[4:]),
    }  # fmt: skip
    assert_as_predicted(batches, [{**each, "prediction": int(each["prediction"])} for each in found], text)


def test_a_sheet_without_the_columns_of_the_model_is_named(batches: Batches, tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "new.xlsx") as workbook:
        workbook.add_worksheet("cover").write_row(0, 0, ["x0", "x1"])
    row = batches.run("new.xlsx", (tmp_path / "new.xlsx").read_bytes())
    assert row.status == "rejected" and "new.xlsx, sheet cover' has no 'x2', 'x3', 'colour'" in row.reason


def test_a_set_of_parts(batches: Batches) -> None:
    first, second = table(80), table(20, id="z")
    batches.cloud.drop("batch/flowers/july/part-0.csv", first.encode())
    batches.cloud.drop("batch/flowers/july/part-1.tsv", second.replace(",", "\t").replace("red", "").encode())
    row = batches.run("july/_SUCCESS", b"")
    assert (row.status, row.predicted, row.pieces) == ("predicted", 100, 2)
    assert_as_predicted(batches, batches.rows("july/part-0.csv"), first)
    assert batches.rows("july/part-1.tsv", delimiter="\t")[0]["id"] == "z"
    assert batches.text("july/_SUCCESS") == b""
    assert row.output == "s3://artifacts/predictions/flowers/july/"
    assert batches.summary("july")["rows"] == 100


def test_parts_and_folders_wait(batches: Batches) -> None:
    assert claim(batches.drop("july/part-0.csv", b"x"), None)["outcome"] == "ignored"
    assert claim(batches.drop("july/", b""), None)["outcome"] == "ignored"


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("new.csv", b"x0,x1,id\n1,2,3\n", "'new.csv' has no 'x2', 'x3', 'colour'; expected every column"),
        ("new.jsonl", b'{"x0": 1, "x1": 2, "x2": 3, "x3": 4}\n', "'new.jsonl' has no 'colour'"),
        ("new.csv", b"", "'new.csv' is empty"),
        ("new.csv", b"x0,x0,x1\n1,2,3\n", "the header has 'x0' 2 times"),
        ("new.xls", b"PK", "expected a file ending in"),
        ("new.xlsx", b"PK", "expected an Excel workbook"),
        ("new.zip", b"PK", "expected a file ending in"),
        ("deep/new.csv", b"x", "lies in a folder"),
        ("none/_SUCCESS", b"", "has no part beside it"),
        ("spec.yaml", b"target: x", "expected a file ending in"),
        ("new.csv.gz", b"\x1f\x8b damaged", "gzip"),
    ],
)
def test_what_is_rejected_as_a_whole(batches: Batches, name: str, body: bytes, reason: str) -> None:
    row = batches.run(name, body)
    assert row.status == "rejected"
    assert reason in row.reason
    assert batches.keys("predictions/") == []


def test_no_live_model(batches: Batches) -> None:
    row = batches.run("new.csv", b"a\n1\n", "nobody")
    assert row.status == "rejected"
    assert "no version of 'nobody' is live" in row.reason and "drop a data set under datasets/nobody/" in row.reason


def test_a_header_alone_has_no_predictions_and_is_no_fault(batches: Batches) -> None:
    row = batches.run("new.csv", b"x0,x1,x2,x3,colour")
    assert (row.status, row.predicted, row.failed) == ("predicted", 0, 0)
    assert batches.text("new.csv").count(b"\n") == 1


def test_names_that_are_taken_get_underscores(batches: Batches) -> None:
    batches.run("new.csv", table(1, line="x", prediction="y").encode())
    (row,) = batches.rows("new.csv")
    assert (row["line"], row["prediction"]) == ("x", "y")
    assert row["line_"] == "2" and row["prediction_"] in "012"


def test_a_piece_that_fails_says_which_and_why(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    """The map itself says no more than that its tolerance was exceeded."""
    run = batches.cloud.claim("batch/flowers/new.csv", table(10).encode())["run"]
    plan({"run": run, "model": "flowers"}, None)

    def fail(*_: Any) -> Any:
        raise OSError("no space left\non the device")

    monkeypatch.setattr("lambdas.batch.answer.handler.blocks_of", fail)
    with pytest.raises(OSError, match="no space left"):
        answer({"run": run, "model": "flowers", "piece": 1}, None)
    cause = "The specified tolerated failure threshold was exceeded"
    told = {"execution": "exe-1", "run": run, "model": "flowers", "status": "failed", "reason": "", "step": "Answer"}
    HANDLERS["notify"]({**told, "error": "States.ExceedToleratedFailureThreshold", "cause": cause}, None)
    assert batches.cloud.registry.run(run).reason == "Answer failed: piece 1: OSError: no space left on the device"


COLOURS = """x0,x1,x2,x3,colour
5.1,3.5,1.4,0.2,red
5.1,3.5,1.4,0.2,violet
5.1,3.5,1.4,0.2,
"""


def test_values_that_the_model_does_not_know_are_told_beside_the_prediction(batches: Batches) -> None:
    batches.run("new.csv", COLOURS.encode())
    assert [row["warnings"] for row in batches.rows("new.csv")] == ["", "colour: unknown_category", ""]
    assert batches.summary("new.csv")["warnings"] == {"colour": 1}


def test_json_lines_have_warnings_where_there_are_any(batches: Batches) -> None:
    header, *lines = COLOURS.splitlines()
    records = [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]
    batches.run("new.jsonl", "\n".join(map(json.dumps, records)).encode())
    rows = [json.loads(line) for line in batches.text("new.jsonl").splitlines()]
    assert [row.get("warnings") for row in rows] == [None, ["colour: unknown_category"], None]


def test_a_strict_model_answers_the_rows_that_it_knows(batches: Batches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clouds, "little", strict_little)
    batches.cloud.serve("multiclass", "strict")
    batches.run("new.csv", COLOURS.encode(), "strict")
    assert [row["line"] for row in batches.rows("new.csv", "strict")] == ["2", "4"]
    errors = batches.text("new.csv.errors.jsonl", "strict").splitlines()
    (error,) = [json.loads(line) for line in errors]
    assert (error["line"], error["column"]) == (3, "colour")
    assert "'violet'" in error["why"]
