"""`predict --explain`: bars for people, contributions for files and programs."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.client.server import ApiServer, answer

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run

PREDICT = "POST /api/models/houses/predict"


def explained(count: int, probabilities: bool = False, columns: int = 3) -> dict[str, Any]:
    """An answer whose first column raises it, the second lowers it, and the others do nothing."""
    found = {"rooms": 40.0, "noise": -20.0, **{f"c{at}": 0.0 for at in range(columns - 2)}}
    told = {"class": "yes" if probabilities else None, "base": 100.0, "contributions": found,
            "errors": dict.fromkeys(found, 1.5)}  # fmt: skip
    return {**answer(count, probabilities=probabilities), "explanations": [told] * count}


def asked_for(api: ApiServer) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(each.path).query) for each in api.asked if each.method == "POST"]


def test_bars_show_what_raises_and_what_lowers(run: Run, api: ApiServer) -> None:
    api.say(PREDICT, explained(1))
    ran = run("predict", "houses", "--rows", '[{"rooms": 4, "noise": null, "c0": "a\\u001bb"}]', "--explain")
    assert ran.code == 0
    lines = {line.split(" ")[0]: line for line in ran.out.splitlines()}
    assert "100" in lines["base"]
    assert lines["rooms"].count("█") == 14 and "rooms = 4" in lines["rooms"] and "+40 ± 1.5" in lines["rooms"]
    assert lines["noise"].count("█") == 7 and "noise = missing" in lines["noise"] and "-20" in lines["noise"]
    assert lines["noise"].rindex("█") < lines["rooms"].index("█"), "to the left of the middle, and to the right"
    assert "\x1b" not in ran.out and "█" not in lines["c0"]
    assert asked_for(api) == [{"explain": ["true"]}]


def test_many_columns_end_in_one_line(run: Run, api: ApiServer) -> None:
    api.say(PREDICT, explained(1, columns=30))
    shown = run("predict", "houses", "--rows", '[{"rooms": 4}]', "--explain").out
    assert "20 others" in shown and "c7" in shown and "c8" not in shown


def test_a_class_is_asked_for_and_named(run: Run, api: ApiServer) -> None:
    api.say(PREDICT, explained(1, probabilities=True))
    shown = run("predict", "houses", "--rows", '[{"rooms": 4}]', "--explain", "--class", "yes").out
    assert "row 1: yes, probability of yes 120.000" in shown
    assert asked_for(api) == [{"explain": ["true"], "class": ["yes"]}]
    wrong = run("predict", "houses", "--rows", '[{"rooms": 4}]', "--class", "yes")
    assert wrong.code != 0 and "expected explain with it" in wrong.err


def test_rows_go_ten_at_a_time_and_the_first_are_shown(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("rooms\n" + "1\n" * 25)
    api.say(PREDICT, explained(10), explained(10), explained(5))
    whole = run("predict", "houses", "--file", "in.csv", "--explain", "--json").document
    assert len(whole["explanations"]) == len(whole["predictions"]) == 25
    assert [len(each.body.split()) - 1 for each in api.asked if each.method == "POST"] == [10, 10, 5]
    api.say(PREDICT, explained(10))
    shown = run("predict", "houses", "--file", "in.csv", "--explain").out
    assert "row 5" in shown and "row 6" not in shown and "--out FILE writes all" in shown


def test_contributions_are_written_to_files(run: Run, api: ApiServer, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("rooms,base\n1,2\n")
    api.say(PREDICT, explained(1))
    run("predict", "houses", "--file", "in.csv", "--explain", "--out", "out.csv")
    with (tmp_path / "out.csv").open(newline="") as written:
        (row,) = csv.DictReader(written)
    assert (row["base"], row["base_"], row["contribution_rooms"], row["prediction_id"]) == ("2", "100.0", "40.0", "p-0")
    run("predict", "houses", "--file", "in.csv", "--explain", "--out", "out.jsonl")
    (line,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert line["explanation"] == explained(1)["explanations"][0]
