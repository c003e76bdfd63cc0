"""Drops that started no run: their events came while the rule was off, were lost, or are in the dead-letter queue.

All versions of objects that S3 took since a day before the last look are compared with the registry. Listing costs a
request for a thousand versions, so a large bucket is listed less often: never more than a request in 90 seconds.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dropforge.contract.events import drop_event
from dropforge.contract.ids import run_id
from dropforge.contract.log import log
from dropforge.contract.names import BATCH, DATASETS, starts_run
from dropforge.contract.steps import NotifyInput
from lambdas.common import aws
from lambdas.common.endings import conclude

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.contract.registry import RunRow
    from dropforge.contract.settings import ReconcileSettings
    from lambdas.common.registry import Registry

GRACE = timedelta(minutes=10)
"""A drop that is younger may still have its event on the way."""
OVERLAP = timedelta(days=1)
"""S3 dates an upload of many parts by its beginning, so that it may appear long after its date."""
SECONDS_PER_PAGE = 90
ATTEMPTS = 3
"""How often a drop is started before it is given up."""
BATCH_ROWS = 100


class Version:
    """One version of an object in the drop bucket."""

    def __init__(self, bucket: str, key: str, version: str, size: int) -> None:
        self.key, self.version, self.size = key, version, size
        self.run = run_id(bucket, key, version)


def start_missed(registry: Registry, settings: ReconcileSettings, now: datetime) -> tuple[int, int]:
    """Starts what was missed; returns how many drops were started, and how many were given up."""
    looked, pages = registry.last_look()
    last = datetime.fromisoformat(looked) if looked else now
    if looked and (now - last).total_seconds() < pages * SECONDS_PER_PAGE:
        return 0, 0
    listing = Listing(settings.drops, last - OVERLAP, now - GRACE)
    started = given_up = 0
    for version, row in unclaimed(listing, registry):
        if start(version, settings):
            started += 1
        elif row is None:
            give_up(version, registry, settings)
            given_up += 1
    registry.note_look(now.isoformat(), listing.pages)
    return started, given_up


class Listing:
    """The versions in the drop bucket that start runs and that S3 took from `since` on, before `until`."""

    def __init__(self, bucket: str, since: datetime, until: datetime) -> None:
        self._bucket, self._since, self._until = bucket, since, until
        self.pages = 0
        """How many requests the listing took so far."""

    def __iter__(self) -> Iterator[Version]:
        for prefix in (DATASETS, BATCH):
            for page in aws.s3().get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
                self.pages += 1
                for each in page.get("Versions", []):
                    if self._since <= each["LastModified"] < self._until and starts_run(each["Key"]):
                        yield Version(self._bucket, each["Key"], each["VersionId"], each["Size"])


def unclaimed(listing: Listing, registry: Registry) -> Iterator[tuple[Version, RunRow | None]]:
    """The versions that have no run, or one whose Claim failed, with the run's row."""
    versions = list(listing)
    for first in range(0, len(versions), BATCH_ROWS):
        some = versions[first : first + BATCH_ROWS]
        rows = registry.find_runs([version.run for version in some])
        for version in some:
            row = rows.get(version.run)
            if row is None or (row.status, row.step) == ("failed", "Claim"):
                yield version, row


def start(version: Version, settings: ReconcileSettings) -> bool:
    """Starts an execution for the version; returns false if it was started often enough.

    The number of the attempt is in the execution's name, which Step Functions gives once in 90 days, so that nothing
    has to be remembered.
    """
    machine = settings.batch_machine if version.key.startswith(BATCH) else settings.machine
    event = json.dumps(drop_event(settings.drops, version.key, version.version, version.size))
    for attempt in range(1, ATTEMPTS + 1):
        name = f"again-{attempt}-{version.run}"
        try:
            aws.stepfunctions().start_execution(stateMachineArn=machine, name=name, input=event)
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "ExecutionAlreadyExists":
                raise
            continue
        log("started", run=version.run, attempt=attempt)
        return True
    return False


def give_up(version: Version, registry: Registry, settings: ReconcileSettings) -> None:
    """Leaves a failed run for a drop that was started in vain, and tells of it."""
    request = NotifyInput(
        execution=f"again-{ATTEMPTS}-{version.run}",
        run="",
        model="",
        status="failed",
        reason="",
        step="Claim",
        error="",
        cause=f"it was started {ATTEMPTS} times and never claimed",
        bucket=settings.drops,
        key=version.key,
        version=version.version,
        size=version.size,
    )
    conclude(request, registry, settings.topic)
