"""A training job: its settings and folders, read from SageMaker's layout or from a command line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dropforge.contract import ids, names
from dropforge.contract.documents import DocumentError
from dropforge.contract.hops import WITHOUT_GPU
from dropforge.contract.plan import Plan
from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets.dataset import Options
from training_container.faults import JobFault

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from dropforge.contract.hops import WithoutGpu
    from dropforge.contract.plan import Lineage


@dataclass(frozen=True)
class Job:
    """One training job."""

    run: str
    model: str
    data: tuple[Path, ...]
    wanted: Plan | Options
    lineage: Lineage | None
    seed: int
    output: Path
    """The folder of the model files."""
    checkpoints: Path | None = None
    """The folder of the checkpoints that a killed job resumes from; None keeps none."""
    instance_type: str = ""
    """The machine's type as SageMaker names it; empty where it is not known."""
    without_gpu: WithoutGpu = "train"
    """What to do if the machine has a GPU that torch cannot use."""

    @property
    def spec(self) -> Spec:
        """The options that the owner set."""
        return self.wanted.spec


@dataclass(frozen=True)
class MlFolders:
    """SageMaker's folders under `root` (/opt/ml)."""

    root: Path

    @property
    def model(self) -> Path:
        """The folder that SageMaker uploads when the job succeeds."""
        return self.root / "model"

    @property
    def failure(self) -> Path:
        """The file whose first 1,024 characters become the job's FailureReason."""
        return self.root / "output" / "failure"

    @property
    def checkpoints(self) -> Path:
        """The folder that SageMaker copies to S3 as it changes, and back when the job starts again elsewhere."""
        return self.root / "checkpoints"

    def channel(self, name: str) -> Path:
        """The folder of one input channel."""
        return self.root / "input" / "data" / name

    def job(self) -> Job:
        """Reads the job from the plan channel and the hyperparameters.

        Raises:
            JobFault: a file is missing, is not what it should be, or names another run than the hyperparameters.
        """
        plan = _read_plan(self.channel("plan") / names.PLAN_FILE)
        parameters = _read_json(self.root / "input" / "config" / "hyperparameters.json")
        wanted = parameters.get("run")
        if wanted != plan.run:
            raise JobFault(f"hyperparameters.json: run: expected {plan.run!r} as in {names.PLAN_FILE}, got {wanted!r}")
        data = tuple(sorted(path for path in self.channel("data").rglob("*") if path.is_file()))
        if not data:
            raise JobFault(f"channel 'data': expected at least 1 file in {self.channel('data')}, got none")
        return Job(plan.run, plan.model, data, plan, plan.lineage, plan.seed, self.model,
                   self.checkpoints if self.checkpoints.is_dir() else None, self.instance_type(),
                   "fail-over" if parameters.get(WITHOUT_GPU) == "fail-over" else "train")  # fmt: skip

    def instance_type(self) -> str:
        """The machine's type; empty where SageMaker's description of the resources is missing."""
        path = self.root / "input" / "config" / "resourceconfig.json"
        return str(_read_json(path).get("current_instance_type", "")) if path.is_file() else ""


def by_hand(arguments: argparse.Namespace) -> Job:
    """Reads the job from a command line.

    Raises:
        JobFault: a file does not exist, or an option is invalid.
    """
    data = tuple(Path(path) for path in arguments.data)
    missing = [str(path) for path in data if not path.is_file()]
    if missing:
        raise JobFault(f"--data: expected a file, got {missing[0]!r}, which is none")
    try:
        spec = Spec.read({"budget": arguments.budget, "search": arguments.search, "split": arguments.split,
                          "groups": arguments.groups})  # fmt: skip
        model = names.check_model(arguments.model or names.model_from_file(data[0].name))
    except (SpecFault, names.NameFault) as fault:
        raise JobFault(str(fault)) from fault
    wanted = Options(spec=spec, target=arguments.target, task=arguments.task)
    options = " ".join(map(str, (arguments.target, arguments.task, arguments.seed, arguments.split, *arguments.groups)))
    run = ids.run_id("", options, _digest(data))
    return Job(run, model, data, wanted, None, arguments.seed, Path(arguments.out),
               Path(arguments.checkpoints) if arguments.checkpoints else None)  # fmt: skip


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _read_plan(path: Path) -> Plan:
    try:
        return Plan.from_json(_read_json(path))
    except DocumentError as fault:
        raise JobFault(f"{path.name}: {fault}") from fault


def _read_json(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise JobFault(f"{path}: expected a JSON file, got {fault}") from fault
    if not isinstance(value, dict):
        raise JobFault(f"{path}: expected a JSON object, got {type(value).__name__}")
    return value
