"""What the trainer knows of kinds and tasks covers all of them; a kind without an encoder is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import pytest

from dropforge.contract.schema import KINDS, Column, Kind
from dropforge.contract.tasks import TASK_NAMES, TASKS, Task
from training_container.encoding import Encoder, vocabulary_of
from training_container.export.front import ELEMENTS
from training_container.kinds import TRAINED, Group
from training_container.models.catboost import LOSSES
from training_container.models.lightgbm import OBJECTIVES
from training_container.report.wording import MEANING
from training_container.scoring.notes import MORE_BY_TASK

if TYPE_CHECKING:
    from dropforge.contract.schema import TableKind

TEXTS = np.array(["a", "b"] * 5, dtype=object)


@pytest.mark.parametrize(("table", "literal"), [(TRAINED, Kind), (MORE_BY_TASK, Task)])
def test_a_table_covers_its_literal(table: dict[str, Any], literal: Any) -> None:
    assert list(table) == list(get_args(literal))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_kind_of_a_table_has_an_encoding_and_probes(kind: Kind) -> None:
    trained = TRAINED[kind]
    assert KINDS[kind].element in ELEMENTS
    assert (trained.group is None) == (kind == "image") == (not trained.probes)
    assert trained.group is None or any(value in (KINDS[kind].gap, "") or value != value for value in trained.probes)


@pytest.mark.parametrize("kind", [kind for kind in get_args(Kind) if kind != "image"])
def test_every_column_is_encoded_in_one_table(kind: TableKind) -> None:
    values = np.ones(10, np.float32) if KINDS[kind].element == "float32" else TEXTS
    encoder = Encoder.learn([Column("c", kind)], {"c": values})
    assert [group for group in get_args(Group) if encoder.names(group)] == [TRAINED[kind].group]
    assert bool(encoder.vocabularies) == (TRAINED[kind].group == "codes")
    assert list(encoder.encode({"c": values}).groups) == [TRAINED[kind].group]


@pytest.mark.parametrize("kind", ["image", "duration"])
def test_a_kind_without_an_encoder_is_an_error(kind: str) -> None:
    with pytest.raises((ValueError, AssertionError), match=f"{kind}"):
        vocabulary_of(Column("c", cast("Kind", kind)), TEXTS)


def test_every_task_can_be_trained_and_explained_in_words() -> None:
    of_tables = {*TASK_NAMES} - {"recommendation", "clustering"}
    assert of_tables <= set(OBJECTIVES)
    assert of_tables <= set(LOSSES)
    assert set(MEANING) >= {name for task in TASK_NAMES for name in TASKS[task].metrics}
