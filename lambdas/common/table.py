"""One DynamoDB table: rows are plain JSON values, and a write whose condition fails returns false."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dropforge.contract.errors import ServiceError
from dropforge.contract.models import (
    INDEX,
    INDEX_PARTITION,
    INDEX_SORT,
    MODEL_INDEX,
    MODEL_INDEX_PARTITION,
    PARTITION,
    SORT,
    Key,
)
from lambdas.common import aws
from lambdas.common.items import from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Protocol

    # For type checkers only: defining a protocol costs a cold start as much as a record.
    class Reader(Protocol):
        """The two methods of a DynamoDB client that reads need."""

        def get_item(self, **request: Any) -> Any:
            """`GetItem`."""

        def query(self, **request: Any) -> Any:
            """`Query`, one page."""


CONDITION_FAILED = ("ConditionalCheckFailedException", "TransactionCanceledException")
MAX_BATCH_KEYS = 100
"""How many keys DynamoDB takes in one BatchGetItem."""

BATCH_ATTEMPTS = 6
"""How often keys that DynamoDB had no capacity for are requested, over some three seconds."""


class TableFault(ServiceError, RuntimeError):
    """DynamoDB did not complete a request in any attempt."""


class Table:
    """Reads and writes of one table by the keys of `contract.registry`."""

    NEW = "attribute_not_exists(pk)"
    """Condition: there is no such row yet."""

    def __init__(self, name: str, reader: Reader | None = None) -> None:
        """`reader` is the client for reads; boto3's by default, which also does everything else."""
        self._name = name
        self._reader = reader

    def get(self, key: Key) -> dict[str, Any] | None:
        """The row, read consistently."""
        response = self._reads.get_item(TableName=self._name, Key=to_item(key.to_item()), ConsistentRead=True)
        return from_item(response["Item"]) if "Item" in response else None

    def get_all(self, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
        """The rows of these keys that exist, read consistently, a hundred a request.

        Raises:
            TableFault: DynamoDB has no capacity for some of the keys.
        """
        rows: dict[Key, dict[str, Any]] = {}
        unique = list(dict.fromkeys(keys))
        for first in range(0, len(unique), MAX_BATCH_KEYS):
            for item in self._batch([to_item(key.to_item()) for key in unique[first : first + MAX_BATCH_KEYS]]):
                rows[key_of(item)] = from_item(item)
        return rows

    def put(self, key: Key, row: Mapping[str, Any], **conditions: Any) -> bool:
        """Writes a row; returns false if its condition (see `put_request`) failed."""
        request = self.put_request(key, row, **conditions)
        return _accepted(lambda: aws.dynamodb().put_item(**request))

    def put_request(
        self,
        key: Key,
        row: Mapping[str, Any],
        *,
        condition: str,
        listed: tuple[str, str] | None = None,
        names: Sequence[str] = (),
        values: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The request of a conditional put.

        Args:
            key: the row's key.
            row: its fields, plain JSON values.
            condition: a condition expression; a field `f` of `names` stands in it as `#f`.
            listed: partition and sort value on the index, for a row that is listed.
            names: fields that occur in the condition.
            values: the condition's values by their placeholders.
        """
        index = {} if listed is None else dict(zip((INDEX_PARTITION, INDEX_SORT), listed, strict=True))
        return {
            "TableName": self._name,
            "Item": to_item({**key.to_item(), **index, **row}),
            "ConditionExpression": condition,
            **_placeholders(names, values or {}),
        }

    def update(self, key: Key, changes: Mapping[str, Any], **expected: Any) -> bool:
        """Sets fields of a row; returns false if there is no such row, or it has other values than `expected`."""
        request = self.update_request(key, changes, **expected)
        return _accepted(lambda: aws.dynamodb().update_item(**request))

    def update_request(self, key: Key, changes: Mapping[str, Any], **expected: Any) -> dict[str, Any]:
        """The request that sets fields of a row which exists and has the values `expected` in these fields."""
        values = {f":{name}": value for name, value in changes.items()}
        values |= {f":expected_{name}": value for name, value in expected.items()}
        same = [f"#{name} = :expected_{name}" for name in expected]
        return {
            "TableName": self._name,
            "Key": to_item(key.to_item()),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            "ConditionExpression": " AND ".join(["attribute_exists(pk)", *same]),
            **_placeholders((*changes, *expected), values),
        }

    def update_entry(self, key: Key, field: str, entry: str, value: Any) -> bool:
        """Sets one entry of a field that is a map; returns false if there is no such row."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "Key": to_item(key.to_item()),
            "UpdateExpression": "SET #field.#entry = :value",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#field": field, "#entry": entry},
            "ExpressionAttributeValues": to_item({":value": value}),
        }
        return _accepted(lambda: aws.dynamodb().update_item(**request))

    def transact(self, writes: Sequence[Mapping[str, Any]]) -> bool:
        """Does all writes or none; returns false if a condition failed."""
        items: Any = list(writes)
        return _accepted(lambda: aws.dynamodb().transact_write_items(TransactItems=items))

    def newest(self, pk: str, first: str, last: str, limit: int | None = None) -> list[dict[str, Any]]:
        """The rows of a partition with sort keys from `first` to `last`, in descending order, read consistently.

        It reads at most `limit` rows.
        """
        rows = self._query(
            limit,
            ConsistentRead=True,
            ScanIndexForward=False,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=to_item({":pk": pk, ":first": first, ":last": last}),
        )
        return list(rows)

    def listing(
        self, name: str, limit: int, *, newest: bool, model: str | None = None, after: str | None = None
    ) -> list[dict[str, Any]]:
        """At most `limit` rows of one listing, of all models or of `model` alone.

        The index of a model has its live pointer next to its runs, so one row more than `limit` may be read.

        Args:
            name: the listing.
            limit: the most rows.
            newest: whether the order is descending.
            model: the model that all rows are of.
            after: the sort value of the last row of the page before.
        """
        condition, names, values = f"#{INDEX_PARTITION} = :listing", [INDEX_PARTITION], {":listing": name}
        request: dict[str, Any] = {"IndexName": INDEX, "ScanIndexForward": not newest}
        if model is not None:
            request |= {"IndexName": MODEL_INDEX, "FilterExpression": condition}
            condition, values[":model"] = f"#{MODEL_INDEX_PARTITION} = :model", model
            names.append(MODEL_INDEX_PARTITION)
        if after is not None:
            condition, values[":after"] = f"{condition} AND #{INDEX_SORT} {'<' if newest else '>'} :after", after
            names.append(INDEX_SORT)
        return list(self._query(limit, KeyConditionExpression=condition, **request, **_placeholders(names, values)))

    @property
    def _reads(self) -> Any:
        return self._reader or aws.dynamodb()

    def _query(self, most: int | None, **request: Any) -> Iterator[dict[str, Any]]:
        """The rows of a query, page by page; no page reads more rows than are still needed."""
        count, further = 0, dict[str, Any]()
        while most is None or count < most:
            limit = {} if most is None else {"Limit": most - count}
            response = self._reads.query(TableName=self._name, **request, **limit, **further)
            count += len(response["Items"])
            yield from map(from_item, response["Items"])
            if "LastEvaluatedKey" not in response:
                return
            further = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def _batch(self, keys: list[Any]) -> Iterator[dict[str, Any]]:
        """The items of at most `MAX_BATCH_KEYS` keys, in the order in which DynamoDB returns them."""
        for attempt in range(BATCH_ATTEMPTS):
            request: Any = {self._name: {"Keys": keys, "ConsistentRead": True}}
            response: Any = aws.dynamodb().batch_get_item(RequestItems=request)
            yield from response["Responses"].get(self._name, ())
            keys = response.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if not keys:
                return
            time.sleep(0.05 * 2**attempt)
        raise TableFault(
            f"table {self._name!r}: expected {len(keys)} more rows, got none in {BATCH_ATTEMPTS} attempts: "
            "DynamoDB is busy; ask again"
        )


def key_of(item: Mapping[str, Any]) -> Key:
    """The key of an item."""
    return Key(*(item[name]["S"] for name in (PARTITION, SORT)))


def _placeholders(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The two maps of an expression; DynamoDB refuses empty ones."""
    maps = {
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": to_item(values),
    }
    return {name: entries for name, entries in maps.items() if entries}


def _accepted(write: Callable[[], object]) -> bool:
    from botocore.exceptions import ClientError

    try:
        write()
    except ClientError as fault:
        if fault.response["Error"]["Code"] in CONDITION_FAILED:
            return False
        raise
    return True
