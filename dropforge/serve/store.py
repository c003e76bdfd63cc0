"""A store of model files on disk, with the methods that Predict needs; it reloads a file that changes.

A file is opened beside the event loop, for a large one takes half a second; the previous model answers until then.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from dropforge.contract.log import UNKNOWN_VALUES, log
from dropforge.contract.names import MODEL_FILE, MODEL_NAME, NameFault, check_model
from dropforge.inference.faults import InputFault, ModelFault
from dropforge.serve.faults import ServeFault
from dropforge.serve.modelfiles import opened, stamp_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dropforge.contract.registry import LiveRow, VersionRow
    from dropforge.contract.schema import ModelCard
    from dropforge.inference.after import Answered, Refused
    from dropforge.inference.model import ServedModel
    from dropforge.serve.modelfiles import Served
    from dropforge.serve.shadow import Shadow
    from dropforge.serve.sources import Named

LOOK_SECONDS = 1.0
"""How long a file is assumed to be unchanged."""


@dataclass
class Files:
    """A store of model files; the last valid model stays if its file is removed or becomes invalid."""

    served: dict[str, Served] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    """Files that could not be opened, by the name that they would have, and why."""
    unloaded: dict[str, Path] = field(default_factory=dict)
    """Files of models that were unloaded."""
    folders: tuple[Path, ...] = ()
    """Where models may be added while the server runs."""
    repository: bool = False
    """Whether models may be loaded and unloaded by requests."""
    any_reload: bool = False
    """Whether a changed file may have another task, other columns or other classes."""
    beside: Callable[[Callable[[], None]], object] = field(default=lambda act: act())
    """Runs the opening of a changed file; a server gives a thread."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    shadow: Shadow | None = None
    """The other model that is asked the same rows after the answer; None without one."""

    @classmethod
    def of(cls, named: list[Named], *, any_reload: bool = False) -> Files:
        """Loads every model; a file that cannot be opened is logged, and the others are served.

        Raises:
            ServeFault: no file at all is a model with a card, or a name is invalid or used twice.
        """
        found = cls(any_reload=any_reload)
        for name, path in named:
            try:
                one = opened(path, name, generation=1)
                check_model(one.row.model)
            except (ModelFault, OSError) as fault:
                if len(named) == 1:
                    raise ServeFault(f"{path}: {fault}", "not_a_model") from fault
                found.broken[name or named_by(path)] = f"{path}: {fault}"
                log("file cannot be served", level="error", file=str(path), reason=str(fault))
                continue
            except NameFault as fault:
                raise ServeFault(f"{path}: {fault}; name it yourself: NAME={path}", "model_name") from fault
            if one.row.model in found.served:
                other = found.served[one.row.model].path
                message = f"model {one.row.model!r}: expected one file, got {other} and {path}: name one as NAME=PATH"
                raise ServeFault(message, "model_name")
            found.served[one.row.model] = one
        if not found.served:
            raise ServeFault("; ".join(found.broken.values()), "not_a_model")
        return found

    def live(self, model: str) -> LiveRow | None:
        """The model that is served under this name; checks its file at most once in `LOOK_SECONDS`.

        Raises:
            ModelFault: its file could not be opened.
        """
        one = self.served.get(model)
        if one is None:
            if model in self.broken:
                raise ModelFault(self.broken[model])
            return None
        if time.monotonic() - one.looked > LOOK_SECONDS:
            one.looked = time.monotonic()
            if changed(one) and self.lock.acquire(blocking=False):
                self.beside(partial(self._reload, model, one))
        row = self.served.get(model, one).row
        return row if self.shadow is None else self.shadow.beside(row)

    def version(self, model: str, version: str) -> LiveRow:
        """The model that is served, if it has this version; there is no other on disk.

        Raises:
            InputFault: it has another version.
        """
        row = self._one(model).row
        if row.version != version:
            message = f"model {model!r} version {version[:20]!r}: there is none here; expected {row.version}"
            raise InputFault("no_such_version", message)
        return row

    def load(self, row: LiveRow | VersionRow) -> ServedModel:
        """The model that the row names, even if its file has changed once since the row was read.

        Raises:
            ModelFault: the file has changed more than once since.
        """
        if self.shadow is not None and row.sha256 == self.shadow.row.sha256:
            return self.shadow.model
        one: Served | None = self._one(row.model)
        while one is not None and one.row.sha256 != row.sha256:
            one = one.before
        if one is None:
            raise ModelFault(f"model {row.model!r} version {row.version}: its file has changed twice; ask again")
        return one.model

    def report(self, model: str, fault: ModelFault) -> None:
        """Logs that the model cannot be served."""
        log("no healthy model", level="error", model=model, reason=str(fault))

    def count_unknown(self, row: LiveRow | VersionRow, values: int) -> None:
        """Logs how many values of a request the model does not know."""
        log(UNKNOWN_VALUES, level="warning", model=row.model, version=row.version, values=values)

    def answered(self, answered: Answered) -> None:
        """Has the shadow asked the same rows, where there is one."""
        if self.shadow is not None and answered.beside is not None:
            self.shadow.take(answered)

    def refused(self, refused: Refused) -> None:
        """Nothing follows a refusal."""

    def load_again(self, model: str, path: Path) -> None:
        """Opens a model's file, whether it has changed or not, and serves it.

        Raises:
            ModelFault: it is none, or another model than the one before.
            OSError: it cannot be read.
        """
        with self.lock:
            self._replace(model, path)

    def path_of(self, model: str) -> Path | None:
        """The file of a model that is served, was unloaded, or has come into one of the folders; None otherwise."""
        if model in self.served:
            return self.served[model].path
        if model in self.unloaded:
            return self.unloaded[model]
        if not MODEL_NAME.fullmatch(model):
            return None
        places = (folder / name for folder in self.folders for name in (f"{model}/{MODEL_FILE}", f"{model}.onnx"))
        return next((place for place in places if place.is_file()), None)

    def unload(self, model: str) -> None:
        """Serves a model no more."""
        one = self.served.pop(model, None)
        if one is not None:
            self.unloaded[model] = one.path

    def _one(self, model: str) -> Served:
        one = self.served.get(model)
        if one is None:
            raise ModelFault(f"model {model!r} has been unloaded")
        return one

    def _reload(self, model: str, one: Served) -> None:
        """Opens a file that has changed; called with the lock, which it releases."""
        try:
            one.stamp = stamp_of(one.path)  # a broken file is logged once, not at every check
            self._replace(model, one.path)
        except (ModelFault, OSError) as fault:
            log("rejected new file; keeping the previous model", level="warning", model=model, reason=str(fault))
        else:
            log("file changed", model=model, version=self.served[model].row.version)
        finally:
            self.lock.release()

    def _replace(self, model: str, path: Path) -> None:
        before = self.served.get(model)
        fresh = opened(path, model, before.row.generation + 1 if before else 1)
        if before is not None:
            other = "" if self.any_reload else difference(before.model.card, fresh.model.card)
            if other:
                raise ModelFault(f"{other}; start the server with --any-reload to accept another model")
            fresh.before, before.before = before, None
        self.served[model] = fresh
        self.broken.pop(model, None)
        self.unloaded.pop(model, None)


def changed(one: Served) -> bool:
    """Whether the file of a model has changed, or cannot be looked at."""
    try:
        return stamp_of(one.path) != one.stamp
    except OSError:
        return False


def difference(before: ModelCard, fresh: ModelCard) -> str:
    """What a program that calls the model would notice of its replacement; empty where there is nothing."""
    for name, old, new in (
        ("task", before.task, fresh.task),
        ("columns", _columns(before), _columns(fresh)),
        ("classes", sorted(before.classes), sorted(fresh.classes)),
    ):
        if old != new:
            return f"expected the {name} {old}, got {new}"[:500]
    return ""


def _columns(card: ModelCard) -> list[str]:
    return sorted(f"{column.name}: {column.kind}" for column in card.columns)


def named_by(path: Path) -> str:
    """The name of a model whose file cannot be opened: that of its folder or file."""
    return path.parent.name if path.name == MODEL_FILE else path.stem
