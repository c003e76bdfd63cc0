"""`dropforge price` needs no cloud, adds up, and says where its prices are from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dropforge.contract.prices import DATE

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Run


def test_the_sheet_adds_up(run: Run) -> None:
    sheet = run("price", "--json").document
    assert (sheet["date"], sheet["region"]) == (DATE, "us-east-1")
    for name in ("idle", "run", "million_predictions"):
        lines = sheet[name]["lines"]
        assert sheet[name]["dollars"] == pytest.approx(sum(line["dollars"] for line in lines), abs=1e-3)
        for line in lines:
            assert line["dollars"] == pytest.approx(line["quantity"] * line["price"], abs=1e-6)
    assert [use["name"] for use in sheet["uses"]] == ["small", "medium", "large"]


def test_a_person_sees_every_part(run: Run) -> None:
    ran = run("price")
    assert (ran.code, ran.err) == (0, "")
    for part in ("An idle month", "GB of images in ECR", "dropforge:detailed-metrics", "A million predictions"):
        assert part in ran.out
    assert f"us-east-1, noted on {DATE}" in ran.out and "…" not in ran.out


def test_ones_own_use(run: Run) -> None:
    call = ("price", "--models", "3", "--runs", "10", "--minutes", "6", "--predictions", "0", "--instance")
    (use,) = run(*call, "ml.m5.xlarge", "--json").document["uses"]
    assert (use["models"], use["predictions"], use["training_dollars"]) == (3, 0, 0.23)


def test_an_instance_without_a_price_is_a_wrong_call(run: Run) -> None:
    ran = run("price", "--models", "1", "--instance", "ml.x1.large")
    assert ran.code == 2
    assert "--instance: expected one of ml.g6.xlarge" in ran.err and "got 'ml.x1.large'" in ran.err


def test_ones_own_prices_as_pairs_or_in_a_file(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "cdk.json"
    settings.write_text('{"context": {"dropforge:prices": "ml.m5.xlarge=0.276,alarm=0"}}')
    for call in (("--prices", "ml.m5.xlarge=0.276,alarm=0"), ("--prices", str(settings))):
        sheet = run("price", *call, "--json").document
        assert sheet["own_prices"] == {"ml.m5.xlarge": 0.276, "alarm": 0.0}
        assert sheet["run"]["training"]["ml.m5.xlarge"] == 0.276
    monkeypatch.chdir(tmp_path)
    assert "prices of its own: ml.m5.xlarge 0.276, alarm 0" in run("price").out


def test_prices_that_are_none_are_a_wrong_call(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    for given, told in {
        "alrm=1": "--prices: 'alrm': no such price; did you mean 'alarm'?",
        "alarm=much": "--prices: alarm: expected US dollars, 0 or more, got 'much'",
        "nowhere.json": "--prices: 'nowhere.json': expected name=dollars pairs",
        str(tmp_path / "list.json"): "expected a JSON file with settings under 'context'",
    }.items():
        ran = run("price", "--prices", given)
        assert ran.code == 2
        assert told in " ".join(ran.err.split())


def test_the_size_of_the_images_is_an_argument(run: Run) -> None:
    small, assumed = (run("price", *call, "--json").document for call in (("--image-gigabytes", "2"), ()))
    assert assumed["idle"]["dollars"] - small["idle"]["dollars"] == pytest.approx(6 * 0.10)
