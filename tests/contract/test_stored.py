"""What earlier versions stored is read by this one.

`stored/` holds a copy of every document, as the version that first had its schema stored it. The copies are never
changed: a document with a new schema gets a further copy, and an upgrade from the older ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

# Every module that has a document.
from dropforge.contract import baseline, batch, captures, known, plan, registry, results, rollouts, schema  # noqa: F401
from dropforge.contract.documents import Document, DocumentError, Record
from dropforge.contract.registry import BatchRun, RunRow, TrainingRun
from dropforge.contract.results import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent / "stored"
DOCUMENTS = [kind for kind in Document.__subclasses__() if kind.__module__.startswith("dropforge.")]


def stored(name: str) -> dict[str, Any]:
    """A stored copy."""
    copy: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return copy


def kind_of(copy: dict[str, Any]) -> type[Document]:
    """The document of a copy, whichever schema the copy has."""
    name = copy["schema"].rpartition("/")[0]
    (kind,) = [kind for kind in DOCUMENTS if kind.SCHEMA.rpartition("/")[0] == name]
    return kind


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.iterdir()))
def test_a_stored_copy_is_read_and_keeps_its_values(name: str) -> None:
    copy = stored(name)
    kind = kind_of(copy)
    document = kind.from_json(copy)
    assert kind.from_json(document.to_json()) == document
    if copy["schema"] == kind.SCHEMA:
        assert_holds(document.to_json(), copy)


def assert_holds(value: Any, copy: Any) -> None:
    """Everything of the copy stands in the value; a later version may have added fields at any depth."""
    if isinstance(copy, dict):
        assert copy.keys() <= value.keys()
        for name, part in copy.items():
            assert_holds(value[name], part)
    elif isinstance(copy, list):
        assert len(copy) == len(value)
        for part, other in zip(value, copy, strict=True):
            assert_holds(part, other)
    else:
        assert value == copy


@pytest.mark.parametrize(
    ("name", "kind", "other"), [("run-1", TrainingRun, BatchRun), ("run-1-batch", BatchRun, TrainingRun)]
)
def test_a_run_is_read_as_its_kind_and_has_the_fields_of_both_in_json(
    name: str, kind: type[RunRow], other: type[RunRow]
) -> None:
    copy = stored(name)
    for read in (RunRow.from_json, RunRow.from_newer_json, kind.from_json):
        run = read(copy)
        assert type(run) is kind and run == RunRow.from_json(run.to_json())
    assert run.to_json().keys() == RunRow.from_json(stored("run-1")).to_json().keys() > copy.keys()
    with pytest.raises(DocumentError, match=rf"{other.__name__}.kind: expected one of .*, got '{run.kind}'"):
        other.from_json(copy)
    assert Listed.from_json({"runs": [copy]}).runs == (run,)


def test_a_run_of_a_kind_that_is_not_known_yet_is_shown_as_one_of_training_and_not_acted_on() -> None:
    later = {**stored("run-1"), "kind": "rollout"}
    assert RunRow.from_newer_json(later) == RunRow.from_json(stored("run-1"))
    with pytest.raises(DocumentError, match="RunRow.kind: expected one of .*, got 'rollout'"):
        RunRow.from_json(later)


class Listed(Record):
    """A record that holds runs of any kind."""

    runs: tuple[RunRow, ...]


def test_every_document_has_a_stored_copy_of_its_schema() -> None:
    assert {kind.SCHEMA for kind in DOCUMENTS} - {stored(path.stem)["schema"] for path in FOLDER.iterdir()} == set()


class Card(Document):
    """A document in its third schema."""

    SCHEMA: ClassVar[str] = "dropforge.test-card/3"

    title: str
    size: int
    tags: tuple[str, ...] = ()

    @classmethod
    def upgrade(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """1 called the title a name; 2 had no size."""
        current = dict(value)
        if current.get("schema") == "dropforge.test-card/1":
            current |= {"schema": "dropforge.test-card/2", "title": current.pop("name")}
        if current.get("schema") == "dropforge.test-card/2":
            current |= {"schema": cls.SCHEMA, "size": len(current["title"])}
        return current


class Box(Document):
    """A document that holds another one."""

    SCHEMA: ClassVar[str] = "dropforge.test-box/1"

    cards: tuple[Card, ...]


class Shelf(Record):
    """A record that holds a document."""

    box: Box | None


FIRST = {"schema": "dropforge.test-card/1", "name": "red"}
SECOND = {"schema": "dropforge.test-card/2", "title": "red"}
THIRD = {"schema": "dropforge.test-card/3", "title": "red", "size": 3}


@pytest.mark.parametrize("value", [FIRST, SECOND, THIRD])
def test_older_schemas_are_upgraded_wherever_they_stand(value: dict[str, Any]) -> None:
    before = json.dumps(value)
    assert Card.from_json(value) == Card.from_newer_json(value) == Card("red", 3)
    box = {"schema": Box.SCHEMA, "cards": [value]}
    assert Box.from_json(box) == Box((Card("red", 3),)) and Shelf.from_json({"box": box}).box == Box.from_json(box)
    assert json.dumps(value) == before, "what was read is left as it is"


def test_a_later_schema_is_refused_by_those_who_act_on_it() -> None:
    later = {**THIRD, "schema": "dropforge.test-card/10"}
    message = "expected schema 'dropforge.test-card/3', got 'dropforge.test-card/10'; a newer Dropforge stored it"
    with pytest.raises(DocumentError, match=f"Card: {message}: update this one"):
        Card.from_json(later)
    with pytest.raises(DocumentError, match=rf"Box.cards\[0\]: {message}"):
        Box.from_json({"schema": Box.SCHEMA, "cards": [later]})
    with pytest.raises(DocumentError, match=r"'dropforge.run/2'; a newer Dropforge stored it"):
        RunRow.from_json({**stored("run-1"), "schema": "dropforge.run/2"})
    card = {**stored("card-1"), "schema": "dropforge.card/2"}
    with pytest.raises(DocumentError, match=r"Manifest.card: .*'dropforge.card/2'; a newer Dropforge stored it"):
        Manifest.from_json({**stored("manifest-1"), "card": card})


def test_a_later_schema_is_shown_as_far_as_it_is_known() -> None:
    later = {**THIRD, "schema": "dropforge.test-card/4", "tags": {"a": 1}, "colour": "red"}
    assert Card.from_newer_json(later) == Card("red", 3)
    with pytest.raises(DocumentError, match="Card.size: expected a whole number, got '3'"):
        Card.from_newer_json({**later, "size": "3"})


@pytest.mark.parametrize(
    "value", [[], None, {}, {**THIRD, "schema": 3}, {**THIRD, "schema": "dropforge.other/4"}, {**THIRD, "schema": "/x"}]
)
def test_another_document_is_none_at_all(value: Any) -> None:
    for read in (Card.from_json, Card.from_newer_json):
        with pytest.raises(DocumentError, match="Card: expected"):
            read(value)
