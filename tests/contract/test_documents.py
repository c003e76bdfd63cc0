"""Records travel as JSON and come back equal; anything else is refused at the door with its place and value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dropforge.contract.documents import DocumentError
from dropforge.contract.plan import DataFormat, Lineage, Plan
from dropforge.contract.results import Verdict
from dropforge.contract.schema import Column, ModelCard
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


def test_a_whole_number_is_a_number_and_true_is_not() -> None:
    assert Spec.from_json({"budget": 3}).budget == 3.0
    with pytest.raises(DocumentError, match=r"Spec.budget: expected a number, got True"):
        Spec.from_json({"budget": True})
