"""Groups of hold-out rows: bands, years, texts, columns that no model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Numbers with gaps, a date, a category, a column to drop, and a target."""
    lines = [
        f"{'' if at % 10 == 0 else at % 97 / 2},{at % 3},20{10 + at % 4}-05-17,{'ABC'[at % 3]},r{at % 2},{at * 7 % 101}"
        for at in range(ROWS)
    ]
    made = tmp_path / "rows.csv"
    made.write_text("\n".join(["size,few,day,kind,region,y", *lines]))
    return made


def labels(path: Path, **wishes: Any) -> dict[str, np.ndarray]:
    spec = Spec(groups=("size", "few", "day", "kind", "region"), **wishes)
    made = prepare([path], Options(spec=spec, target="y", task="regression"))
    assert {len(groups.labels) for groups in made.groups.values()} == {len(made.holdout)}
    read = {column.name for column in made.columns}
    assert ("region" in read) is ("region" not in wishes.get("drop", ()))
    return {name: groups.labels for name, groups in made.groups.items()}


def test_numbers_bands_and_years_have_an_order(path: Path) -> None:
    spec = Spec(groups=("size", "few", "day", "kind"))
    groups = prepare([path], Options(spec=spec, target="y", task="regression")).groups
    assert groups["few"].order == ("0", "1", "2")
    assert groups["day"].order == ("2010", "2011", "2012", "2013")
    assert groups["kind"].order == ()
    first, *_, last = groups["size"].order
    assert (len(groups["size"].order), first[:6], last[:5]) == (4, "up to ", "over ")


def test_every_kind_has_its_groups(path: Path) -> None:
    found = labels(path)
    assert set(found["few"]) == {"0", "1", "2"}
    assert set(found["day"]) == {"2010", "2011", "2012", "2013"}
    assert set(found["kind"]) == {"A", "B", "C"}
    bands = [name for name in set(found["size"]) if name != "missing"]
    assert len(bands) == 4 and "missing" in found["size"]
    assert sum(name.startswith(("up to ", "over ")) for name in bands) == 2
    for name in bands:
        assert 0.15 < np.mean(found["size"] == name) < 0.35


def test_a_column_that_the_model_does_not_read_has_groups_of_the_same_rows(path: Path) -> None:
    kept, dropped = labels(path), labels(path, drop=("region",))
    assert kept["region"].tolist() == dropped["region"].tolist()
    assert set(dropped["region"]) == {"r0", "r1"}


def test_no_wish_no_groups_and_the_target_is_no_group(path: Path) -> None:
    assert prepare([path], Options(target="y", task="regression")).groups == {}
    with pytest.raises(SpecFault, match="groups: 'y' is the target"):
        prepare([path], Options(spec=Spec(groups=("y",)), target="y", task="regression"))
