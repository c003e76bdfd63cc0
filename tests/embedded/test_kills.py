"""Kills at random moments while drops arrive: every accepted drop is worked off in the end."""

from __future__ import annotations

import os
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from dropforge.embedded import process
from tests.embedded.conftest import Cloud, eventually
from tests.embedded.test_durability import cloud_to_kill, kill, seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("KILLS", "50"))
SEED = 7


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("DROPFORGE_SAVE_SECONDS", "0.5")
    with cloud_to_kill(tmp_path / "home") as saved_often:
        yield saved_often


def drop_until(stopped: threading.Event, cloud: Cloud, accepted: list[str]) -> None:
    """Drops a file as soon as the last one was answered; only answers count, and a refused connection is none."""
    s3: Any = cloud.client("s3")
    number = 0
    while not stopped.is_set():
        number += 1
        try:
            accepted.append(s3.put_object(Bucket="drop", Key=f"{number % 50}.csv", Body=b"a\n1\n")["VersionId"])
        except (BotoCoreError, ClientError):
            stopped.wait(0.05)


def test_no_accepted_drop_is_lost_in_many_kills(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    chance, stopped, accepted = random.Random(SEED), threading.Event(), []  # type: ignore[var-annotated]
    thread = threading.Thread(target=drop_until, args=(stopped, cloud, accepted))
    thread.start()
    try:
        for _ in range(KILLS):
            stopped.wait(chance.uniform(0.05, 1.5))
            kill(cloud.home)
            process.start(cloud.home, cloud.address)
    finally:
        stopped.set()
        thread.join()
    states = cloud.client("stepfunctions")

    def running() -> list[Any]:
        return list(states.list_executions(stateMachineArn=cloud.machine, statusFilter="RUNNING")["executions"])

    eventually(lambda: set(accepted) <= set(seen(cloud)) and not running(), seconds=120)
    with capsys.disabled():
        print(f"\n{KILLS} kills, {len(accepted)} accepted drops, 0 lost")
