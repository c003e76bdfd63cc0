"""The hourly compaction: every record of an hour in Parquet, and every missing number named."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from dropforge.contract.captures import Captured, end_key, object_key, part_of, version_prefix
from lambdas.upkeep.compact import compacting, handler
from lambdas.upkeep.compact.accounts import accounts
from lambdas.upkeep.compact.compacting import GRACE, HOUR, compact

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

A, B = "a" * 16, "b" * 16
NOW = datetime.now(UTC).replace(minute=30)
LAST = (NOW - timedelta(hours=1)).strftime(HOUR)
BEFORE = (NOW - timedelta(hours=2)).strftime(HOUR)


def put(cloud: Cloud, hour: str, sandbox: str, first: int, last: int, version: str = "1") -> None:
    records = [
        Captured(f"{hour}T00:00:00.{at:03d}", "flowers", version, sandbox, at, inputs={"x": float(at), "colour": "red"})
        for at in range(first, last + 1)
    ]
    body = gzip.compress(b"".join(json.dumps(each.to_json()).encode() + b"\n" for each in records))
    key = object_key("flowers", version, hour, sandbox, first, last)
    cloud.s3.put_object(Bucket="artifacts", Key=key, Body=body, Tagging="dropforge-keep=7d")


def end(cloud: Cloud, hour: str, sandbox: str, last: int) -> None:
    cloud.s3.put_object(Bucket="artifacts", Key=end_key("flowers", "1", hour, sandbox, last), Body=b"")


def table(cloud: Cloud, name: str, version: str = "1") -> pl.DataFrame:
    key = f"{version_prefix('flowers', version)}compacted/{name}"
    return pl.read_parquet(io.BytesIO(cloud.s3.get_object(Bucket="artifacts", Key=key)["Body"].read()))


def test_names_say_what_an_object_holds() -> None:
    for key, said in (
        (object_key("m", "1", LAST, A, 3, 9), (A, 3, 9, False, 7)),
        (end_key("m", "1", LAST, A, 9), (A, 10, 9, True, 0)),
    ):
        part = part_of(key)
        assert part is not None and (*part, part.records) == said
    assert part_of(f"{version_prefix('m', '1')}compacted/{LAST}.json") is None


def test_gaps_are_named_and_an_end_names_the_last() -> None:
    parts = [part_of(object_key("m", "1", LAST, A, *each)) for each in ((11, 20), (1, 5), (31, 40))]
    parts += [part_of(end_key("m", "1", LAST, A, 42)), part_of(object_key("m", "1", LAST, B, 4, 4))]
    (one, other), still_open = accounts([each for each in parts if each is not None], {B: 3, "c": 9})
    assert (one.received, one.lost, one.missing, one.ended) == (25, ((6, 10), (21, 30), (41, 42)), 17, True)
    assert (other.received, other.lost, other.ended) == (1, (), False)
    assert still_open == {B: 4, "c": 9}


def test_the_hours_that_are_over_are_compacted_once(cloud: Cloud) -> None:
    put(cloud, BEFORE, A, 1, 3)
    put(cloud, LAST, A, 6, 8)
    put(cloud, LAST, B, 1, 2)
    end(cloud, LAST, B, 2)
    put(cloud, NOW.strftime(HOUR), A, 9, 9)
    first, second = compact("artifacts", "flowers", "1", NOW)
    assert (first.hour, first.received, first.lost, first.open) == (BEFORE, 3, 0, {A: 3})
    assert (second.received, second.lost, second.objects, second.open) == (5, 2, 3, {A: 8})
    assert second.sandboxes[0].lost == ((4, 5),)
    found = table(cloud, f"{LAST}-000.parquet")
    assert found["sequence"].to_list() == [1, 2, 6, 7, 8]
    assert found["inputs"].struct.unnest().columns == ["x", "colour"]
    key = f"{version_prefix('flowers', '1')}compacted/{LAST}-000.parquet"
    assert cloud.s3.get_object_tagging(Bucket="artifacts", Key=key)["TagSet"][0]["Value"] == "7d"
    assert [each.hour for each in compact("artifacts", "flowers", "1", NOW + GRACE) if each.received > 5] == []


def test_a_late_object_fills_the_gap_that_it_left(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cloud, LAST, A, 1, 2)
    put(cloud, LAST, A, 5, 5)
    monkeypatch.setattr(compacting, "GRACE", timedelta(hours=2))
    (account,) = compact("artifacts", "flowers", "1", NOW + timedelta(hours=3))
    assert (account.received, account.lost, account.late) == (3, 2, 0)
    monkeypatch.setattr(compacting, "GRACE", -timedelta(hours=2))  # as if the next object came hours later
    put(cloud, LAST, A, 3, 4)
    (account,) = compact("artifacts", "flowers", "1", NOW)
    assert (account.received, account.lost, account.late) == (5, 0, 5)
    assert table(cloud, f"{LAST}-000.parquet")["sequence"].to_list() == [1, 2, 3, 4, 5]


def test_long_hours_are_several_files(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.upkeep.compact.parquet.PIECE_BYTES", 1)
    put(cloud, LAST, A, 1, 2)
    put(cloud, LAST, A, 3, 3)
    (account,) = compact("artifacts", "flowers", "1", NOW)
    assert account.files == (f"{LAST}-000.parquet", f"{LAST}-001.parquet")
    assert [table(cloud, name).height for name in account.files] == [2, 1]


def test_a_broken_object_of_one_version_keeps_no_other_from_being_compacted(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTURES", "artifacts")
    put(cloud, BEFORE, A, 1, 1)
    cloud.s3.put_object(Bucket="artifacts", Key=object_key("flowers", "1", BEFORE, A, 2, 2), Body=b"no gzip")
    put(cloud, BEFORE, A, 1, 4, version="2")
    with pytest.raises(gzip.BadGzipFile):
        handler.handle({}, None)
    assert table(cloud, f"{BEFORE}-000.parquet", "2").height == 4


def test_a_look_at_nothing_lists_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAPTURES", "artifacts")
    before: Any = cloud.line.calls
    assert handler.handle({}, None) == {"hours": 0, "received": 0, "lost": 0, "late": 0}
    assert cloud.line.calls == before + 1
