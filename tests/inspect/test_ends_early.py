"""What the trainer, the proof, Judge or the server would refuse is rejected by Inspect, in seconds, with its place.

One list of every such thing; a new refusal further down the way belongs in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from dropforge.contract.schema import LONGEST_TEXT
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.faults import DataFault
from lambdas.pipeline.inspect import logic
from lambdas.pipeline.inspect.logic import decide

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 120
PLAIN = {"x": [row % 17 for row in range(ROWS)], "y": [float(row % 17 * 3 + row % 5) for row in range(ROWS)]}
WORDS = [f"word {row % 7}" for row in range(ROWS)]
CLASSES = [f"c{row % 2}" for row in range(ROWS)]
Columns = dict[str, list[Any]]


def with_one(value: Any, words: list[Any] = WORDS) -> list[Any]:
    """The words with this value in the rows 41 and 81."""
    return [value if row in (40, 80) else word for row, word in enumerate(words)]


def json_lines(folder: Path, columns: Columns) -> Path:
    path = folder / "data.jsonl"
    rows = (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def parquet(folder: Path, columns: Columns) -> Path:
    path = folder / "data.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


LONG = "q" * (LONGEST_TEXT + 1)
REFUSED: list[tuple[str, Columns, dict[str, Any], str]] = [
    ("no name", {**PLAIN, " ": WORDS}, {}, "column 3 of 3 has no name"),
    ("one name twice", {**PLAIN, " x": WORDS}, {}, "the header has 'x' 2 times"),
    ("half a character in a name", {**PLAIN, "a\ud800": WORDS}, {}, r"line 1: a key holds .ud800, half of a"),
    ("a NUL in a name", {**PLAIN, "a\0b": WORDS}, {}, r"column 'a.x00b': expected a name without a NUL"),
    ("half a character", {**PLAIN, "c": with_one("\udc00")}, {}, r"line 41: 'c' holds .udc00"),
    ("a NUL", {**PLAIN, "c": with_one("q\0")}, {}, "line 41: 'c' holds a NUL"),
    ("a long text", {**PLAIN, "c": with_one(LONG)}, {}, "row 41 of 'c' has 10,001 characters; .*`drop: .c.`"),
    ("a long class", {**PLAIN, "y": with_one(LONG, CLASSES)}, {}, "5 rows of every class|row 41 of 'y' has 10,001"),
    ("a frequent long class", {**PLAIN, "y": [LONG, "c"] * 60}, {}, "row 1 of 'y' has 10,001 characters"),
    ("no number in the target", {**PLAIN, "y": ["inf"] * ROWS}, {"task": "regression"}, "task: regression|at least"),
    ("a target beyond float32", {**PLAIN, "y": [1e300, 2e300] * 60}, {}, "at least 50 rows with a value in 'y'"),
    ("one value in the target", {**PLAIN, "y": [2**63, 2**63 + 1] * 60}, {}, "at least 2 (classes|different values)"),
    ("one class but for a few rows", {**PLAIN, "y": ["a"] * 117 + ["b"] * 3}, {}, "5 rows of every class"),
    ("too many classes", {**PLAIN, "y": [f"c{row}" for row in range(ROWS)]}, {}, "'y'"),
    ("nothing to read", {"x": ["1e39"] * ROWS, "y": PLAIN["y"]}, {}, "no column is left to predict 'y' from"),
    ("too few rows", {name: values[:49] for name, values in PLAIN.items()}, {}, "at least 50 rows"),
    ("too few different rows", {"x": [1, 2] * 60, "y": [1, 2] * 60}, {"task": "clustering"}, "50 different rows"),
    ("another task's metric", PLAIN, {"metric": "auc"}, "metric: 'auc' is none of regression"),
    ("a date that is none", {**PLAIN, "c": WORDS}, {"kinds": {"c": "date"}}, "kinds: c: date: .* are no dates"),
    ("groups by the target", PLAIN, {"groups": ["y"]}, "groups: 'y' is the target"),
    ("classes of measurements", PLAIN, {"task": "binary"}, "task: binary needs 2 classes"),
    ("an amount of words", {**PLAIN, "y": WORDS}, {"task": "regression"}, "task: regression needs numbers"),
    ("a recommender without items", {**PLAIN}, {"task": "recommendation"}, "task: recommendation needs a user"),
]  # fmt: skip
NAMED = [
    ({key: "Grosse" if key == "target" else {"Grosse": "number"} if key == "kinds" else ["Grosse"]}, key)
    for key in ("target", "drop", "sensitive", "groups", "kinds", "trusted")
]


@pytest.mark.parametrize(("columns", "wishes", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_would_be_refused_later_is_rejected_at_once(
    tmp_path: Path, columns: Columns, wishes: dict[str, Any], reason: str
) -> None:
    named = {} if wishes.get("task") in ("clustering", "recommendation") else {"target": "y"}
    with pytest.raises((DataFault, SpecFault), match=reason):
        decide([json_lines(tmp_path, columns)], Spec.read({**named, **wishes}))


def test_large_data_are_rejected_for_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logic, "SAMPLE_BYTES", 100)
    path = json_lines(tmp_path, {**PLAIN, "a\0b": WORDS})
    with pytest.raises(DataFault, match="expected a name without a NUL"):
        decide([path], Spec(target="y"))
    assert decide([path], Spec(target="y", drop=("a\0b",))).task == "regression"


def test_a_nul_that_parquet_lets_through_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(DataFault, match="row 41 of 'c' holds a NUL character"):
        decide([parquet(tmp_path, {**PLAIN, "c": with_one("q\0")})], Spec(target="y"))
    with pytest.raises(DataFault, match="row 1 of 'y' holds a NUL character"):
        decide([parquet(tmp_path, {**PLAIN, "y": ["q\0", "r"] * 60})], Spec(target="y"))


@pytest.mark.parametrize(("wishes", "key"), NAMED, ids=[key for _, key in NAMED])
def test_an_unknown_column_is_rejected_with_the_nearest_names_as_they_are(
    tmp_path: Path, wishes: dict[str, Any], key: str
) -> None:
    path = json_lines(tmp_path, {**PLAIN, "Größe": WORDS, "GROESSE 2": CLASSES})
    with pytest.raises(SpecFault, match=f"{key}: no column 'Grosse' in the data; .*did you mean 'Größe'"):
        decide([path], Spec.read(wishes))


def test_a_target_in_the_metadata_is_compared_as_it_was_typed(tmp_path: Path) -> None:
    path = json_lines(tmp_path, {**PLAIN, "Größe": WORDS})
    with pytest.raises(SpecFault, match="target: no column 'Grösse' in the data; .*did you mean 'Größe'"):
        decide([path], Spec(), "Gr%C3%B6sse")


@pytest.mark.parametrize(
    "columns",
    [
        {**PLAIN, "c": with_one("q" * LONGEST_TEXT)},
        {**PLAIN, "c": [f"{'long text ' * 1200}{row}" for row in range(ROWS)]},
        {**PLAIN, "c": with_one("\U0001f600 é")},
        {**PLAIN, "a\nb": WORDS, "Бюджет {€}": WORDS[::-1], "n" * 500: CLASSES},
        {**PLAIN, "c": [2**63 + row for row in range(ROWS)], "d": ["inf" if row % 2 else row for row in range(ROWS)]},
        {**PLAIN, "prediction": WORDS, "probabilities": CLASSES},
    ],
    ids=[
        "as long as can be",
        "a long text that is left out",
        "whole characters",
        "odd names",
        "numbers",
        "outputs",
    ],
)
def test_what_can_be_served_is_accepted(tmp_path: Path, columns: Columns) -> None:
    assert decide([json_lines(tmp_path, columns)], Spec(target="y")).task == "regression"
