"""The models that this process serves: a pointer is read anew every few seconds, a model's bytes once."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING, NamedTuple

from dropforge.contract import names
from dropforge.contract.log import UNKNOWN_VALUES, log
from dropforge.contract.models import NUMBER
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.inference.held import Held
from dropforge.inference.model import ServedModel
from dropforge.inference.session import runtime
from lambdas.common.artifacts import Artifacts
from lambdas.common.aws_client import clients
from lambdas.common.modelrows import ModelRows

if TYPE_CHECKING:
    from dropforge.contract.artifacts import ArtifactSettings
    from dropforge.contract.fast import FastForm
    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.inference.after import Answered, Refused
    from lambdas.api.predict.capturing import Capturing

POINTER_SECONDS = 5.0
"""How long a pointer is believed: the longest that a promotion or a removal takes to be seen."""

STALE_SECONDS = 60.0
"""How long it is believed when the registry cannot be read."""

MOST_NAMED = 20
"""Versions that a refusal names."""

MOST_READ = 100
"""Of the newest versions: those among which a refusal looks for approved ones."""

MEMORY_SHARE = 4
"""Files of models may have a quarter of the function's memory: a session takes up to twice its file beside them."""


def most_bytes() -> int:
    """Bytes of model files that are held: by the function's memory, or by a gigabyte off AWS."""
    return int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")) * 2**20 // MEMORY_SHARE


def fast_model(run: str, form: FastForm, artifacts: Artifacts) -> ServedModel:
    """A large model by the form that Judge made for loading.

    Raises:
        ModelFault: its files are not those of the registry.
        OSError: no room on the disk for the weights.
    """
    from dropforge.inference.fast import FastFiles

    kept = names.RunFiles(run)
    files = FastFiles(*(artifacts.read(kept.key(name)) for name in (names.FAST_GRAPH_FILE, names.FAST_WEIGHTS_FILE)))
    return ServedModel.of(files.session(form), len(files.graph) + len(files.weights))


class Pointer(NamedTuple):
    """What the registry said of a model, and when."""

    read: float
    row: LiveRow | None


class Models:
    """Models by name and version, loaded by content."""

    def __init__(self, settings: ArtifactSettings, capturing: Capturing | None = None) -> None:
        self.settings = settings
        self.capturing = capturing
        self.pointers: dict[str, Pointer] = {}
        self.versions: dict[tuple[str, str], VersionRow] = {}
        """Those that were asked for by number: a version never changes."""
        self.held = Held(most_bytes())

    def live(self, model: str) -> LiveRow | None:
        """The live pointer of a model, at most `POINTER_SECONDS` old, or `STALE_SECONDS` when the registry is ill.

        Raises:
            ModelFault: the registry cannot be read.
        """
        now, known = time.monotonic(), self.pointers.get(model)
        if known is not None and now - known.read <= POINTER_SECONDS:
            return known.row
        try:
            row = self._registry.live(model)
        except clients.FAULTS as fault:
            if known is not None and now - known.read <= STALE_SECONDS:
                return known.row
            raise ModelFault(f"model {model!r}: its live pointer cannot be read: {fault}") from fault
        if row is None:
            self.pointers.pop(model, None)  # names that nobody has must not fill the memory
        else:
            self.pointers[model] = Pointer(now, row)
        return row

    def version(self, model: str, version: str) -> VersionRow:
        """An approved version, live or not.

        Raises:
            InputFault: there is none of that number, or it was refused; the message lists what there is.
            ModelFault: the registry cannot be read.
        """
        found = self.versions.get((model, version))
        try:
            if found is None and re.fullmatch(NUMBER, version):
                found = self._registry.version(model, version)
            if found is None or found.outcome != "approved":
                raise InputFault("no_such_version", self._absent(model, version, found))
        except clients.FAULTS as fault:
            raise ModelFault(f"model {model!r}: its version {version} cannot be read: {fault}") from fault
        self.versions[model, version] = found
        return found

    def load(self, row: LiveRow | VersionRow) -> ServedModel:
        """The model that the row names.

        Raises:
            ModelFault: its file is gone, changed, or not to be loaded.
        """
        return self.held.get(row.sha256, lambda: self._loaded(row))

    def report(self, model: str, fault: ModelFault) -> None:
        """A log line, and a count that the alarm watches: by model, and over all."""
        from dropforge.contract.settings import NO_HEALTHY_MODEL
        from lambdas.common.metrics import count

        log("no healthy model", level="error", model=model, reason=str(fault))
        count(NO_HEALTHY_MODEL, model)

    def count_unknown(self, row: LiveRow | VersionRow, values: int) -> None:
        """Logs how many values of a request the model does not know; a metric filter of the log adds them up."""
        log(UNKNOWN_VALUES, level="warning", model=row.model, version=row.version, values=values)

    def answered(self, answered: Answered) -> None:
        """Puts it aside for its capture."""
        if self.capturing is not None:
            self.capturing.buffer.answered(answered)

    def refused(self, refused: Refused) -> None:
        """Puts it aside in the same way, where a model has the name that was asked for."""
        known = self.pointers.get(refused.model)
        if self.capturing is not None and known is not None and known.row is not None:
            self.capturing.buffer.refused(refused, known.row)

    @property
    def _registry(self) -> ModelRows:
        return ModelRows(self.settings.registry, clients.DynamoDB())

    def _loaded(self, row: LiveRow | VersionRow) -> ServedModel:
        artifacts = Artifacts(self.settings.artifacts, clients.S3())
        try:
            if row.fast is not None and row.fast.runtime == runtime().__version__:
                return fast_model(row.run, row.fast, artifacts)
            return ServedModel.from_bytes(artifacts.read(row.artifact), row.sha256)
        except (ModelFault, OSError, *clients.FAULTS) as fault:
            raise ModelFault(f"model {row.model!r} version {row.version}: {fault}") from fault

    def _absent(self, model: str, version: str, found: VersionRow | None) -> str:
        """Why this version does not answer, and which ones do."""
        newest = self._registry.versions(model, MOST_READ)
        approved = [row.version for row in newest if row.outcome == "approved"]
        why = "there is none" if found is None else f"it was refused ({found.reason})"
        listed = ", ".join(approved[:MOST_NAMED]) or "none of the newest is approved"
        more = ", …" if len(approved) > MOST_NAMED else ""
        return f"model {model!r} version {version[:20]!r}: {why}; expected one of: {listed}{more}"
