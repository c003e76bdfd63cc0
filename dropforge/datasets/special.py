"""Tasks with tables of their own: which one a table is for, if any, and how it is made ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from dropforge.contract.spec import SpecFault, SplitBy
from dropforge.datasets.ratings import find_ratings, prepare_ratings
from dropforge.datasets.unlabelled import CLUSTER, check_unlabelled, prepare_unlabelled

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from dropforge.contract.spec import Spec
    from dropforge.contract.tasks import Task
    from dropforge.datasets.dataset import Dataset, Options
    from dropforge.datasets.table import Table


@dataclass(frozen=True)
class Special:
    """A task, what its answers are called, and what makes its table ready."""

    task: Task
    target: str
    prepare: Callable[[pl.DataFrame, Options], Dataset]


def special_task(table: pl.DataFrame | Table, spec: Spec) -> Special | None:
    """Clustering where the spec says so; recommendation where it does, or where the columns are those of ratings.

    Raises:
        SpecFault: the spec wants one of them of a table that cannot have it.
    """
    match spec.task:
        case "clustering":
            check_unlabelled(table.columns, spec)
            if spec.split not in (None, SplitBy(by="rows")):
                raise SpecFault("split: rows of a clustering are split by their content alone: leave it out")
            return Special("clustering", CLUSTER, prepare_unlabelled)
        case "recommendation" | "regression" | "binary" | "multiclass" | None:
            columns = find_ratings(table, spec)
            if columns is not None and spec.split is not None:
                raise SpecFault(
                    "split: a recommender holds out the latest ratings of every user: leave it out, or write "
                    "`task: regression` to predict ratings as any other number"
                )
            return None if columns is None else Special("recommendation", columns.rating, prepare_ratings)
        case _:
            assert_never(spec.task)
