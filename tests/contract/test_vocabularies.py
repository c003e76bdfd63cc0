"""Every table of kinds or tasks has an entry for each value of its Literal."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from dropforge.contract.results import METRICS, PRIMARY
from dropforge.contract.rollouts import Stream
from dropforge.contract.schema import KINDS, Element, Kind, LabelType, TableKind
from dropforge.contract.tasks import TASK_NAMES, TASKS, Task
from dropforge.datasets.leftout import LeftOut, Why
from dropforge.inference.model import ANSWERED, as_label
from dropforge.inference.protocols.v2.metadata import DATATYPES
from dropforge.metrics import scores
from dropforge.metrics.evidence import WEIGHTS
from lambdas.batch.join.converted import LABEL_TYPES


@pytest.mark.parametrize(
    ("table", "literal"),
    [
        (KINDS, Kind),
        (TASKS, Task),
        (METRICS, Task),
        (PRIMARY, Task),
        (ANSWERED, Task),
        (scores._METRICS, Task),
        (LABEL_TYPES, LabelType),
        (WEIGHTS, Stream),
    ],
)
def test_a_table_covers_its_literal(table: dict[str, Any], literal: Any) -> None:
    assert list(table) == list(get_args(literal))


def test_every_kind_of_a_table_is_a_kind() -> None:
    assert set(get_args(TableKind)) < set(get_args(Kind))


def test_every_element_has_a_datatype_of_the_open_inference_protocol() -> None:
    assert set(DATATYPES) == set(get_args(Element))


@pytest.mark.parametrize("task", TASK_NAMES)
def test_what_a_task_says_of_itself_fits_together(task: Task) -> None:
    facts = TASKS[task]
    assert {facts.primary, *facts.also_judged} <= set(facts.metrics)
    assert (facts.classes == "none") == ("probabilities" not in facts.outputs)
    assert not scores._METRICS[task] or list(scores._METRICS[task]) == list(facts.metrics)
    assert bool(scores._METRICS[task]) == (task not in ("recommendation", "clustering"))


@pytest.mark.parametrize("label_type", get_args(LabelType))
def test_every_type_of_label_is_answered_in_its_type(label_type: LabelType) -> None:
    label = {"text": "a", "integer": "3", "number": "3.5", "boolean": "true"}[label_type]
    assert as_label(label, label_type) == {"text": "a", "integer": 3, "number": 3.5, "boolean": True}[label_type]


@pytest.mark.parametrize("why", get_args(Why))
def test_rows_that_differ_in_a_constant_or_a_copy_alone_do_not_differ(why: Why) -> None:
    assert LeftOut(why, "whatever it says").names_rows == (why not in ("empty", "constant", "copy"))
