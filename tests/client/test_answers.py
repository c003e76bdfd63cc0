"""Answers of an older and of a newer API than this client: nothing is refused, nothing that was sent is lost."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from dropforge.client.answers import read
from dropforge.contract.api import ModelLine, ModelPage
from dropforge.contract.documents import fields
from dropforge.contract.models import LiveRow
from tests.serving.little import little

LIVE = LiveRow("houses", "2", "run-0123456789abcdef", "runs/r/model.onnx", "ab", 3, "2026-11-23T10:00:00Z", "1")
LINE = {"model": "houses", "version": "2", "run": LIVE.run, "moved": LIVE.moved}


def page() -> ModelPage:
    """A page as this version's API sends it, before it is JSON."""
    empty: dict[str, Any] = {field.name: () for field in fields(ModelPage) if field.type.startswith("tuple")}
    empty |= {field.name: {} for field in fields(ModelPage) if field.type.startswith("dict")}
    empty |= {field.name: None for field in fields(ModelPage) if field.name not in empty}
    scores = {"task": "multiclass", "target": "kind", "metric": "logloss", "metrics": {"logloss": 0.5}}
    card = little("multiclass").card
    return ModelPage(
        **{**empty, **scores, "model": "houses", "version": "2", "live": LIVE, "history": (LIVE,), "card": card}
    )


def test_an_answer_of_this_version_is_read_as_it_was() -> None:
    answer = page().to_json()
    same = read(ModelPage, answer)
    assert same == page() and same.to_json() == answer
    assert isinstance(same.live, LiveRow) and same.live.generation == 3
    assert [column.kind for column in same.card.columns] == [column.kind for column in page().card.columns]


def test_a_record_reads_like_its_json() -> None:
    same = read(ModelPage, page().to_json())
    for record in (same, page()):
        assert record["card"]["columns"] == [column.to_json() for column in page().card.columns]
        assert (record["live"]["version"], record.get("none", 3), "card" in record, "none" in record) == (
            "2",
            3,
            True,
            False,
        )
        assert dict(record) == page().to_json() and list(record) == list(record.keys()) == list(page().to_json())
        with pytest.raises(KeyError):
            record["none"]


def test_a_newer_api_is_understood_as_far_as_it_is_known() -> None:
    answer = page().to_json()
    answer["task"] = "forecast"
    answer["drift"] = {"rooms": 0.1}
    answer["card"] = {**answer["card"], "schema": "dropforge.card/2", "task": "forecast", "horizon": 7}
    answer["card"]["columns"] = [{"name": "text", "kind": "text", "language": "en"}]
    answer["live"] = {**answer["live"], "schema": "dropforge.live/9", "share": 0.1}
    answer["metrics"] = "by the hour"
    read_page = read(ModelPage, answer)
    assert (read_page.task, read_page.card.task, read_page.card.columns[0].kind) == ("forecast", "forecast", "text")
    assert read_page.live is not None and read_page.live.version == "2"
    assert read_page.metrics == {}
    assert read_page.to_json() == answer and read_page["drift"] == {"rooms": 0.1}


@pytest.mark.parametrize("name", [field.name for field in fields(ModelPage)])
def test_whatever_an_older_api_leaves_out_is_empty(name: str) -> None:
    answer = page().to_json()
    del answer[name]
    read_page = read(ModelPage, answer)
    assert getattr(read_page, name) in (None, (), {})
    assert read_page.to_json() == answer and name not in read_page and str(read_page)


def test_a_change_is_a_change_of_the_json_too() -> None:
    line = read(ModelLine, {**LINE, "task": None})
    assert line.metrics is None and line.to_json() == {**LINE, "task": None}
    assert dataclasses.replace(line, version="3").to_json()["version"] == "3"
