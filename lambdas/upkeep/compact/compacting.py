"""The hours of one version that are over: each becomes Parquet and an account, again where objects came late."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dropforge.contract.captures import COMPACTED, CaptureHour, compacted_key, part_of, version_prefix
from lambdas.common import aws
from lambdas.upkeep.compact.accounts import accounts
from lambdas.upkeep.compact.parquet import Kept, write_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


HOUR = "%Y-%m-%d-%H"
LOOKED_BACK = timedelta(hours=25)
"""How late an object may come and still be compacted."""

GRACE = timedelta(minutes=10)
"""How long after an hour its objects are waited for: they wait up to two minutes in a function that is called."""


def compact(bucket: str, model: str, version: str, now: datetime) -> list[CaptureHour]:
    """Compacts what is over and new; the accounts that were written."""
    hours = by_hour(bucket, model, version, now - LOOKED_BACK)
    over = [hour for hour in sorted(hours) if _end(hour) + GRACE <= now]
    known = written(bucket, model, version)
    fresh = [at for at, hour in enumerate(over) if is_new(hours[hour], known.get(f"{hour}.json"))]
    if not fresh:
        return []
    first = over[fresh[0]]
    still_open = open_before(bucket, model, version, first, known)
    found = []
    for hour in over[fresh[0] :]:  # a late object may fill a gap of a later hour
        account = _hour(bucket, model, version, hour, hours[hour], still_open)
        still_open = account.open
        found.append(account)
    return found


def by_hour(bucket: str, model: str, version: str, since: datetime) -> dict[str, list[Kept]]:
    """The objects of each hour from `since` on. Folders of hours come before the compacted one, which ends the list."""
    prefix = version_prefix(model, version)
    found: dict[str, list[Kept]] = defaultdict(list)
    for each in _listed(bucket, prefix, f"{prefix}{since.strftime(HOUR)}"):
        hour = each["Key"].removeprefix(prefix).partition("/")[0]
        if hour == COMPACTED:
            break
        part = part_of(each["Key"])
        if part is not None:
            found[hour].append(Kept(each["Key"], part, each["LastModified"], each["Size"]))
    return found


def written(bucket: str, model: str, version: str) -> dict[str, datetime]:
    """When each compacted file was written, by its name."""
    prefix = compacted_key(model, version, "")
    return {each["Key"].removeprefix(prefix): each["LastModified"] for each in _listed(bucket, prefix)}


def is_new(objects: Sequence[Kept], compacted: datetime | None) -> bool:
    """Whether an object has come since an hour was compacted; times of S3 are whole seconds."""
    return compacted is None or any(each.written >= compacted for each in objects)


def open_before(bucket: str, model: str, version: str, hour: str, known: dict[str, datetime]) -> dict[str, int]:
    """The sandboxes that had not ended before this hour, by the account of the hour before it that has one."""
    names = sorted(name for name in known if name.endswith(".json") and name < f"{hour}.json")
    if not names:
        return {}
    body = aws.s3().get_object(Bucket=bucket, Key=compacted_key(model, version, names[-1]))["Body"].read()
    return CaptureHour.from_json(json.loads(body)).open


def _hour(bucket: str, model: str, version: str, hour: str, objects: list[Kept], before: dict[str, int]) -> CaptureHour:
    records = [each for each in objects if not each.part.is_end]
    tags = _tags(bucket, records or objects)
    files = write_parquet(bucket, model, version, hour, records, tags)
    sandboxes, still_open = accounts([each.part for each in objects], before)
    on_time = _end(hour) + GRACE
    account = CaptureHour(
        model=model,
        version=version,
        hour=hour,
        received=sum(each.received for each in sandboxes),
        lost=sum(each.missing for each in sandboxes),
        late=sum(each.part.records for each in records if each.written > on_time),
        objects=len(objects),
        files=tuple(files),
        sandboxes=tuple(sandboxes),
        open=still_open,
    )
    key, body = compacted_key(model, version, f"{hour}.json"), json.dumps(account.to_json()).encode()
    aws.s3().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json", Tagging=tags)
    return account


def _tags(bucket: str, objects: Sequence[Kept]) -> str:
    """The tags of an hour's objects, which say how long they are kept."""
    found = aws.s3().get_object_tagging(Bucket=bucket, Key=objects[0].key)["TagSet"]
    return "&".join(f"{each['Key']}={each['Value']}" for each in found)


def _listed(bucket: str, prefix: str, after: str = "") -> Iterator[Any]:
    pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after)
    for page in pages:
        yield from page.get("Contents", [])


def _end(hour: str) -> datetime:
    return datetime.strptime(hour, HOUR).replace(tzinfo=UTC) + timedelta(hours=1)
