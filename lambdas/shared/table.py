"""One DynamoDB table: rows as plain JSON values, conditions that answer with false instead of raising."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dropforge.contract.models import INDEX, INDEX_PARTITION, INDEX_SORT
from lambdas.shared import aws
from lambdas.shared.items import from_item, to_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Protocol

    from dropforge.contract.models import Key

    # Not when it runs: a protocol costs a cold start as much as a record.
    class Reader(Protocol):
        """The two reads of DynamoDB's client."""

        def get_item(self, **request: Any) -> Any:
            """`GetItem`."""

        def query(self, **request: Any) -> Any:
            """`Query`, one page."""


REFUSED = ("ConditionalCheckFailedException", "TransactionCanceledException")


class Table:
    """Reads and writes of one table by the keys of `contract.registry`."""

    NEW = "attribute_not_exists(pk)"
    """Condition: there is no such row yet."""

    def __init__(self, name: str, reader: Reader | None = None) -> None:
        """`reader` does the reads where it is given; everything else is boto3's."""
        self._name = name
        self._reader = reader

    def get(self, key: Key) -> dict[str, Any] | None:
        """The row, read consistently."""
        answer = self._reads.get_item(TableName=self._name, Key=to_item(key.to_item()), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def put(self, key: Key, row: Mapping[str, Any], **conditions: Any) -> bool:
        """Writes a row; false when its condition (see `put_request`) was not met."""
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
            key: where the row lies.
            row: its fields, plain JSON values.
            condition: a condition expression; a field `f` of `names` stands in it as `#f`.
            listed: partition and sort value on the index, for a row that is listed.
            names: fields that the condition names.
            values: the condition's values by their placeholders.
        """
        index = {} if listed is None else dict(zip((INDEX_PARTITION, INDEX_SORT), listed, strict=True))
        return {
            "TableName": self._name,
            "Item": to_item({**key.to_item(), **index, **row}),
            "ConditionExpression": condition,
            **_placeholders(names, values or {}),
        }

    def update(self, key: Key, changes: Mapping[str, Any]) -> bool:
        """Sets fields of a row; false when there is no such row."""
        values = {f":{name}": value for name, value in changes.items()}
        request: dict[str, Any] = {
            "TableName": self._name,
            "Key": to_item(key.to_item()),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            "ConditionExpression": "attribute_exists(pk)",
            **_placeholders(tuple(changes), values),
        }
        return _accepted(lambda: aws.dynamodb().update_item(**request))

    def update_entry(self, key: Key, field: str, entry: str, value: Any) -> bool:
        """Sets one entry of a field that is a map; false when there is no such row."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "Key": to_item(key.to_item()),
            "UpdateExpression": "SET #field.#entry = :value",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": {"#field": field, "#entry": entry},
            "ExpressionAttributeValues": to_item({":value": value}),
        }
        return _accepted(lambda: aws.dynamodb().update_item(**request))

    def delete(self, key: Key, *, condition: str, names: Sequence[str], values: Mapping[str, Any]) -> bool:
        """Deletes a row; false when its condition was not met."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "Key": to_item(key.to_item()),
            "ConditionExpression": condition,
            **_placeholders(names, values),
        }
        return _accepted(lambda: aws.dynamodb().delete_item(**request))

    def transact(self, writes: Sequence[Mapping[str, Any]]) -> bool:
        """All writes or none; false when a condition was not met."""
        items: Any = list(writes)
        return _accepted(lambda: aws.dynamodb().transact_write_items(TransactItems=items))

    def partition(self, pk: str, prefix: str) -> list[dict[str, Any]]:
        """The rows of a partition whose sort key begins with `prefix`, in its order, read consistently."""
        pages = self._pages(
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_item({":pk": pk, ":prefix": prefix}),
        )
        return [from_item(item) for page in pages for item in page]

    def listing(
        self, name: str, limit: int, *, newest: bool, model: str | None = None, after: str | None = None
    ) -> list[dict[str, Any]]:
        """At most `limit` rows of one listing on the index, those of `model` alone when it is given.

        `after` is the sort value of the last row that is known already.
        """
        further = "" if after is None else f" AND #{INDEX_SORT} {'<' if newest else '>'} :after"
        names = (INDEX_PARTITION, *([INDEX_SORT] if further else []))
        values = {":listing": name, **({":after": after} if further else {})}
        pages = self._pages(
            IndexName=INDEX,
            ScanIndexForward=not newest,
            KeyConditionExpression=f"#{INDEX_PARTITION} = :listing{further}",
            **_placeholders(names, values),
        )
        found: list[dict[str, Any]] = []
        for page in pages:
            items = [from_item(item) for item in page]
            found += [item for item in items if model is None or item["model"] == model]
            if len(found) >= limit:
                break
        return found[:limit]

    @property
    def _reads(self) -> Any:
        return self._reader or aws.dynamodb()

    def _pages(self, **request: Any) -> Iterator[list[dict[str, Any]]]:
        """The items of a query, page by page."""
        further: dict[str, Any] = {}
        while True:
            answer = self._reads.query(TableName=self._name, **request, **further)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            further = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _placeholders(names: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The two maps of an expression; DynamoDB refuses empty ones."""
    maps = {
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": to_item(values),
    }
    return {name: each for name, each in maps.items() if each}


def _accepted(write: Callable[[], object]) -> bool:
    from botocore.exceptions import ClientError

    try:
        write()
    except ClientError as fault:
        if fault.response["Error"]["Code"] in REFUSED:
            return False
        raise
    return True
