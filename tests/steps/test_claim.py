"""Claim: exactly one execution owns an object, exactly one run owns its content, whatever is lost on the way."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ReadTimeoutError

from dropforge.contract.names import parse_drop
from dropforge.contract.registry import content_key, run_key
from lambdas.api.live_pointer.handler import remove
from lambdas.common.registry import Registry
from lambdas.common.sources import sources
from lambdas.pipeline.inspect.objects import read_spec
from tests.steps.cloud import HANDLERS, Cloud, delete_row, run_of

KEY = "datasets/flowers/a.csv"


def claim(given: dict[str, Any], execution: str) -> dict[str, Any]:
    return HANDLERS["claim"]({**given, "execution": execution}, None)


def until_answered(given: dict[str, Any], execution: str) -> dict[str, Any]:
    """As the workflow's retry does it."""
    while True:
        try:
            return claim(given, execution)
        except ReadTimeoutError:
            continue


def test_an_execution_may_claim_again_and_no_other_may(cloud: Cloud) -> None:
    given = cloud.drop(KEY)
    assert claim(given, "one")["outcome"] == "claimed"
    assert (
        claim(given, "one") == claim(given, "one") == {"outcome": "claimed", "run": run_of(given), "model": "flowers"}
    )
    assert claim(given, "two")["outcome"] == "duplicate"
    row = cloud.registry.run(run_of(given))
    assert (row.status, row.execution, row.step) == ("running", "one", "Claim")


def test_the_same_content_is_a_duplicate_of_its_run(cloud: Cloud) -> None:
    first, second = cloud.claim(KEY, b"same"), cloud.claim("datasets/flowers/b.csv", b"same", "two")
    other = cloud.claim("datasets/trees/a.csv", b"same", "three")
    assert [each["outcome"] for each in (first, second, other)] == ["claimed", "duplicate", "claimed"]
    row = cloud.registry.run(second["run"])
    assert (row.status, row.duplicate_of) == ("duplicate", first["run"])
    assert first["run"] in row.reason


