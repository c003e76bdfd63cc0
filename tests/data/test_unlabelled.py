"""Tables without a target: what clustering reads, and the wishes that it cannot have."""

from __future__ import annotations

import polars as pl
import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table
from dropforge.datasets.special import special_task

from .conftest import real_set


def wine() -> pl.DataFrame:
    return real_set("wine").drop("outcome")


def test_every_column_is_read_and_none_predicted() -> None:
    found = prepare_table(wine(), Options(task="clustering"))
    assert (found.task, found.target, found.classes) == ("clustering", "cluster", ())
    assert [column.name for column in found.columns] == wine().columns
    assert sum(found.counts[name] for name in ("train", "validation", "holdout")) == 178
    assert found.profile["target"]["name"] == "cluster"


def test_copies_ids_and_wishes_are_left_out() -> None:
    twice = pl.concat([wine(), wine().head(20)]).with_columns(key=pl.lit("x"))
    found = prepare_table(twice, Options(Spec(task="clustering", drop=("alcohol",))))
    assert found.counts["duplicates"] == 20
    assert found.ignored == ("alcohol", "key")


def test_it_is_never_guessed() -> None:
    assert special_task(wine(), Spec()) is None
    assert special_task(wine(), Spec(task="multiclass")) is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (Spec(task="clustering", target="alcohol"), "'alcohol' beside task: clustering, which has none"),
        (Spec(task="clustering", drop=("nothing",)), "no column 'nothing'"),
    ],
)
def test_wishes_that_cannot_be_met(spec: Spec, reason: str) -> None:
    with pytest.raises(SpecFault, match=reason):
        special_task(wine(), spec)


def test_a_column_called_as_the_answer_is_refused() -> None:
    with pytest.raises(SpecFault, match="answers 'cluster', and the data have such a column"):
        special_task(wine().with_columns(cluster=pl.lit("1")), Spec(task="clustering"))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (wine().head(30), "needs at least 50 different rows, got 30"),
        (pl.DataFrame({"id": [str(at) for at in range(90)]}), "no column is left to find clusters in"),
    ],
)
def test_tables_without_clusters(frame: pl.DataFrame, reason: str) -> None:
    with pytest.raises(DataFault, match=reason):
        prepare_table(frame, Options(task="clustering"))
