"""A rollout on the embedded cloud: a model under traffic is replaced, and no caller is without an answer."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.client import ApiFault
from dropforge.contract import names
from examples import datasets

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from dropforge.client import Dropforge, Dropped

pytestmark = pytest.mark.long

MODEL, TARGET = "rolled", "Miles_per_Gallon"
ROLLOUT = "rollout: {mode: shadow, minutes: 0.1, requests: 10, after: 0.004}\n"
"""Six seconds of shadow at least, and fifteen seconds in which the former version shadows."""


class Traffic:
    """A caller that asks for one row after another, until it is told to stop."""

    def __init__(self, forge: Dropforge, rows: pl.DataFrame) -> None:
        self.answers: list[str] = []
        """The version of each answer."""
        self.faults: list[Exception] = []
        self._forge, self._rows = forge, rows.to_dicts()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        at = 0
        while not self._ended.is_set():
            row = self._rows[at % len(self._rows)]
            try:
                self.answers.append(self._forge.predict(MODEL, [row]).version)
            except Exception as fault:  # whatever a caller would see
                self.faults.append(fault)
            at += 1
            self._ended.wait(0.1)


def dropped(forge: Dropforge, frame: pl.DataFrame, folder: Path, wishes: str = "", **more: Any) -> Dropped:
    path, spec = folder / "cars.csv", folder / "spec.yaml"
    frame.write_csv(path)
    spec.write_text("budget: 0.05\nsearch: none\n" + wishes)
    return forge.drop(path, model=MODEL, spec=spec, target=TARGET, **more)


def until(forge: Dropforge, run: str, done: Any) -> Any:
    """The run's row once `done` says so of it; fails after two minutes."""
    ends, row = time.monotonic() + 120, None
    while time.monotonic() < ends:
        try:
            row = forge.run(run)
        except ApiFault as fault:  # not claimed yet
            assert fault.status == 404
        if row is not None and done(row):
            return row
        time.sleep(0.5)
    raise AssertionError(row)


def test_a_model_under_traffic_is_replaced_after_it_has_shadowed(forge: Dropforge, tmp_path: Path) -> None:
    frame = (
        datasets.load("cars").drop_nulls(TARGET).drop("Name", strict=False).sample(fraction=1.0, shuffle=True, seed=7)
    )
    first = forge.wait(dropped(forge, frame.head(370), tmp_path).run)
    assert first.status == "promoted", first.reason
    with Traffic(forge, frame.drop(TARGET)) as traffic:
        second = dropped(forge, frame, tmp_path, ROLLOUT, replace=("worse",), unproven=True)
        began = until(forge, second.run, lambda row: row.step == "Rollout" or row.status != "running")
        assert (began.status, began.step) == ("running", "Rollout"), began.reason
        rollout = forge.rollout(MODEL)
        assert (rollout.version, rollout.candidate.version, rollout.candidate.stage) == ("1", "2", "shadow")
        ended = until(forge, second.run, lambda row: row.status != "running")
        assert ended.status == "promoted", ended.reason
        ends = time.monotonic() + 60
        while forge.rollout(MODEL).candidate is not None and time.monotonic() < ends:
            time.sleep(1)
        time.sleep(6)  # as long as a pointer is believed, and a little more
    assert traffic.faults == []
    assert set(traffic.answers) == {"1", "2"} and traffic.answers[-1] == "2"
    assert sorted(traffic.answers) == traffic.answers, "nobody is sent back"
    moves = forge.history(MODEL)
    stages = [move.candidate.stage if move.candidate else "" for move in moves]
    assert stages[:3] == ["", "after", "shadow"] and [move.version for move in moves[:3]] == ["2", "2", "1"]
    assert all(move.by == "rollout" for move in moves[:2]) and moves[2].by == second.run
    client, bucket = forge.connection.client("s3"), forge.connection.outputs["ArtifactBucket"]
    kept = client.list_objects_v2(Bucket=bucket, Prefix=f"{names.CAPTURES}{MODEL}/")["Contents"]
    assert any(each["Key"].endswith(".jsonl.gz") for each in kept)
    page = client.get_object(Bucket=bucket, Key=names.RunFiles(second.run).key(names.ROLLOUT_PAGE))["Body"].read()
    assert b"version 2 in place of version 1" in page
