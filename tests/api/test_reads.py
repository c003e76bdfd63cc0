"""What a listing reads of DynamoDB: as much as it shows, however much there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from dropforge.contract import registry as rows
from lambdas.api.live_pointer.handler import serve
from lambdas.common import aws, table
from lambdas.common.table import Table, TableFault
from tests.api.calls import Reply, get
from tests.steps.cloud import Cloud, key_schema
from tests.steps.rows import VERSION, fill, move_items, run_id, run_items, version_items

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdas.common.registry import Registry

MANY = 45
"""Versions and moves of a model: more than its page shows twice over."""


def reads(cloud: Cloud, call: Callable[[], Any]) -> tuple[Any, list[int]]:
    """The call's answer, and the items of each of its reads."""
    cloud.line.reads.clear()
    answer = call()
    return answer, list(cloud.line.reads)


def test_sixty_models_are_two_reads(cloud: Cloud) -> None:
    models = [replace(VERSION, model=f"model-{number:02}", metrics={"rmse": float(number)}) for number in range(60)]
    for first in models:
        fill([*version_items(first, [1]), *move_items(first, ["1"])])
    reply, counts = reads(cloud, lambda: get("/models"))
    lines = reply.body["models"]
    assert [line["model"] for line in lines] == [first.model for first in models]
    assert [line["metrics"]["rmse"] for line in lines] == list(range(60))
    assert counts == [60, 60]
    reply, counts = reads(cloud, lambda: get("/models", {"limit": "2", "after": "model-03"}))
    assert ([line["model"] for line in reply.body["models"]], counts) == (["model-04", "model-05"], [2, 2])


def test_a_pointer_to_a_version_that_is_gone_has_a_line_without_scores(cloud: Cloud) -> None:  # noqa: ARG001
    fill(move_items(VERSION, ["1"]))
    (line,) = get("/models").body["models"]
    assert (line["version"], line["task"], line["metrics"]) == ("1", None, None)


@pytest.mark.usefixtures("cloud")
def test_keys_that_dynamodb_has_no_capacity_for_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fill(version_items(VERSION, range(1, 151)))
    real, sizes, pauses = aws.dynamodb().batch_get_item, list[int](), list[float]()

    def sixty(RequestItems: Any) -> Any:
        keys = RequestItems["registry"]["Keys"]
        sizes.append(len(keys))
        first, rest = keys[:60], keys[60:]
        answer = real(RequestItems={"registry": {**RequestItems["registry"], "Keys": first}})
        return {**answer, "UnprocessedKeys": {"registry": {"Keys": rest}} if rest else {}}

    monkeypatch.setattr(aws.dynamodb(), "batch_get_item", sixty)
    monkeypatch.setattr(table.time, "sleep", pauses.append)
    keys = [rows.version_key("flowers", str(number)) for number in range(1, 131)]
    stored = Table("registry").get_all([*keys, keys[0], rows.version_key("flowers", "999")])
    assert {key: row["version"] for key, row in stored.items()} == {key: str(at) for at, key in enumerate(keys, 1)}
    assert (sizes, len(pauses)) == ([100, 40, 31], 1)


