"""Words and numbers of the report, and that what comes from the data stays text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dropforge.contract.results import Metrics
from dropforge.contract.schema import ModelCard
from training_container import trainer
from training_container.budget import Budget
from training_container.models.lightgbm import LightGBM
from training_container.models.linear import Ridge
from training_container.report import wording
from training_container.tasks.table import report
from training_container.tasks.table.selection import study

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.training.conftest import Set
    from training_container.progress import Progress


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "–"), (0.0, "0"), (3.0, "3"), (1234567.8, "1,234,568"), (0.123456, "0.1235"), (0.00001234, "1.23e-05")],
)
def test_numbers_are_written_for_people(value: float | None, expected: str) -> None:
    assert wording.number(value) == expected


def test_a_few_missing_values_are_not_none() -> None:
    assert wording.percent(0.0001) == "< 0.1 %"
    assert wording.percent(0.0) == "0.0 %"


def measured(holdout: float, baseline: float) -> Metrics:
    return Metrics(
        "regression", "rmse", "lower", "linear", {"rmse": holdout, "mae": 1.0}, {}, {"rmse": baseline}, (), {}
    )


def test_a_model_that_is_no_better_is_said_to_be_so() -> None:
    assert wording.gain(measured(1.0, 2.0)) == "50.0 % below the trivial baseline"
    assert wording.gain(measured(2.0, 2.0)) == "not better than the trivial baseline"
    assert wording.gain(measured(3.0, 2.0)) == "not better than the trivial baseline"


def test_the_columns_whose_neighbours_tell_are_drawn(posed: Callable[[str], Set], quiet: Progress) -> None:
    families = ((Ridge(), 0.1), (LightGBM(settings={"learning_rate": 0.3}), 0.5))
    homes, cars = (
        study(
            posed(name).dataset,
            metric=None,
            budget=Budget(0.2),
            seed=0,
            progress=quiet,
            search="none",
            families=families,
        )
        for name in ("houses", "cars")
    )
    assert homes.neighbourhood == ("Latitude", "Longitude") and cars.neighbourhood is None
    shown = ModelCard("m", "run-0", "regression", homes.dataset.target, "number", (), homes.dataset.columns)
    ((title, _, plot),) = report._neighbourhood(homes, shown)
    assert title == "Neighbours" and plot.startswith("<svg")
    assert 0 < plot.index(">Longitude<") < plot.index(">Latitude<")  # as on a map: the axis that goes across is first
    assert report._neighbourhood(homes, replace(shown, masked=("Latitude",))) == []
    assert report._neighbourhood(cars, shown) == []


@pytest.mark.usefixtures("lean")
def test_data_is_escaped_and_masked(tmp_path: Path) -> None:
    lines = [
        f"{at % 5},<script>alert({at % 3})</script>,person{at % 40}@example.org,{at % 5 * 2 + at % 3}"
        for at in range(300)
    ]
    path = tmp_path / "nasty.csv"
    path.write_text("\n".join(["x$_{1},<b>kind of fee</b>,e-mail,fee", *lines]))
    out = tmp_path / "out"
    words = ["--data", str(path), "--target", "fee", "--task", "regression", "--out", str(out)]
    assert trainer.main([*words, "--search", "none", "--budget", "0.3"]) == 0
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "<script" not in report
    assert "&lt;b&gt;kind of fee&lt;/b&gt;" in report
    assert "Leakage suspects" in report
    assert "named like the target &#39;fee&#39;" in report
    assert "@example.org" not in report
    top = report[: report.index('<div class="grid">')]
    assert "Left out, changed or guessed" in top and "may leak the target" in top
    assert "In spec.yaml: <code>drop: [&#34;&lt;b&gt;kind of fee&lt;/b&gt;&#34;]</code>" in top
