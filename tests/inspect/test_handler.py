"""Inspect over a cloud in memory: what it answers, and what it leaves where."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from dropforge.contract.plan import Plan
from dropforge.contract.prices import Prices
from dropforge.contract.spec import SpecFault
from dropforge.contract.steps import Inspected
from lambdas.common.registry import RegistryFault
from lambdas.pipeline.inspect import handler, logic
from lambdas.pipeline.inspect.forecast import SMALL_BYTES, affordable, forecast, places_for
from lambdas.pipeline.inspect.handler import handle

KEY = "datasets/houses/houses.csv"
RUN = "run-0123456789abcdef"
DATA = f"runs/{RUN}/input/data/"
PLAN = f"runs/{RUN}/input/plan/plan.json"
QUARANTINE = f"quarantine/{RUN}/"


def golden(name: str):
    return json.loads((Path(__file__).parent / "golden" / name).read_text())


def plan_of(cloud) -> Plan:
    return Plan.from_json(json.loads(cloud.read(PLAN)))


def test_a_data_set_is_accepted_with_a_plan(cloud, houses):
    version = cloud.put(KEY, houses)
    answer = handle(cloud.claim(KEY, version, len(houses.encode())), None)
    assert answer == golden("accepted.json")
    expected = golden("plan.json")
    expected["lineage"] |= {"version": version, "size": len(houses.encode())}
    assert json.loads(cloud.read(PLAN)) == expected
    assert cloud.read(f"{DATA}houses.csv").decode() == houses
    # The copy expires by its tag; the plan, which says what was trained, is kept.
    assert [cloud.tags(key) for key in (f"{DATA}houses.csv", PLAN)] == [{"dropforge-expires": "input"}, {}]
    row = cloud.registry.run(RUN)
    assert (row.step, row.task, row.target, row.forecast) == ("Train", "regression", "price", 0.0575)


def test_the_run_says_what_is_left_out_before_it_is_trained(cloud, houses):
    header, *lines = houses.splitlines()
    leaking = "\n".join([f"{header},price_eur_vat", *(f"{line},{float(line.split(',')[-1]) * 1.19}" for line in lines)])
    assert cloud.inspect(KEY, leaking, Metadata={"target": "price"})["outcome"] == "accepted"
    row = cloud.registry.run(RUN)
    assert (row.step, row.budget, row.more_remarks) == ("Train", 5.0, 0)
    assert (row.remarks[0].code, row.remarks[0].option) == ("leak", "drop: [price_eur_vat]")


def test_the_very_version_is_judged_and_copied(cloud, houses):
    version = cloud.put(KEY, houses)
    cloud.put(KEY, "something,else\n1,2\n")
    assert handle(cloud.claim(KEY, version, 1), None)["outcome"] == "accepted"
    assert cloud.read(f"{DATA}houses.csv").decode() == houses


def test_doing_it_twice_is_doing_it_once(cloud, houses):
    first = cloud.inspect(KEY, houses)
    keys = cloud.keys()
    assert handle(golden("input.json"), None) == first
    assert cloud.keys() == keys


def test_the_spec_is_obeyed(cloud, houses):
    cloud.put("datasets/houses/spec.yaml", "target: garden\nbudget: 2\ndrop: [price]\nsensitive: [town]\n")
    answer = Inspected.from_json(cloud.inspect(KEY, houses.replace(",,", ",no,")))
    assert (answer.target, answer.task, answer.max_seconds) == ("garden", "binary", 720)
    assert plan_of(cloud).spec.sensitive == ("town",)


def test_the_target_of_the_drop_wins_over_the_spec(cloud, houses):
    cloud.put("datasets/houses/spec.yaml", "target: price\n")
    answer = cloud.inspect(KEY, houses.replace("town", "größe,ort").replace("Köln", "K,1").replace("Bonn", "B,2"),
                           Metadata={"target": "gr%C3%B6%C3%9Fe"})  # fmt: skip
    assert (answer["target"], answer["task"]) == ("größe", "binary")
    assert plan_of(cloud).spec.target == "größe"


def test_what_one_drop_may_replace_stands_in_its_plan_beside_the_spec(cloud, houses):
    cloud.put("datasets/houses/spec.yaml", "replace: {worse: true}\n")
    metadata = {"replace": "target, columns", "unproven": "true"}
    assert cloud.inspect(KEY, houses, Metadata=metadata)["outcome"] == "accepted"
    spec = plan_of(cloud).spec
    accepted = {name for name, value in spec.replace.to_json().items() if value}
    assert (accepted, spec.unproven) == ({"worse", "target", "columns"}, True)


def test_a_difference_that_there_is_none_of_is_rejected(cloud, houses):
    answer = cloud.inspect(KEY, houses, Metadata={"replace": "everything"})
    assert answer["outcome"] == "rejected"
    assert "the object's metadata: replace: unknown name 'everything'; expected one of ['target'" in answer["reason"]


def test_a_set_of_parts_is_one_data_set(cloud, houses):
    lines = houses.splitlines(keepends=True)
    for name, rows in (("part-00000.csv", lines[1:50]), ("part-00001.csv", lines[50:])):
        cloud.put(f"datasets/houses/week-1/{name}", lines[0] + "".join(rows))
    cloud.put("datasets/houses/week-1/part-00002.csv", "")
    answer = cloud.inspect("datasets/houses/week-1/_SUCCESS", "", Metadata={"target": "area"})
    assert (answer["outcome"], answer["target"]) == ("accepted", "area")
    assert [key for key in cloud.keys() if key.startswith(DATA)] == [f"{DATA}part-00000.csv", f"{DATA}part-00001.csv"]


def test_large_data_go_to_a_gpu_first(cloud, houses):
    lines = houses.splitlines(keepends=True)
    large = lines[0] + "".join(f"{at}.25,{line.partition(',')[2]}" for at, line in enumerate(lines[1:] * 1300))
    answer = cloud.inspect("datasets/houses/houses.csv.gz", gzip.compress(large.encode()))
    assert answer["places"][0] == {"instance_type": "ml.g6.xlarge", "spot": True}
    assert answer["forecast"] == pytest.approx(1.127 * 900 / 3600)


def test_a_deployment_s_own_prices_choose_forecast_and_fit_its_cap():
    own = Prices.of({"ml.m5.xlarge": 2.0, "ml.g7.xlarge": 4.0, "spot_share": 0.25})
    places = places_for(SMALL_BYTES, "ml.g7.xlarge:spot,ml.m5.xlarge,ml.c5.xlarge", own)
    assert [place.instance_type for place in places] == ["ml.m5.xlarge", "ml.c5.xlarge", "ml.g7.xlarge"]
    assert [forecast((place,), 1800, own) for place in places] == [1.0, 0.102, 0.5]
    assert [place.instance_type for place in affordable(places, 1800, "0.5", own)] == ["ml.c5.xlarge", "ml.g7.xlarge"]
    with pytest.raises(SpecFault, match=r"training could cost \$0.102 at the cheapest place; expected at most \$0.1"):
        affordable(places, 1800, "0.1", own)


@pytest.mark.parametrize(
    ("key", "body", "spec", "reason"),
    [
        (KEY, "area,price\n1,2\n3\n", None, "line 3 has 1 field, the header has 2"),
        (KEY, "area,price\n1,2\n", None, "needs at least 50 rows, got 1; expected more"),
        (KEY, b"PK\x03\x04", None, "a zip or Excel file"),
        ("datasets/houses/houses.xls", "x", None, "expected a file ending in .csv"),
        ("datasets/houses/2024/houses.csv", "x", None, "lies in a folder"),
        ("datasets/houses/week-1/_SUCCESS", "", None, "has no part beside it"),
        (KEY, None, "target: prise", "target: no column 'prise' in the data; .*did you mean 'price'"),
        (KEY, None, "target: [", "spec.yaml: .*expected YAML"),
        (KEY, None, "taget: price", "unknown key 'taget'"),
        (KEY, None, "replace: {traget: true}", "replace: unknown name 'traget'; did you mean 'target'"),
        (KEY, None, "replace: yes please", "replace: expected an object"),
        (KEY, None, "a: &x [1]\nb: *x", "line 2 has an alias"),
        (KEY, None, "metric: auc", r"metric: 'auc' is none of regression; expected one of \['rmse'"),
        (KEY, None, "x" * 70_000, "70000 bytes; expected at most 65536"),
    ],
)
def test_what_cannot_be_learned_is_in_quarantine_with_a_reason(cloud, houses, key, body, spec, reason):
    if spec is not None:
        cloud.put("datasets/houses/spec.yaml", spec)
    answer = Inspected.from_json(cloud.inspect(key, houses if body is None else body))
    assert answer.outcome == "rejected"
    assert re.search(reason, answer.reason)
    assert ("`dropforge spec houses` shows them" in answer.reason) == (spec is not None)
    told = json.loads(cloud.read(f"{QUARANTINE}reason.json"))
    assert told["reason"] == answer.reason
    assert told["schema"] == "dropforge.reason/1"
    assert (told["run"], told["model"], told["key"]) == (RUN, "houses", key)
    name = key.removeprefix("datasets/houses/").replace("/", "_")
    assert cloud.keys() == sorted([f"{QUARANTINE}{name}", f"{QUARANTINE}reason.json"])
    assert cloud.registry.run(RUN).step == "Inspect"


def test_a_data_set_too_large_is_rejected_before_it_is_fetched(cloud, houses, monkeypatch):
    monkeypatch.setattr(logic, "MAX_BYTES", 100)
    monkeypatch.setattr(handler, "fetch", None)
    answer = cloud.inspect(KEY, houses)
    assert answer["outcome"] == "rejected"
    assert "expected at most 100" in answer["reason"]


def test_parts_of_two_formats_are_rejected(cloud, houses):
    cloud.put("datasets/houses/w/part-0.csv", houses)
    cloud.put("datasets/houses/w/part-1.csv", houses.replace(",", ";"))
    answer = cloud.inspect("datasets/houses/w/_SUCCESS", "")
    assert "'part-1.csv' is csv split at ';' in utf-8, 'part-0.csv' is csv split at ','" in answer["reason"]


def test_a_run_that_nobody_claimed_is_a_fault(cloud):
    with pytest.raises(RegistryFault, match="run 'run-0123456789abcdef': expected"):
        handle(golden("input.json"), None)
    assert cloud.keys() == []


def names_of(places) -> list[str]:
    return [place.name for place in places]


def test_the_deployment_chooses_the_places(cloud, houses, monkeypatch):
    monkeypatch.setenv("PLACES", "ml.g6.xlarge:spot,ml.m5.xlarge,ml.g5.xlarge,ml.c5.xlarge")
    answer = Inspected.from_json(cloud.inspect(KEY, houses))
    assert names_of(answer.places) == ["ml.m5.xlarge", "ml.c5.xlarge", "ml.g6.xlarge on spot", "ml.g5.xlarge"]
    large = places_for(SMALL_BYTES + 1, "ml.g6.xlarge:spot,ml.m5.xlarge")
    assert names_of(large) == ["ml.g6.xlarge on spot", "ml.m5.xlarge"]


def test_no_job_costs_more_than_the_cap(cloud, houses, monkeypatch):
    """Five minutes and ten for the rest, at the on-demand price of each place: $0.0575 at the first."""
    monkeypatch.setenv("MOST_COST", "0.06")
    answer = Inspected.from_json(cloud.inspect(KEY, houses))
    assert names_of(answer.places) == ["ml.m5.xlarge", "ml.m6i.xlarge", "ml.c5.xlarge"]
    monkeypatch.setenv("MOST_COST", "0.05")
    version = cloud.put(KEY, houses)
    answer = Inspected.from_json(handle(cloud.claim(KEY, version, 1), None))
    assert answer.outcome == "rejected"
    assert answer.reason.startswith("budget: training could cost $0.051 at the cheapest place; expected at most $0.05,")
