"""How well columns of personal data are found: `make bench-personal`.

A column counts as found if the recogniser says that it names persons directly or holds their dates of birth, which is
what is dropped or generalised unless the spec says otherwise. Postcodes, ages, years of birth and sexes are to be left
alone here, so they count as columns without personal data. Only the half called `measured` counts: the recogniser was
made on the other one. The peer is the rule that came before.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from benchmarks.personal import earlier
from benchmarks.report import Row, publish
from dropforge.contract.personal import QUASI
from dropforge.datasets.personal import find_personal, find_quasi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Half = Literal["tuned", "measured"]

COLUMNS = Path(__file__).parent / "columns.jsonl"
PRECISION, RECALL = 0.95, 0.9


def columns(half: Half) -> list[dict[str, Any]]:
    """The labelled columns of one half: `header`, `kind`, `values`, `source`."""
    every = [json.loads(line) for line in COLUMNS.read_text(encoding="utf-8").splitlines()]
    return [column for column in every if column["half"] == half]


def is_personal(column: dict[str, Any]) -> bool:
    """Whether a column is labelled as one that names persons directly, or as dates of birth."""
    return column["kind"] != "none" and column["kind"] not in QUASI


def frame(column: dict[str, Any]) -> pl.DataFrame:
    """The column as a table."""
    return pl.DataFrame({column["header"]: column["values"]})


def scores(half: Half, finds: Callable[[pl.DataFrame], object]) -> tuple[float, float]:
    """Precision and recall of what `finds` calls personal."""
    found = [(is_personal(column), bool(finds(frame(column)))) for column in columns(half)]
    hits = sum(truth and said for truth, said in found)
    return hits / sum(said for _, said in found), hits / sum(truth for truth, _ in found)


def mistakes(half: Half) -> Iterator[str]:
    """Each column that is judged wrongly, in words."""
    for column in columns(half):
        if is_personal(column) != bool(find_personal(frame(column))):
            yield f"{column['header']} ({column['kind']}, {column['source']})"


def recall_by_values(half: Half) -> float:
    """Recall where no column has a name that says anything, so that the words for names do not count."""
    personal = [column for column in columns(half) if is_personal(column)]
    return sum(bool(find_personal(pl.DataFrame({"v": column["values"]}))) for column in personal) / len(personal)


def quasi_recall(half: Half) -> float:
    """The share of the columns of postcodes, ages, years of birth and sexes that are told."""
    labelled = [column for column in columns(half) if column["kind"] in QUASI]
    return sum(bool(find_quasi(frame(column))) for column in labelled) / len(labelled)


def main() -> None:
    """Prints and writes the figures."""
    for mistake in mistakes("tuned"):
        print("wrong in the tuned half:", mistake)
    peer = "earlier rule"
    precision, recall = scores("measured", find_personal)
    precision_before, recall_before = scores("measured", earlier.find_personal)
    tuned = scores("tuned", find_personal)
    publish(
        "personal",
        [
            Row("precision, measured half", precision, "share", "higher", PRECISION, peer, precision_before),
            Row("recall, measured half", recall, "share", "higher", RECALL, peer, recall_before),
            Row("recall without headers, measured half", recall_by_values("measured"), "share", "higher"),
            Row("precision, tuned half", tuned[0], "share", "higher"),
            Row("recall, tuned half", tuned[1], "share", "higher"),
            Row("postcodes, ages, sexes told, measured half", quasi_recall("measured"), "share", "higher"),
            Row("columns, measured half", len(columns("measured")), "columns", "higher"),
            Row("of them without personal data", sum(not is_personal(column) for column in columns("measured")),
                "columns", "higher"),
        ],
        ["polars", "python-stdnum"],
    )  # fmt: skip


if __name__ == "__main__":
    main()
