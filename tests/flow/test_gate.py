"""The gate on the embedded cloud: what differs from the live model, or is worse, is refused until its owner says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from dropforge.contract import names
from examples import datasets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dropforge.client import Dropforge, Outcome

pytestmark = pytest.mark.long

MODEL, TARGET = "gated", "Miles_per_Gallon"


@pytest.fixture(scope="module")
def live(forge: Dropforge, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """A table of cars with a live model of it."""
    frame = datasets.load("cars").drop_nulls(TARGET).drop("Name", strict=False)
    outcome = dropped(forge, frame, tmp_path_factory.mktemp("cars"))
    assert outcome.status == "promoted", outcome.reason
    assert outcome.gains["rmse"].is_sure and not outcome.may_be_chance
    assert outcome.intervals["rmse"].low <= outcome.metrics["rmse"] <= outcome.intervals["rmse"].high
    return frame


def dropped(forge: Dropforge, frame: pl.DataFrame, folder: Path, **wishes: Any) -> Outcome:
    path, spec = folder / "cars.csv", folder / "spec.yaml"
    frame.write_csv(path)
    spec.write_text("budget: 0.05\n" + ("split: part\n" if "part" in frame.columns else ""))
    return forge.drop(path, model=MODEL, wait=True, spec=spec, **{"target": TARGET, **wishes})


def mislabelled(frame: pl.DataFrame) -> pl.DataFrame:
    """The worse table: of the rows to learn from, two thirds have the target of another row; `part` says which."""
    chance, order = np.random.default_rng(0), np.arange(len(frame))
    held = chance.random(len(frame)) < 0.25
    wrong = np.flatnonzero(~held & (chance.random(len(frame)) < 0.67))
    order[wrong] = chance.permutation(wrong)
    parts = pl.Series("part", np.where(held, "test", "train"))
    return frame.with_columns(frame[TARGET][order.tolist()], parts)


def without_weight(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("Weight_in_lbs")


def as_it_is(frame: pl.DataFrame) -> pl.DataFrame:
    return frame


@pytest.mark.parametrize(
    ("change", "target", "needed", "what"),
    [
        (without_weight, TARGET, ("columns",), "it reads 'Weight_in_lbs', which the new data lack"),
        (mislabelled, TARGET, ("worse",), "worse than the live version"),
        (as_it_is, "Horsepower", ("target",), f"it predicts '{TARGET}' (regression), the new version predicts"),
    ],
)
def test_another_model_takes_the_place_of_a_live_one_by_its_owners_wish_alone(
    forge: Dropforge, live: pl.DataFrame, tmp_path: Path, change: Callable[[pl.DataFrame], pl.DataFrame], target: str,
    needed: tuple[str, ...], what: str,
) -> None:  # fmt: skip
    """Refused in words that say what to do, and accepted with just that; the last one leaves another model live."""
    before = forge.model(MODEL)["version"]
    refused = dropped(forge, change(live), tmp_path, target=target)
    assert refused.status == "refused" and what in refused.reason, refused.reason
    assert all(f"`replace: {{{wish}: true}}` replaces it anyway" in refused.reason for wish in needed)
    assert forge.model(MODEL)["version"] == before
    page = forge.report(refused.run, tmp_path / "report.html").read_text()
    assert "This version may not serve." in page and names.VERDICT_MARK not in page
    again = dropped(forge, change(live), tmp_path, target=target)
    assert (again.status, again.original, again.notes) == ("duplicate", "refused", refused.notes)
    accepted = dropped(forge, change(live), tmp_path, target=target, replace=(*needed, "worse"), unproven=True)
    assert accepted.status == "promoted", accepted.reason
    page = forge.report(accepted.run, tmp_path / "report.html").read_text()
    assert (f"Rehearsal: beside version {before}" in page) == (target == TARGET), "only what Judge compared"
    assert any(what in note for note in accepted.notes), accepted.notes
    assert forge.model(MODEL)["version"] == accepted.version
    if target == TARGET:
        forge.rollback(MODEL, before)
