"""What a rollout has seen so far: a document in the folder of its run, which captured objects are added to."""

from __future__ import annotations

import gzip
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from dropforge.contract import names
from dropforge.contract.captures import Captured
from dropforge.contract.documents import DocumentError
from dropforge.contract.plan import Plan
from dropforge.contract.results import Verdict
from dropforge.contract.rollouts import RolloutState
from dropforge.metrics.evidence import begun, fold
from dropforge.metrics.evidence_page import page
from lambdas.common import aws
from lambdas.common.artifacts import Artifacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropforge.contract.registry import LiveRow
    from dropforge.contract.rollouts import Decision, Evidence, RolloutWish

LATE = timedelta(hours=2)
"""How much later than its hour an object may come and still be added: function processes write within minutes."""

MISSING = ("NoSuchKey", "404")


class State:
    """The state of one rollout.

    Args:
        stored: as the last look left it.
        run: whose version is on trial.
        wish: of the owner of that run's data.
        artifacts: the bucket.
    """

    def __init__(self, stored: RolloutState, run: str, wish: RolloutWish, artifacts: Artifacts) -> None:
        self.wish = wish
        self._stored, self._run, self._artifacts = stored, run, artifacts

    @classmethod
    def of(cls, live: LiveRow, bucket: str, now: datetime) -> State:
        """The state of the rollout that is under way; a new one at the first look."""
        assert live.candidate is not None
        trial, against = (live.version, live.candidate.version), (live.candidate.version, live.version)
        (version, other), run = (trial, live.run) if live.candidate.stage == "after" else (against, live.candidate.run)
        artifacts, files = Artifacts(bucket), names.RunFiles(run)
        wish = Plan.from_json(artifacts.read_json(f"{files.plan}{names.PLAN_FILE}")).spec.rollout
        known = _stored(artifacts, files.key(names.ROLLOUT_FILE))
        if known is None or known.salt != live.candidate.salt:
            verdict = Verdict.from_json(artifacts.read_json(files.key(names.VERDICT_FILE)))
            holdout = verdict.disagreement if verdict.champion_version == other else None
            evidence = begun(live.model, version, other, wish, holdout)
            known = RolloutState(live.candidate.salt, evidence, live.candidate.since, now.isoformat())
        return cls(known, run, wish, artifacts)

    def look(self, live: LiveRow, now: datetime) -> Evidence:
        """Adds what was captured since the last look, and returns the evidence."""
        keys = sorted(set(self._keys(now)) - {*self._stored.added})
        records = [record for key in keys for record in self._records(key)]
        evidence = fold(self._stored.evidence, records, live.candidate)
        oldest = (now - 2 * LATE).strftime("%Y-%m-%d-%H")
        added = tuple(key for key in (*self._stored.added, *keys) if key.split("/")[3] >= oldest)
        self._stored = RolloutState(self._stored.salt, evidence, self._stored.begun, now.isoformat(), added)
        return evidence

    def save(self, decision: Decision, now: datetime) -> None:
        """Keeps the evidence and what it says to do, and draws the rollout's page."""
        files, stored = names.RunFiles(self._run), self._stored
        kept = RolloutState(stored.salt, stored.evidence, stored.begun, now.isoformat(), stored.added, decision)
        self._artifacts.write_json(files.key(names.ROLLOUT_FILE), kept.to_json())
        self._artifacts.write(files.key(names.ROLLOUT_PAGE), page(stored.evidence).encode(), "text/html; charset=utf-8")

    def _keys(self, now: datetime) -> Iterator[str]:
        """The captured objects of both versions since the last look, and those that may have come late."""
        evidence = self._stored.evidence
        hour = max(datetime.fromisoformat(self._stored.begun), datetime.fromisoformat(self._stored.looked) - LATE)
        hour = hour.replace(minute=0, second=0, microsecond=0)
        while hour <= now:
            for version in (evidence.version, evidence.against):
                prefix = f"{names.CAPTURES}{evidence.model}/{version}/{hour.strftime('%Y-%m-%d-%H')}/"
                pages = aws.s3().get_paginator("list_objects_v2").paginate(Bucket=self._artifacts.bucket, Prefix=prefix)
                yield from (each["Key"] for part in pages for each in part.get("Contents", []) if _is_part(each["Key"]))
            hour += timedelta(hours=1)

    def _records(self, key: str) -> Iterator[Captured]:
        """The records of one object from the time of the rollout; lines that a newer version wrote are passed over."""
        try:
            body = self._artifacts.read(key)
        except ClientError as fault:
            if fault.response["Error"]["Code"] in MISSING:
                return
            raise
        for line in gzip.decompress(body).splitlines():
            try:
                record = Captured.from_json(json.loads(line))
            except DocumentError:
                continue
            if record.time[:23] >= self._stored.begun[:23]:
                yield record


def _is_part(key: str) -> bool:
    return key.endswith(".jsonl.gz")


def _stored(artifacts: Artifacts, key: str) -> RolloutState | None:
    """The state of the last look; None before the first one."""
    try:
        return RolloutState.from_json(artifacts.read_json(key))
    except ClientError as fault:
        if fault.response["Error"]["Code"] in MISSING:
            return None
        raise
