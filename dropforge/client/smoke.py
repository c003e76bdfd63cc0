"""Tries a deployment from end to end with a small data set of its own: from the drop to a rolled-back prediction.

Every step either returns what it saw, in a few words, or raises `Fault` with what it expected. The model is removed
and its dropped files are deleted in the end, whatever happened; the run and its version stay in the registry, as those
of all runs do.
"""

from __future__ import annotations

import math
import os
import random
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dropforge.client.faults import ApiFault, Fault
from dropforge.contract.figures import figure
from dropforge.contract.names import drop_key, spec_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dropforge.client.sdk import Dropforge
    from dropforge.contract.api import Predictions

ROWS, UNSEEN = 400, 5
TARGET = "price"
SPEC = "budget: 0.1\nsearch: none\n"
SEEN_SECONDS, LOOK_SECONDS = 120.0, 1.0
"""How long a removal may take to be seen by every function that has the model loaded, and between two looks."""
NOT_FOUND = 404


class Step(NamedTuple):
    """One step that went well."""

    name: str
    seconds: float
    seen: str


def smoke(forge: Dropforge, timeout: float) -> Iterator[Step]:
    """Tries the deployment; each step is given when it is done.

    Args:
        forge: the deployment.
        timeout: how long the run may take, in seconds.

    Raises:
        Fault: a step did not give what it should; `field` names the step.
    """
    trial = Trial(forge, f"smoke-{os.urandom(4).hex()}", timeout)
    try:
        for name, act in trial.steps().items():
            yield _timed(name, act)
    finally:
        cleaned = _timed("clean up", trial.clean_up)
    yield cleaned


def _timed(name: str, act: Callable[[], str]) -> Step:
    start = time.monotonic()
    try:
        seen = act()
    except Fault as fault:
        raise Fault(f"{name}: {fault.message}", fault.code, name) from fault
    return Step(name, time.monotonic() - start, seen)


@dataclass
class Trial:
    """One model on its way through the deployment."""

    forge: Dropforge
    model: str
    timeout: float
    answered: Predictions | None = None

    def steps(self) -> dict[str, Callable[[], str]]:
        """The steps in their order."""
        return {
            "drop and train": self.train,
            "predict": self.predict,
            "explain": self.explain,
            "remove": self.remove,
            "roll back": self.roll_back,
        }

    def train(self) -> str:
        """Drops the data set and waits until its model serves."""
        with tempfile.TemporaryDirectory() as folder:
            spec, data = Path(folder) / "spec.yaml", Path(folder) / f"{self.model}.csv"
            spec.write_text(SPEC)
            data.write_text(table())
            self.forge.set_spec(self.model, spec)
            outcome = self.forge.drop(data, model=self.model, target=TARGET, wait=True, timeout=self.timeout)
        if outcome.status != "promoted":
            raise Fault(f"the run {outcome.run} is {outcome.status}; expected promoted: {outcome.reason}", "smoke")
        return f"run {outcome.run}: {outcome.metric} {figure(outcome.metrics[outcome.metric or ''])}"

    def predict(self) -> str:
        """Predicts rows that the model has not seen."""
        self.answered = self.forge.predict(self.model, rows(UNSEEN, seed=1))
        values = self.answered.predictions
        if len(values) != UNSEEN or not all(isinstance(value, float) and math.isfinite(value) for value in values):
            raise Fault(f"got {values}; expected {UNSEEN} numbers", "smoke")
        return f"version {self.answered.version}, {UNSEEN} rows"

    def explain(self) -> str:
        """Explains the same rows: base and contributions add up to the prediction."""
        answer = self.forge.predict(self.model, rows(UNSEEN, seed=1), explain=True)
        for value, explanation in zip(answer.predictions, answer.explanations or [], strict=True):
            total = explanation["base"] + sum(explanation["contributions"].values())
            if not math.isclose(total, value, rel_tol=1e-4):
                raise Fault(f"contributions add up to {total}; expected the prediction {value}", "smoke")
        return "contributions add up to the predictions"

    def remove(self) -> str:
        """Takes the model off the API, and waits until it has gone everywhere."""
        self.forge.remove(self.model)
        self._until(lambda: self._status() == NOT_FOUND, "the removed model still answers")
        return "the model no longer answers"

    def roll_back(self) -> str:
        """Rolls back to the version of before, which answers as it did."""
        self.forge.rollback(self.model)
        self._until(lambda: self._status() == 200, "the model does not answer")
        again = self.forge.predict(self.model, rows(UNSEEN, seed=1))
        if self.answered is None or again.predictions != self.answered.predictions:
            raise Fault(f"got {again.predictions}; expected the predictions of before", "smoke")
        return f"version {again.version} answers as before"

    def clean_up(self) -> str:
        """Removes the model, and deletes what was dropped as far as the credentials allow it."""
        try:
            self.forge.remove(self.model)
        except ApiFault as fault:
            if fault.status != NOT_FOUND:
                raise
        connection = self.forge.connection
        s3, bucket = connection.client("s3"), connection.outputs["DropBucket"]
        for key in (drop_key(self.model, f"{self.model}.csv"), spec_key(self.model)):
            s3.delete_object(Bucket=bucket, Key=key)
        return f"model {self.model} is removed and its data set deleted; its run stays in the list"

    def _status(self) -> int:
        try:
            self.forge.predict(self.model, rows(1, seed=1))
        except ApiFault as fault:
            return fault.status
        return 200

    def _until(self, happened: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + SEEN_SECONDS
        while not happened():
            if time.monotonic() > deadline:
                raise Fault(f"{otherwise} after {SEEN_SECONDS:.0f} s", "smoke")
            time.sleep(LOOK_SECONDS)


def rows(count: int, *, seed: int) -> list[dict[str, Any]]:
    """Houses whose price follows from their size, age and district, without the price."""
    chance = random.Random(seed)
    district = partial(chance.choice, ["north", "south", "harbour"])
    return [
        {"size": chance.randint(30, 200), "age": chance.randint(0, 80), "district": district()} for _ in range(count)
    ]


def table() -> str:
    """The data set as CSV; another one each time, since the same data would be a duplicate."""
    chance = random.Random()
    worth = {"north": 1.0, "south": 1.4, "harbour": 2.1}
    lines = [f"size,age,district,{TARGET}"]
    for row in rows(ROWS, seed=chance.randrange(2, 2**32)):
        price = 1000 * row["size"] * worth[row["district"]] - 500 * row["age"] + chance.gauss(0, 2000)
        lines.append(f"{row['size']},{row['age']},{row['district']},{price:.0f}")
    return "\n".join(lines) + "\n"
