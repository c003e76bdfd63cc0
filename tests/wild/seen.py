"""The whole way of one input from the world: dropped, waited for, and its rows predicted over the API."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dropforge.client import Dropforge
from dropforge.client.faults import ApiFault, Fault
from dropforge.contract import names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dropforge.contract.registry import RunRow

QUICK = "search: none\n"
"""The spec of a case that has none of its own."""

BUDGET = "budget: 0.3"
"""Minutes, for every case: more than the models take on two cores, so that nothing depends on the machine's pace."""

LONGEST = 600.0
"""Seconds until a run must have ended."""


@dataclass(frozen=True)
class Case:
    """One input, in a folder of its own."""

    name: str
    folder: Path
    file: str
    target: str | None = None

    @classmethod
    def read(cls, folder: Path) -> Case:
        """The case that `case.json` describes."""
        told = json.loads((folder / "case.json").read_text(encoding="utf-8"))
        return cls(folder.name, folder, told["file"], told["target"])

    def json(self, name: str) -> Any:
        """The content of a file beside the data; None where there is none."""
        path = self.folder / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def spellings(self) -> dict[str, Any]:
        """What to predict, by name: rows, or the path of a file of rows."""
        rows = self.json("rows.json")
        if rows is None:
            return {}
        if isinstance(rows, list):
            return {"rows": rows}
        if "spellings" in rows:  # one column in many spellings, beside one that is always the same
            found: dict[str, list[Any]] = {}
            for moment, temp in zip(rows["spellings"], rows["temp"], strict=True):
                for spelling, value in moment.items():
                    found.setdefault(spelling, []).append({"measured_at": value, "temp": temp})
            return found
        return {name: self.folder / f"{name}.csv" if isinstance(value, str) else value for name, value in rows.items()}


@dataclass(frozen=True)
class Answer:
    """The response to one spelling of some rows."""

    predictions: list[Any] = field(default_factory=list)
    probabilities: list[dict[str, float]] | None = None
    refusal: str = ""
    warned: bool = False


@dataclass(frozen=True)
class Seen:
    """How one input ended."""

    case: Case
    run: RunRow
    profile: Mapping[str, Any]
    answers: Mapping[str, Answer]
    file: Answer | None
    """The response to the dropped file itself; None if no model was promoted."""

    @property
    def told(self) -> str:
        """Every sentence that a person is shown with the run."""
        return "\n".join([*self.run.notes, *self.profile.get("told", ())])

    @property
    def kinds(self) -> dict[str, str]:
        """The columns that the model reads, and their kinds."""
        return {name: column["kind"] for name, column in self.profile.get("columns", {}).items()}

    @property
    def seconds(self) -> float:
        """From the claim to the end."""
        return (datetime.fromisoformat(self.run.updated) - datetime.fromisoformat(self.run.created)).total_seconds()

    def __str__(self) -> str:
        scores = ", ".join(f"{name} {value:.3g}" for name, value in self.run.metrics.items())
        return f"{self.run.status}: {self.run.reason or scores}"


class Cloud:
    """The embedded cloud in `home`, with one SDK per thread."""

    def __init__(self, home: Path) -> None:
        self._home, self._local = home, threading.local()

    @property
    def forge(self) -> Dropforge:
        """The SDK of this thread."""
        if not hasattr(self._local, "forge"):
            self._local.forge = Dropforge(home=self._home)
        forge: Dropforge = self._local.forge
        return forge

    def see(self, case: Case) -> Seen:
        """Drops a case, waits for its run, and predicts its rows."""
        forge, spec = self.forge, case.folder / "spec.yaml"
        bucket = forge.connection.outputs["DropBucket"]
        lines = (spec.read_text(encoding="utf-8") if spec.exists() else QUICK).splitlines()
        body = "\n".join([*(line for line in lines if not line.startswith("budget:")), BUDGET]).encode()
        forge.connection.client("s3").put_object(Bucket=bucket, Key=names.spec_key(case.name), Body=body)
        run = forge.wait(forge.drop(case.folder / case.file, model=case.name, target=case.target).run, LONGEST)
        promoted = run.status == "promoted"
        answers = {name: self.answer(case.name, rows) for name, rows in case.spellings().items()} if promoted else {}
        file = self.answer(case.name, case.folder / case.file) if promoted else None
        return Seen(case, run, self._profile(run), answers, file)

    def answer(self, model: str, rows: Any) -> Answer:
        """The response to some rows, or to a file of rows."""
        try:
            answer = self.forge.predict(model, rows)
        except ApiFault as fault:
            if fault.status >= 500:
                raise
            return Answer(refusal=str(fault))
        except Fault as fault:
            return Answer(refusal=str(fault))
        return Answer(answer.predictions, answer.probabilities, warned=bool(getattr(answer, "warnings", None)))

    def _profile(self, run: RunRow) -> Mapping[str, Any]:
        if run.status in ("rejected", "failed"):
            return {}
        bucket, key = self.forge.connection.outputs["ArtifactBucket"], names.RunFiles(run.run).prefix
        client = self.forge.connection.client("s3")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
        found = [item["Key"] for page in pages for item in page.get("Contents", ())]
        path = next(item for item in found if item.endswith(names.PROFILE_FILE))
        profile: Mapping[str, Any] = json.loads(client.get_object(Bucket=bucket, Key=path)["Body"].read())
        return profile
