"""Records travel as JSON and come back equal; anything else is refused at the door with its place and value."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.contract.documents import DocumentError, Record
from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.results import Metrics, Verdict
from dropforge.contract.schema import Column, ModelCard
from dropforge.contract.scores import Calibration, Gain, GroupedBy, GroupScore, Importance, Interval, Reliability
from dropforge.contract.spec import Spec
from dropforge.contract.steps import Inspected

texts = st.text(max_size=20)
lineages = st.builds(Lineage, bucket=texts, key=texts, version=texts, size=st.integers(0), identity=texts, image=texts)
plans = st.builds(
    Plan,
    run=texts,
    model=texts,
    target=texts,
    task=st.sampled_from(["regression", "binary", "multiclass"]),
    data=st.builds(DataFormat, format=st.sampled_from(["csv", "parquet", "jsonl"]), gzip=st.booleans()),
    lineage=lineages,
    spec=st.builds(
        Spec,
        target=st.none() | texts,
        drop=st.lists(texts).map(tuple),
        budget=st.floats(0.1, 100),
        kinds=st.dictionaries(texts, st.sampled_from(["number", "category", "boolean", "date"])),
    ),
)


@given(plans)
def test_a_document_comes_back_equal_through_json_text(plan: Plan) -> None:
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_another_schema_is_refused() -> None:
    card = ModelCard("m", "r", "binary", "y", "text", ("a", "b"), (Column("x", "number"),)).to_json()
    with pytest.raises(DocumentError, match=r"expected schema 'dropforge.card/1', got 'dropforge.card/2'"):
        ModelCard.from_json({**card, "schema": "dropforge.card/2"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "guess"}, r"ModelCard.task: expected one of .*got 'guess'"),
        ({"columns": [{"name": "x"}]}, r"ModelCard.columns\[0\].kind: expected a value, got nothing"),
        ({"columns": "x"}, r"ModelCard.columns: expected a list, got 'x'"),
        ({"classes": [1]}, r"ModelCard.classes\[0\]: expected a text, got 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(change: dict[str, object], message: str) -> None:
    card = ModelCard("m", "r", "binary", "y", "text", ("a", "b"), (Column("x", "number"),)).to_json()
    with pytest.raises(DocumentError, match=message):
        ModelCard.from_json({**card, **change})


def test_optional_and_nested_fields_are_read() -> None:
    verdict = Verdict("refused", ("worse",), "auc", "higher", {"auc": 1}, {"auc": 0.5}, None, None, 0.0, "0")
    assert Verdict.from_json(verdict.to_json()) == verdict
    read = Inspected.from_json({"outcome": "accepted", "reason": "", "places": [{"instance_type": "a", "spot": True}]})
    assert read.places[0].spot is True
    with pytest.raises(DocumentError, match=r"places\[0\].spot: expected true or false, got 1"):
        Inspected.from_json({"outcome": "accepted", "reason": "", "places": [{"instance_type": "a", "spot": 1}]})


def test_metrics_are_read_whole_and_as_they_were_before_intervals() -> None:
    group = GroupScore("red", 40, {"auc": 0.8}, {"auc": Interval(0.7, 0.9)}, 0.4, Interval(0.3, 0.5))
    table = (Reliability(40, 0.3, 0.35, Interval(0.2, 0.5)),)
    metrics = Metrics(
        "binary", "auc", "higher", "linear", {"auc": 0.8}, {"auc": 0.8}, {"auc": 0.5}, (), {"holdout": 40},
        intervals={"auc": Interval(0.7, 0.9)}, gains={"auc": Gain(0.3, Interval(0.2, 0.4))},
        groups=(GroupedBy("colour", (group,), {"equalized_odds_difference": 0.1}),),
        calibration=Calibration(0.05, Interval(0.0, 0.1), 0.08, 0.2, Interval(0.1, 0.3), table, None),
        importances=(Importance("x", 0.1, Interval(0.0, 0.2)),), notes=("few rows",),
    )  # fmt: skip
    written = json.loads(json.dumps(metrics.to_json()))
    assert Metrics.from_json(written) == metrics
    before = ("schema", "task", "metric", "direction", "chosen", "holdout", "validation", "baseline", "candidates")
    old = Metrics.from_json({name: written[name] for name in (*before, "rows")})
    assert (old.holdout, old.intervals, old.groups, old.calibration, old.notes) == ({"auc": 0.8}, {}, (), None, ())


def test_a_whole_number_is_a_number_and_true_is_not() -> None:
    assert Spec.from_json({"budget": 3}).budget == 3.0
    with pytest.raises(DocumentError, match=r"Spec.budget: expected a number, got True"):
        Spec.from_json({"budget": True})


def test_threads_that_meet_at_the_first_use_get_the_same_dataclass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record becomes one when it is first used: two at once must not find it half made."""
    making = dataclasses.dataclass

    def slowly(**settings: bool) -> Any:
        time.sleep(0.01)  # so that all have begun
        return making(**settings)

    monkeypatch.setattr(dataclasses, "dataclass", slowly)
    for _ in range(5):

        class Fresh(Record):
            a: int
            b: str = "b"

        at_once = threading.Barrier(8)

        def use(kind: type[Record] = Fresh, at_once: threading.Barrier = at_once) -> Record:
            at_once.wait()
            return kind.from_json({"a": 1})

        with ThreadPoolExecutor(8) as pool:
            found = [each.result() for each in [pool.submit(use) for _ in range(8)]]
        assert set(found) == {Fresh(1)}
