"""Real tables in the spellings of the world are read as the plain tables are, or rejected with a sentence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare

from .faulty import FAULTS
from .liked import LIKE, NOT_READ_YET
from .own import TARGETS, Own, parquet

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dropforge.datasets.dataset import Dataset


def marked(names: dict[str, Own]) -> list[object]:
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, reason=NOT_READ_YET[name]))
        if name in NOT_READ_YET
        else name
        for name in names
    ]


def read(own: Own, folder: Path) -> Dataset:
    path = folder / own.file
    path.write_bytes(own.body())
    return prepare([path], Options(spec=Spec.read(own.spec), target=TARGETS[own.table] if own.names_target else None))


def plainly(own: Own, folder: Path) -> Dataset:
    """The data set of the plain table, which is read from Parquet."""
    path = folder / "plain.parquet"
    path.write_bytes(parquet(own.frame))
    return prepare([path], Options(target=TARGETS[own.table]))


def values(data: Dataset, name: str) -> NDArray[np.object_]:
    """All values of a column, in order: which part a row is in may depend on its spelling."""
    parts = [part.columns[name] for part in (data.train, data.validation, data.holdout)]
    return np.sort(np.concatenate(parts))


@pytest.mark.parametrize("name", marked(LIKE))
def test_a_spelling_makes_the_data_set_of_the_plain_table(name: str, tmp_path: Path) -> None:
    own = LIKE[name]
    expected, found = plainly(own, tmp_path), read(own, tmp_path)
    assert {column.name: column.kind for column in found.columns} == {
        column.name: column.kind for column in expected.columns
    }
    assert set(own.absent) <= set(found.ignored)
    assert (found.task, found.classes) == (expected.task, expected.classes)
    assert found.counts["read"] == expected.counts["read"]
    for column in found.columns:
        ours, theirs = values(found, column.name), values(expected, column.name)
        if column.kind == "number":
            np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=1e-6, err_msg=column.name)
        else:
            ours, theirs = ([value.removesuffix("T00:00:00") for value in each] for each in (ours, theirs))
            assert ours == theirs, column.name
    targets = [np.sort(np.concatenate([part.target for part in (each.train, each.validation, each.holdout)]))
               for each in (found, expected)]  # fmt: skip
    np.testing.assert_allclose(targets[0], targets[1], rtol=1e-6)
    assert re.search(own.told, "\n".join(found.profile["told"])), found.profile["told"]


@pytest.mark.parametrize("name", marked(FAULTS))
def test_what_is_no_table_is_rejected_with_a_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises((DataFault, SpecFault)) as fault:
        read(FAULTS[name], tmp_path)
    message = str(fault.value)
    assert re.search(FAULTS[name].fault, message), message
    assert re.search("expected|needs", message) and len(message) < 600
