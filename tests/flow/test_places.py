"""A run on its way through places that fail, each in another way, and through those that help."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.client.connection import STACK
from dropforge.contract.instances import PLACES, SMALL_PLACES
from dropforge.contract.registry import TrainingRun
from dropforge.contract.settings import GPU_NOT_SEEN_METRIC

from .conftest import hurry

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.client import Dropforge

pytestmark = pytest.mark.long

TO_THE_LAST: dict[str, list[str]] = {
    "ml.m5.xlarge": ["quota_in_use"],
    "ml.m6i.xlarge": ["no_quota"],
    "ml.c5.xlarge": ["unknown_type"],
    "ml.g6.xlarge on spot": ["no_spot"],
    "ml.g6.xlarge": ["gpu_not_seen"],
    "ml.m5.4xlarge": ["no_capacity"],
    "ml.m6i.4xlarge": ["internal", "out_of_memory"],
    "ml.r5.4xlarge": ["quota_in_use"],
}
"""All but the time-out; at the last place the run waits, and then trains."""


def small_set(file: Path) -> Path:
    rows = [f"{number % 17},{number % 5},{3 * (number % 17) - 2 * (number % 5)}" for number in range(300)]
    file.write_text("\n".join(["a,b,c", *rows]) + "\n")
    return file


def run_with(forge: Dropforge, file: Path, model: str, staged: dict[str, list[str]]) -> TrainingRun:
    """The ended run of a small data set whose jobs have these faults."""
    assert forge.connection.home is not None
    path = forge.connection.home / "faults.json"
    path.write_text(json.dumps(staged))
    try:
        hurry(forge, model)
        run = forge.wait(forge.drop(small_set(file), model=model, target="c").run)
        assert {place: left for place, left in json.loads(path.read_text()).items() if left} == {}, run.reason
    finally:
        path.unlink()
    assert isinstance(run, TrainingRun)
    return run


def test_a_run_finds_the_last_place_that_is_left(forge: Dropforge, tmp_path: Path) -> None:
    """Quota, unknown type, spot loss, GPU not seen, capacity, SageMaker's own error, memory, and a wait."""
    run = run_with(forge, tmp_path / "houses.csv", "moved", TO_THE_LAST)
    assert run.status == "promoted", run.reason
    assert run.instance_type == "ml.r5.4xlarge"
    known = {place.name for place in (*SMALL_PLACES, *PLACES)}
    assert set(TO_THE_LAST) <= known
    left = {hop.place.name: hop.obstacle for hop in run.hops if hop.obstacle != "internal"}
    assert left == {place: names[-1] for place, names in TO_THE_LAST.items()}
    assert "internal" in {hop.obstacle for hop in run.hops}
    told = {remark.code: remark for remark in run.remarks}
    assert told["gpu_not_seen"].severity == "warning"
    assert "ml.m6i.xlarge has a quota of 0" in told["place"].sentence
    assert run.cost is not None and run.cost > 0


def test_an_unseen_gpu_is_counted_where_its_alarm_looks(forge: Dropforge) -> None:
    """Of the run above, over all models and by model; the alarm itself is over before the run has ended."""
    watch: Any = forge.connection.client("cloudwatch")
    counted = watch.list_metrics(Namespace=STACK, MetricName=GPU_NOT_SEEN_METRIC)["Metrics"]
    dimensions = [{pair["Name"]: pair["Value"] for pair in each["Dimensions"]} for each in counted]
    assert {} in dimensions and {"model": "moved"} in dimensions
    (alarm,) = (each for each in watch.describe_alarms()["MetricAlarms"] if each["MetricName"] == GPU_NOT_SEEN_METRIC)
    assert (alarm["Namespace"], alarm.get("Dimensions", [])) == (STACK, [])
    assert alarm["AlarmActions"] == [forge.connection.outputs["TopicArn"]]


def test_a_run_that_is_out_of_time_goes_on_with_more_cores(forge: Dropforge, tmp_path: Path) -> None:
    run = run_with(forge, tmp_path / "houses.csv", "slow", {"ml.m5.xlarge": ["out_of_time"]})
    assert (run.status, run.instance_type) == ("promoted", "ml.m5.4xlarge"), run.reason
    assert [hop.obstacle for hop in run.hops] == ["out_of_time"]


def test_no_place_at_all_names_every_one(forge: Dropforge, tmp_path: Path) -> None:
    every = {place.name: ["no_quota"] for place in (*SMALL_PLACES, *PLACES)}
    run = run_with(forge, tmp_path / "houses.csv", "nowhere", every)
    assert run.status == "failed"
    assert "each has a quota of 0" in run.reason
    assert [name for name in every if name not in run.reason] == []
    assert "dropforge doctor" in run.reason