@pytest.mark.parametrize("change", ["target", "replace", "unproven", "spec", "image"])
def test_other_wishes_or_another_trainer_make_old_data_new_work(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    cloud.claim(KEY, b"same")
    if change == "spec":
        cloud.drop("datasets/flowers/spec.yaml", b"target: b")
    if change == "image":
        monkeypatch.setenv("IMAGE", "trainer:2")
    wishes = {"target": "b", "replace": "target", "unproven": "true"}
    more = {"Metadata": {change: wishes[change]}} if change in wishes else {}
    assert cloud.claim(KEY, b"same", "two", **more)["outcome"] == "claimed"


@pytest.mark.parametrize("folder", ["datasets", "batch"])
@pytest.mark.parametrize("file", ["House Prices.csv", "100%.csv", "a%20b.csv", "größe.csv"])
def test_a_key_is_claimed_as_it_is_stored_however_the_event_spells_it(cloud: Cloud, folder: str, file: str) -> None:
    given = cloud.drop(f"{folder}/flowers/{file}")
    cloud.drop(f"{folder}/flowers/{file}.gz")
    encoded = {**given, "key": quote(given["key"])}
    assert claim(encoded, "one") == {"outcome": "claimed", "run": run_of(given), "model": "flowers"}
    assert cloud.registry.run(run_of(given)).key == given["key"]
    assert claim(given, "two") == {"outcome": "duplicate", "run": run_of(given), "model": "flowers"}


def test_of_two_stored_spellings_the_event_s_own_is_claimed(cloud: Cloud) -> None:
    cloud.drop("datasets/flowers/a b.csv", b"another")
    given = cloud.drop("datasets/flowers/a%20b.csv")
    assert claim(given, "one")["run"] == run_of(given)


def test_a_set_is_claimed_by_its_parts(cloud: Cloud) -> None:
    for at in (1, 2):
        cloud.drop(f"datasets/flowers/monday/part-{at}.csv", b"part %d" % at)
        cloud.drop(f"datasets/flowers/tuesday/part-{at}.csv", b"part %d" % (at + 1))
    first = cloud.claim("datasets/flowers/monday/_SUCCESS", b"")
    assert first["outcome"] == "claimed"
    assert cloud.claim("datasets/flowers/tuesday/_SUCCESS", b"", "two")["outcome"] == "claimed"
    assert cloud.claim("datasets/flowers/monday/_SUCCESS", b"", "three")["outcome"] == "duplicate"


def test_a_set_is_read_in_the_versions_that_were_claimed(cloud: Cloud) -> None:
    """Parts that come or change after the claim are not of it; 1,200 of them are listed by pages."""
    for at in range(1200):
        cloud.s3.put_object(Bucket="drops", Key=f"datasets/flowers/monday/part-{at:04d}.csv", Body=b"%d" % at)
    given = cloud.drop("datasets/flowers/monday/_SUCCESS", b"")
    before = cloud.line.calls
    assert claim(given, "one")["outcome"] == "claimed"
    assert cloud.line.calls - before < 20
    cloud.drop("datasets/flowers/monday/part-0001.csv", b"changed")
    cloud.drop("datasets/flowers/monday/part-9999.csv", b"new")
    row = cloud.registry.run(run_of(given))
    found = sources(row, parse_drop(row.key), cloud.registry)
    assert [source.name for source in found] == [f"part-{at:04d}.csv" for at in range(1200)]
    body = cloud.s3.get_object(Bucket="drops", Key=found[1].key, **found[1].at_version)["Body"].read()
    assert body == b"1"


@pytest.mark.parametrize("status", ["failed", "rejected", "refused", "promoted"])
def test_only_runs_that_kept_nothing_give_their_content_back(cloud: Cloud, status: str) -> None:
    run = cloud.claim(KEY, b"same")["run"]
    told = {"execution": "exe-1", "run": run, "model": "flowers", "status": status, "reason": "because"}
    assert HANDLERS["notify"](told, None) == {"status": status}
    again = cloud.claim(KEY, b"same", "two")
    assert again["outcome"] == ("claimed" if status in ("failed", "rejected") else "duplicate")


@pytest.mark.parametrize("status", ["failed", "rejected"])
def test_a_run_that_lost_its_claim_does_not_get_it_back_by_a_repeated_event(cloud: Cloud, status: str) -> None:
    given = cloud.drop(KEY, b"same")
    first = claim(given, "one")["run"]
    close(first, status)
    second = cloud.claim("datasets/flowers/b.csv", b"same", "two")
    assert second["outcome"] == "claimed"
    assert claim(given, "three")["outcome"] == "duplicate"
    assert cloud.registry.holder(content_key("flowers", cloud.registry.run(first).content)) == second["run"]


def calls_of_a_claim(cloud: Cloud) -> int:
    before = cloud.line.calls
    assert cloud.claim("datasets/trees/a.csv", b"other", "counting")["outcome"] == "claimed"
    return cloud.line.calls - before - 1  # the drop itself


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("done", [True, False])
def test_after_any_fault_of_claim_the_same_bytes_train(cloud: Cloud, done: bool, told: bool) -> None:
    """Whatever call fails for good, before or after it was done, and whether or not Notify could tell of it."""
    for number in range(1, calls_of_a_claim(cloud) + 1):
        body, execution = b"bytes %d" % number, f"dead-{number}"
        given = cloud.drop(f"datasets/flowers/{number}.csv", body)
        with cloud.line.failing(from_call=number, done=done), pytest.raises(ReadTimeoutError):
            claim(given, execution)
        cloud.line.ended.add(execution)
        if told:
            fault = {"execution": execution, "run": "", "model": "", "status": "failed", "reason": "", "step": "Claim"}
            HANDLERS["notify"]({**fault, "error": "ReadTimeoutError", "cause": "no answer", **given}, None)
            row = cloud.registry.run(run_of(given))
            assert (row.status, row.step) == ("failed", "Claim") and "no answer" in row.reason
        again = claim(cloud.drop(f"datasets/flowers/{number}-again.csv", body), f"next-{number}")
        assert again["outcome"] == "claimed", number
        assert cloud.registry.run(again["run"]).status == "running"


def test_the_event_of_a_dead_execution_may_be_sent_again(cloud: Cloud) -> None:
    given = cloud.drop(KEY)
    assert claim(given, "one")["outcome"] == "claimed"
    assert claim(given, "two")["outcome"] == "duplicate"
    cloud.line.ended.add("one")
    assert claim(given, "three")["outcome"] == "claimed"
    assert claim(given, "four")["outcome"] == "duplicate"
    assert cloud.registry.run(run_of(given)).execution == "three"


def test_a_claim_of_a_run_that_does_not_exist_is_free(cloud: Cloud) -> None:
    given = cloud.drop(KEY, b"same")
    row = cloud.registry.run(claim(given, "one")["run"])
    orphaned = cloud.drop("datasets/flowers/b.csv", b"same")
    delete_row(run_key(row.run))
    assert cloud.registry.holder(content_key("flowers", row.content)) == row.run
    assert claim(orphaned, "two")["outcome"] == "claimed"


def test_a_retry_after_a_lost_answer_gives_the_same(cloud: Cloud) -> None:
    given = cloud.drop(KEY)
    cloud.line.writes = 0
    cloud.line.lose = lambda _operation, count: count == 1
    with pytest.raises(ReadTimeoutError):
        claim(given, "one")
    assert claim(given, "one")["outcome"] == "claimed"
    assert cloud.registry.run(run_of(given)).status == "running"
    assert claim(given, "two")["outcome"] == "duplicate"


def test_a_retry_of_a_duplicate_stays_one_when_its_holder_has_failed_since(cloud: Cloud) -> None:
    first = cloud.claim(KEY, b"same")["run"]
    given = cloud.drop("datasets/flowers/b.csv", b"same")
    assert claim(given, "two")["outcome"] == "duplicate"
    HANDLERS["notify"]({"execution": "exe-1", "run": first, "model": "flowers", "status": "failed", "reason": ""}, None)
    assert claim(given, "two")["outcome"] == "duplicate"


def test_many_events_many_threads_many_lost_answers_one_owner_each(cloud: Cloud) -> None:
    chance = random.Random(7)
    drops = [cloud.drop(f"datasets/flowers/{at}.csv", b"content %d" % (at // 2)) for at in range(16)]
    events = [(given, f"exe-{at}-{again}") for at, given in enumerate(drops) for again in range(4)]
    chance.shuffle(events)
    cloud.line.lose = lambda _operation, _count: chance.random() < 0.25
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: until_answered(*each), events))
    cloud.line.lose = lambda _operation, _count: False
    claimed = Counter(answer["run"] for answer in answers if answer["outcome"] == "claimed")
    assert set(claimed.values()) == {1}
    owners = {drops[at]["key"]: run_of(drops[at]) for at in range(16)}
    contents = Counter(cloud.registry.run(run).content for run in claimed)
    assert len(contents) == 8 and set(contents.values()) == {1}, "each content once"
    rows = {row.run: row for row in cloud.registry.runs(100)}
    assert set(rows) == set(owners.values()), "no object is lost"
    for row in rows.values():
        assert row.status == ("running" if row.run in claimed else "duplicate")
        assert row.run in claimed or row.duplicate_of in claimed


def close(run: str, status: str) -> None:
    execution = Registry("registry").run(run).execution
    HANDLERS["notify"]({"execution": execution, "run": run, "model": "flowers", "status": status, "reason": ""}, None)


def test_data_of_a_removed_model_may_be_dropped_again(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers", KEY, b"same")
    assert cloud.claim(KEY, b"same", "early")["outcome"] == "duplicate"
    remove("flowers", cloud.registry)
    given = cloud.drop(KEY, b"same")
    assert claim(given, "three")["outcome"] == claim(given, "three")["outcome"] == "claimed"
    assert cloud.claim(KEY, b"same", "four")["outcome"] == "duplicate", "of the run that has begun"


def test_what_a_removal_overtook_may_be_dropped_again_as_it_is_told(cloud: Cloud) -> None:
    cloud.serve("regression", "flowers", "datasets/flowers/other.csv", b"other")
    slow = cloud.claim(KEY, b"same", "slow")["run"]
    answer = cloud.judged("regression", slow)
    version = HANDLERS["register"]({"run": slow, "model": "flowers", **answer}, None)["version"]
    remove("flowers", cloud.registry)
    told = HANDLERS["promote"]({"run": slow, "model": "flowers", "version": version}, None)
    assert told["outcome"] == "refused" and "drop it again to serve it" in told["reason"]
    close(slow, "refused")
    cloud.serve("regression", "flowers", KEY, b"same")
    live = cloud.registry.live("flowers")
    assert live is not None and live.version == "3"


def test_a_removal_before_the_data_were_dropped_frees_nothing(cloud: Cloud) -> None:
    close(cloud.serve("regression", "flowers", "datasets/flowers/other.csv", b"other"), "promoted")
    remove("flowers", cloud.registry)
    close(cloud.claim(KEY, b"same")["run"], "refused")  # no better than a guess: nor would it be again
    assert cloud.claim(KEY, b"same", "two")["outcome"] == "duplicate"


def test_many_who_drop_again_after_a_removal_train_once(cloud: Cloud) -> None:
    close(cloud.serve("regression", "flowers", KEY, b"same"), "promoted")
    remove("flowers", cloud.registry)
    drops = [cloud.drop(f"datasets/flowers/{at}.csv", b"same") for at in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: claim(each, f"exe-{each['key']}"), drops))
    assert Counter(answer["outcome"] for answer in answers) == {"claimed": 1, "duplicate": 7}


@pytest.mark.parametrize("spec", [b"", b"target: b\n"])
def test_a_run_keeps_the_wishes_that_it_was_claimed_with(cloud: Cloud, spec: bytes) -> None:
    if spec:
        cloud.drop("datasets/flowers/spec.yaml", spec)
    row = cloud.registry.run(cloud.claim(KEY, b"same")["run"])
    cloud.drop("datasets/flowers/spec.yaml", b"target: a\n")
    assert read_spec(row) == (spec or None)
    assert read_spec(replace(row, spec=None)) == b"target: a\n"  # a run that an older Claim began
