"""Lists of a recommender, as people see them and as files keep them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from tests.client.server import ApiServer, answer

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

PREDICT = "POST /api/models/films/predict"


def test_recommendations_are_shown_and_written(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("user,item\nu1,i7\nu1,\n")
    items = [{"item": "i3", "score": 4.5}, {"item": "i9", "score": 4.0}]
    api.say(PREDICT, {**answer(2), "recommendations": [None, items]})
    people = run("predict", "films", "--file", "in.csv")
    assert "recommended" in people.out and "i3, i9" in people.out
    run("predict", "films", "--file", "in.csv", "--out", "out.csv")
    with (tmp_path / "out.csv").open(newline="") as written:
        rows = list(csv.DictReader(written))
    assert rows[0]["recommendations"] == "" and json.loads(rows[1]["recommendations"]) == items
    run("predict", "films", "--file", "in.csv", "--out", "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["recommendations"] for line in lines] == [None, items]
    whole = run("predict", "films", "--file", "in.csv", "--json").document
    assert whole["recommendations"] == [None, items]
