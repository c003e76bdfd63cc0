"""`make bench-pipeline`: how long the whole way takes, on an embedded cloud of the benchmark's own.

The way is counted from the last byte dropped to the first prediction. Training is taken out twice: by the state `Train`
(with the start of its process and the transfer of its files), and by the trainer's own clock alone, the stricter
figure. The peer is the same trainer run by hand on the same file: what the pipeline adds to bare training.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row, publish
from dropforge.client import Dropforge
from dropforge.contract import names
from dropforge.embedded import cloud
from examples import datasets

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

ROOT = Path(__file__).parents[1]
SETS = ("cars", "penguins", "weather")
WISHES = "budget: 0.3\nsearch: none\n"
"""Tuning takes what budget there is: without it the trainer's own time is that of the portfolio."""
PACKAGES = ["aws-cdk-lib", "boto3", "ministack", "onnxruntime", "polars", "torch"]


@dataclass(frozen=True)
class Way:
    """Seconds of one drop."""

    whole: float
    train_state: float
    trainer: float
    by_hand: float
    duplicate: float


def main() -> None:
    """Measures everything once, the way for each data set."""
    with tempfile.TemporaryDirectory(prefix="dropforge-bench-") as folder:
        home = Path(folder) / "home"
        up = seconds(lambda: cloud.up(home=home, port=0, report=quiet))
        again = seconds(lambda: cloud.up(home=home, port=None, report=quiet))
        try:
            forge = Dropforge(home)
            ways = [way(forge, name, Path(folder)) for name in SETS]
        finally:
            cloud.down(home)
        demo = seconds(lambda: run([sys.executable, "-m", "examples.demo"], Path(folder)))
        cloud.down(Path(folder) / ".dropforge")
    synth = [seconds(lambda: run(["make", "--silent", "synth"], ROOT)) for _ in range(2)][1]
    print(f"written to {publish('pipeline', [*way_rows(ways), *other_rows(up, again, synth, demo)], PACKAGES)}")


def way_rows(ways: list[Way]) -> list[Row]:
    """The medians over the data sets."""
    state = statistics.median(each.whole - each.train_state for each in ways)
    strict = statistics.median(each.whole - each.trainer for each in ways)
    whole = statistics.median(each.whole for each in ways)
    hand = statistics.median(each.by_hand for each in ways)
    duplicate = statistics.median(each.duplicate for each in ways)
    peer = "python -m training_container.trainer on the same file"
    return [
        Row("last byte to first prediction, without the trainer's own seconds", strict, "s", "lower", 10.0),
        Row("last byte to first prediction, without the state Train", state, "s", "lower", 10.0),
        Row("last byte to first prediction, training and all", whole, "s", "lower", None, peer, hand),
        Row("the same against training by hand", whole / hand, "x", "lower", None, peer, 1.0),
        Row("last byte to 'duplicate' for the same file again", duplicate, "s", "lower"),
    ]


def other_rows(up: float, again: float, synth: float, demo: float) -> list[Row]:
    """What a newcomer waits for."""
    return [
        Row("first dropforge up: start, bootstrap, synth, deploy", up, "s", "lower", None),
        Row("second dropforge up: all runs already", again, "s", "lower", None),
        Row("cdk synth, warm, CDK_VALIDATION=false", synth, "s", "lower", 6.0),
        Row("make demo, everything installed, nothing running", demo, "s", "lower", 90.0),
    ]


def way(forge: Dropforge, name: str, folder: Path) -> Way:
    """Drops a data set, asks for one prediction as soon as it serves, and drops it again."""
    path, target = folder / f"{name}.csv", datasets.SOURCES[name].target
    frame = datasets.load(name)
    frame.write_csv(path)
    spec = path.with_name("spec.yaml")
    spec.write_text(WISHES)
    dropped = forge.drop(path, model=name, target=target, spec=spec)
    start = time.monotonic()
    row = forge.wait(dropped.run)
    assert row.status == "promoted", row.reason
    forge.predict(name, frame.drop(target).head(1).to_dicts())
    whole = time.monotonic() - start
    again = forge.drop(path, model=name, target=target)
    start = time.monotonic()
    assert forge.wait(again.run).status == "duplicate"
    duplicate = time.monotonic() - start
    hand = [sys.executable, "-m", "training_container.trainer", "--data", str(path), "--target", target,
            "--budget", "0.3", "--search", "none"]  # fmt: skip
    by_hand = seconds(lambda: run([*hand, "--out", str(folder / f"{name}-model")], ROOT))
    return Way(whole, train_state(forge, row.execution), trainer_seconds(forge, row.run), by_hand, duplicate)


def train_state(forge: Dropforge, execution: str) -> float:
    """Seconds between entering and leaving the state `Train`, by the execution's own history."""
    steps = forge.connection.client("stepfunctions")
    events = steps.get_execution_history(executionArn=execution, maxResults=1000)["events"]
    when: dict[str, datetime] = {}
    for event in events:
        details = event.get("stateEnteredEventDetails") or event.get("stateExitedEventDetails") or {}
        if details.get("name") == "Train":
            when["entered" if "stateEnteredEventDetails" in event else "exited"] = event["timestamp"]
    return (when["exited"] - when["entered"]).total_seconds()


def trainer_seconds(forge: Dropforge, run: str) -> float:
    """What the trainer itself counted, from the run's manifest."""
    key = names.RunFiles(run).key(names.MANIFEST_FILE)
    found = forge.connection.client("s3").get_object(Bucket=forge.connection.outputs["ArtifactBucket"], Key=key)
    return float(json.loads(found["Body"].read())["seconds"])


def run(command: list[str], folder: Path) -> None:
    """Runs a command of the project in `folder`; its output is shown only when it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("DROPFORGE_HOME", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")


def seconds(act: Callable[[], object]) -> float:
    """Wall-clock seconds of `act`."""
    start = time.monotonic()
    act()
    return time.monotonic() - start


def quiet(_line: str) -> None:
    """No progress while measuring."""


if __name__ == "__main__":
    main()
