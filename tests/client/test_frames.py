"""Answers as frames of the kind that went in, and rows that are skipped, over an API on this machine."""

from __future__ import annotations

from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dropforge.client import ApiFault, Dropforge, Fault
from tests.client.server import ApiServer, answer

PREDICT = "POST /api/models/houses/predict"


def refused(count: int, wrong: list[int], **lists: Any) -> dict[str, Any]:
    """An answer of `errors=skip`."""
    document = answer(count, probabilities=True)
    for name in ("predictions", "ids", "probabilities"):
        document[name] = [None if at in wrong else each for at, each in enumerate(document[name])]
    rows = [{"row": at, "column": "x", "code": "wrong_type", "reason": "expected a number"} for at in wrong]
    return {**document, **lists, "refused": rows}


def test_pandas_comes_back_as_pandas_with_its_index(forge: Dropforge, api: ApiServer) -> None:
    api.say(PREDICT, answer(1_000, probabilities=True), answer(500, probabilities=True))
    houses = pd.DataFrame({"x": range(1_500)}, index=[f"k{at}" for at in range(1_500)])
    found = forge.predict_frame("houses", houses)
    assert isinstance(found, pd.DataFrame) and found.index.equals(houses.index)
    assert list(found) == ["prediction", "probability_no", "probability_yes", "prediction_id"]
    assert found.loc["k1003"].to_list() == ["yes", 0.25, 0.75, "p-3"]
    assert houses.join(found).shape == (1_500, 5) and list(houses) == ["x"]


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(3, 0, -1),
        pd.Index([7, 7, 7], name="id"),
        pd.date_range("2024-05-31", periods=3, tz="Europe/Berlin"),
        pd.MultiIndex.from_product([["a"], [1, 2, 3]], names=["shop", None]),
    ],
    ids=lambda index: type(index).__name__,
)
def test_any_index_is_preserved(forge: Dropforge, api: ApiServer, index: Any) -> None:
    api.say(PREDICT, answer(3))
    found = forge.predict_frame("houses", pd.DataFrame({"x": [1, 2, 3]}, index=index))
    assert found.index.identical(index) and found["prediction"].dtype == "float64"


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, pa.RecordBatch.from_pydict], ids=["polars", "table", "batch"])
def test_other_frames_come_back_as_themselves(forge: Dropforge, api: ApiServer, make: Any) -> None:
    api.say(PREDICT, answer(2, probabilities=True))
    frame = make({"x": [1, 2]})
    found: Any = forge.predict_frame("houses", frame)
    assert type(found) is type(frame)
    columns = found.to_dict(as_series=False) if isinstance(found, pl.DataFrame) else found.to_pydict()
    assert columns == {
        "prediction": ["yes"] * 2, "probability_no": [0.25] * 2, "probability_yes": [0.75] * 2,
        "prediction_id": ["p-0", "p-1"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "rows", [[{"x": 1}], {"x": [1]}, "rows.csv", pl.LazyFrame({"x": [1]}), pd.Series([1])], ids=str
)
def test_what_is_no_frame_is_told_before_anything_is_sent(forge: Dropforge, api: ApiServer, rows: Any) -> None:
    with pytest.raises(Fault, match="expected a frame of pandas or polars, or an Arrow table"):
        forge.predict_frame("houses", rows)
    assert not [asked for asked in api.asked if asked.method == "POST"]


def test_skipped_rows_are_counted_over_all_rows(forge: Dropforge, api: ApiServer) -> None:
    too_large = (413, {"error": {"code": "too_large", "message": "too large", "field": None}})
    api.say(PREDICT, refused(1_000, [3]), too_large, refused(1, []), refused(1, [0]))
    found = forge.predict("houses", [{"x": at} for at in range(1_002)], errors="skip")
    assert [each["row"] for each in found.refused or []] == [3, 1_001]
    assert [at for at, name in enumerate(found.ids) if name is None] == [3, 1_001]
    assert {asked.path for asked in api.asked if asked.method == "POST"} == {"/api/models/houses/predict?errors=skip"}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
@pytest.mark.parametrize("wrong", [[0], [0, 1]], ids=["one", "all"])
def test_a_frame_has_a_gap_and_a_reason_for_a_skipped_row(
    forge: Dropforge, api: ApiServer, make: Any, wrong: list[int]
) -> None:
    explanation = {"class": "yes", "base": 0.5, "contributions": {"x": 0.25}, "errors": {"x": 0.0}}
    api.say(PREDICT, refused(2, wrong, explanations=[None if at in wrong else explanation for at in range(2)]))
    found = forge.predict_frame("houses", make({"x": ["a", 1]} if make is pd.DataFrame else {"x": [2, 1]}),
                                explain=True, errors="skip")  # fmt: skip
    rows = pd.DataFrame(found.to_pandas() if not isinstance(found, pd.DataFrame) else found).astype(object)
    rows = rows.where(rows.notna(), None).to_dict("records")
    filled = {
        "prediction": "yes", "probability_no": 0.25, "probability_yes": 0.75, "base": 0.5, "contribution_x": 0.25,
        "prediction_id": "p-1", "refused": None,
    }  # fmt: skip
    if wrong == [0]:
        assert rows == [{**dict.fromkeys(filled), "refused": "x: expected a number"}, filled]
    else:
        assert (
            rows == [{"prediction": None, "base": None, "prediction_id": None, "refused": "x: expected a number"}] * 2
        )


def test_by_default_a_wrong_row_raises(forge: Dropforge, api: ApiServer) -> None:
    error = {"code": "wrong_type", "message": "rows[0].x: …", "field": "rows[0].x", "row": 0, "column": "x"}
    api.say(PREDICT, (422, {"error": error}))
    for call in (forge.predict, forge.predict_frame):
        with pytest.raises(ApiFault, match=r"rows\[0\].x"):
            call("houses", pd.DataFrame({"x": ["a"]}))
    assert api.asked[-1].path == "/api/models/houses/predict"


def test_another_word_for_errors_is_refused(forge: Dropforge) -> None:
    with pytest.raises(Fault, match="errors 'ignore': expected 'raise' or 'skip'"):
        forge.predict("houses", [{"x": 1}], errors="ignore")  # type: ignore[arg-type]
