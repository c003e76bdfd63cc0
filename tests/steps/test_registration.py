"""A run is registered under one number, read by few reads, whoever registered it and whatever was lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from dropforge.contract import registry as rows
from lambdas.common.registry import RegistryFault
from lambdas.common.table import Table
from tests.steps.cloud import HANDLERS, delete_row
from tests.steps.rows import VERSION, fill, run_id, version_items

if TYPE_CHECKING:
    from dropforge.contract.registry import VersionRow
    from tests.steps.cloud import Cloud

MANY = 45


def candidate(run: int, **changes: str) -> VersionRow:
    """A judged run's version before it has a number."""
    return replace(VERSION, version="0", run=run_id(run), **changes)


def test_a_registration_reads_few_items_however_many_versions_there_are(cloud: Cloud) -> None:
    fill(version_items(VERSION, range(1, MANY + 1)))
    cloud.line.reads.clear()
    assert cloud.registry.add_version(candidate(1000)).version == str(MANY + 1)
    assert sum(cloud.line.reads) <= 2
    for run in (1001, 1002):
        cloud.registry.add_version(candidate(run))
    for run, version in ((1000, MANY + 1), (1002, MANY + 3)):  # an older one, and the newest
        cloud.line.reads.clear()
        assert cloud.registry.add_version(candidate(run)).version == str(version)
        assert sum(cloud.line.reads) <= 3
    assert [row.version for row in cloud.registry.versions("flowers", 1)] == [str(MANY + 3)]


def test_a_lost_answer_gives_no_second_number_even_when_others_registered_since(cloud: Cloud) -> None:
    cloud.line.lose = lambda operation, _count: operation == "TransactWriteItems"
    with pytest.raises(ReadTimeoutError):
        cloud.registry.add_version(candidate(1))
    cloud.line.lose = lambda _operation, _count: False
    assert cloud.registry.add_version(candidate(2)).version == "2"
    assert cloud.registry.add_version(candidate(1)).version == "1"
    assert [row.run for row in cloud.registry.versions("flowers")] == [run_id(2), run_id(1)]


def test_a_later_judgement_changes_the_verdict_alone(cloud: Cloud) -> None:
    for run in (1, 2):
        cloud.registry.add_version(candidate(run))
    again = cloud.registry.add_version(candidate(1, outcome="refused", reason="worse", created="later", target="other"))
    stored = cloud.registry.version("flowers", "1")
    assert again == stored == replace(VERSION, version="1", run=run_id(1), outcome="refused", reason="worse")


def test_versions_of_before_registrations_keep_their_numbers(cloud: Cloud) -> None:
    """The newest is known by itself, an older one by the number in its run's row."""
    fill(version_items(VERSION, range(1, 4)))
    assert cloud.registry.add_version(candidate(3)).version == "3"
    assert cloud.registry.add_version(candidate(2), earlier="2").version == "2"
    assert [row.version for row in cloud.registry.versions("flowers")] == ["3", "2", "1"]


def test_a_run_s_row_leads_register_to_its_version_of_before(cloud: Cloud) -> None:
    run = str(cloud.claim("datasets/flowers/a.csv", b"a")["run"])
    answer = cloud.judged("regression", run)
    assert HANDLERS["register"]({"run": run, "model": "flowers", **answer}, None) == {"version": "1"}
    key = rows.registration_key("flowers", run)
    delete_row(key)
    cloud.registry.add_version(candidate(7))
    assert HANDLERS["register"]({"run": run, "model": "flowers", **answer}, None) == {"version": "1"}


def test_runs_at_once_get_one_number_each_and_none_twice(cloud: Cloud) -> None:
    fill(version_items(VERSION, range(1, 4)))
    runs = [run for run in range(100, 106) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(lambda run: cloud.registry.add_version(candidate(run)).version, runs))
    assert sorted(set(numbers), key=int) == [str(number) for number in range(4, 10)]
    assert all(len(set(numbers[first : first + 3])) == 1 for first in range(0, len(runs), 3))
    assert [row.version for row in cloud.registry.versions("flowers")] == [str(number) for number in range(9, 0, -1)]


def test_a_number_that_is_never_free_is_a_fault(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Table, "transact", lambda _self, _writes: False)
    with pytest.raises(RegistryFault, match="expected a free version number in 20 attempts; run again"):
        cloud.registry.add_version(candidate(1))
