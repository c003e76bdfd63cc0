"""Resolves the arguments of `dropforge serve` to model files."""

from __future__ import annotations

from pathlib import Path

from dropforge.contract.names import MODEL_FILE, NameFault, check_model
from dropforge.serve.faults import ServeFault

Named = tuple[str | None, Path]
"""A name (None for the one in the card) and a model file."""


def find(given: list[str], name: str | None = None) -> list[Named]:
    """The model files behind the arguments: each a file, a run's folder, `name=` either, or a folder of those.

    Raises:
        ServeFault: there is no such file, a folder without a model, or an invalid name.
    """
    found = [each for text in given for each in _of(text)]
    if name is None:
        return found
    if len(found) != 1:
        message = f"--name {name}: expected one model, got {len(found)}: name them as {name}=PATH"
        raise ServeFault(message, "model_name")
    return [(_checked(name), found[0][1])]


def _of(text: str) -> list[Named]:
    name, equals, rest = text.partition("=")
    if equals and not Path(text).exists():
        path = Path(rest)
        return [(_checked(name), _model_file(path))]
    path = Path(text)
    if not path.exists():
        raise ServeFault(f"{text}: no such file or folder; expected a model.onnx, a run's folder or NAME=PATH",
                         "no_such_file")  # fmt: skip
    if path.is_file() or (path / MODEL_FILE).is_file():
        return [(None, _model_file(path))]
    inside = [_model_file(each) for each in sorted(path.iterdir()) if _is_model(each)]
    if not inside:
        raise ServeFault(f"{text}: expected {MODEL_FILE}, or a folder of models, found neither", "no_such_file")
    return [(None, each) for each in inside]


def _is_model(path: Path) -> bool:
    return path.suffix == ".onnx" if path.is_file() else (path / MODEL_FILE).is_file()


def _model_file(path: Path) -> Path:
    """The model file of a run's folder, or the file itself; absolute, so that it outlives a change of folder."""
    found = path / MODEL_FILE if path.is_dir() else path
    if not found.is_file():
        raise ServeFault(f"{path}: no such file; expected a model file or a folder that holds {MODEL_FILE}",
                         "no_such_file")  # fmt: skip
    return found.absolute()


def _checked(name: str) -> str:
    try:
        return check_model(name)
    except NameFault as fault:
        raise ServeFault(str(fault), "model_name") from fault