def test_a_table_without_capacity_is_a_fault_in_the_end(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    def nothing(RequestItems: Any) -> Any:
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    monkeypatch.setattr(aws.dynamodb(), "batch_get_item", nothing)
    monkeypatch.setattr(table.time, "sleep", lambda _: None)
    with pytest.raises(TableFault, match="expected 1 more rows, got none in 6 attempts"):
        Table("registry").get_all([rows.live_key("flowers")])


@pytest.mark.parametrize("limit", [1, 3, 10])
def test_runs_of_a_model_read_no_more_than_they_show(cloud: Cloud, limit: int) -> None:
    fill([*run_items("rare", range(5)), *run_items("many", range(5, 80))])
    fill(move_items(replace(VERSION, model="rare"), ["1"]))  # a live pointer is on the same index
    reply, counts = reads(cloud, lambda: get("/runs", {"model": "rare", "limit": str(limit)}))
    expected = [run_id(number) for number in (4, 3, 2, 1, 0)]
    assert [row["run"] for row in reply.body["runs"]] == expected[:limit]
    assert sum(counts) <= len(reply.body["runs"]) + 1
    after = {"model": "rare", "limit": str(limit), "after": reply.body["runs"][0]["created"]}
    reply, counts = reads(cloud, lambda: get("/runs", after))
    assert [row["run"] for row in reply.body["runs"]] == expected[1 : limit + 1]
    assert sum(counts) <= len(reply.body["runs"]) + 1
    reply, counts = reads(cloud, lambda: get("/runs", {"limit": str(limit)}))
    assert (len(reply.body["runs"]), sum(counts)) == (limit, limit)


def test_runs_of_before_the_index_are_listed_by_their_model(cloud: Cloud) -> None:
    """A deployment adds the index to the table that is there, and DynamoDB fills it with the rows that are there."""
    client = boto3.client("dynamodb")
    client.update_table(TableName="registry", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": rows.MODEL_INDEX}}])
    fill([*run_items("rare", range(3)), *run_items("many", range(3, 6))])
    index: Any = {
        "IndexName": rows.MODEL_INDEX,
        "KeySchema": key_schema(rows.MODEL_INDEX_PARTITION, rows.INDEX_SORT),
        "Projection": {"ProjectionType": "ALL"},
    }
    client.update_table(TableName="registry", GlobalSecondaryIndexUpdates=[{"Create": index}])
    assert [row.run for row in cloud.registry.runs(10, "rare")] == [run_id(number) for number in (2, 1, 0)]


@pytest.mark.parametrize("model", ["Bad Name", "x" * 3000, "é"])
def test_runs_of_what_no_model_can_be_named(cloud: Cloud, model: str) -> None:  # noqa: ARG001
    reply = get("/runs", {"model": model})
    assert (reply.status, reply.code, reply.field) == (400, "wrong_query", "model")


def test_one_version_is_one_item(cloud: Cloud) -> None:
    fill(version_items(VERSION, range(1, MANY + 1)))
    reply, counts = reads(cloud, lambda: get("/models/{model}/versions/{version}", model="flowers", version="7"))
    assert (reply.body["version"], counts) == ("7", [1])
    row, counts = reads(cloud, lambda: serve("flowers", "7", cloud.registry))
    assert (row.version, counts) == ("7", [1, 1])


@pytest.mark.parametrize("version", ["99", "0", "01", "x" * 5000, "１"])
def test_a_version_that_is_not_there_says_how_to_list_them(cloud: Cloud, version: str) -> None:
    fill(version_items(VERSION, range(1, MANY + 1)))
    reply, counts = reads(cloud, lambda: get("/models/{model}/versions/{version}", model="flowers", version=version))
    assert reply.status == 404 and "GET /models/flowers/versions lists" in reply.body["error"]["message"]
    assert sum(counts) <= 1


@pytest.fixture
def flowers(cloud: Cloud) -> Registry:
    """A model with many versions and as many moves, the last one back to the first version."""
    cloud.serve("regression", "flowers")
    first = cloud.registry.version("flowers", "1")
    assert first is not None
    numbers = range(2, MANY + 1)
    fill([*version_items(first, numbers), *move_items(first, ["1", *map(str, numbers), "1"])])
    return cloud.registry


def test_a_model_s_page_shows_the_newest(cloud: Cloud, flowers: Registry) -> None:
    page, counts = reads(cloud, lambda: get("/models/{model}", model="flowers").body)
    assert [row["version"] for row in page["versions"]] == [str(number) for number in range(MANY, MANY - 20, -1)]
    assert [move["generation"] for move in page["history"]] == list(range(MANY + 1, MANY - 19, -1))
    assert (page["versions_next"], page["history_next"]) == (str(MANY - 19), str(MANY - 18))
    live = flowers.version("flowers", "1")
    assert live is not None and (page["version"], page["metrics"]) == ("1", live.metrics), "older than those shown"
    assert sum(counts) <= 20 + 20 + 2


@pytest.mark.parametrize(("listing", "field"), [("versions", "version"), ("history", "generation")])
@pytest.mark.parametrize("limit", ["7", "45", "46", "100"])
def test_versions_and_history_go_on_page_by_page(
    cloud: Cloud, flowers: Registry, listing: str, field: str, limit: str
) -> None:
    whole: list[Any] = list(flowers.versions("flowers") if listing == "versions" else flowers.history("flowers"))
    query, shown = {"limit": limit}, []
    while True:
        page, counts = reads(cloud, lambda: get(f"/models/{{model}}/{listing}", query, model="flowers").body)
        assert sum(counts) == len(page[listing]) > 0
        shown += [row[field] for row in page[listing]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert shown == [getattr(row, field) for row in whole]


@pytest.mark.parametrize("listing", ["versions", "history"])
def test_listings_of_a_model_refuse_what_cannot_be(cloud: Cloud, listing: str) -> None:  # noqa: ARG001
    fill(version_items(VERSION, [1]))
    route = f"/models/{{model}}/{listing}"

    def wrong(query: dict[str, str]) -> tuple[int, str, str | None]:
        reply: Reply = get(route, query, model="flowers")
        return reply.status, reply.code, reply.field

    assert len(get(route, model="flowers").body[listing]) == (1 if listing == "versions" else 0)
    assert get(route, {"after": "1"}, model="flowers").body == {listing: [], "next": None}
    for after in ("0", "-1", "x", "1" * 9, "flowers"):
        assert wrong({"after": after}) == (400, "wrong_query", "after")
    assert wrong({"limit": "0"}) == (400, "wrong_query", "limit")
    for name in ("nobody", "Bad Name", "m" * 5000):
        assert get(route, model=name).code == "not_found"
