"""The files beside the model that let others check it: golden rows, the hold-out, and a manifest of all by content."""

from __future__ import annotations

import gzip
import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

import dropforge
from dropforge.contract.names import MANIFEST_FILE
from dropforge.contract.results import FileFact, Manifest
from dropforge.contract.schema import CREATED_KEY, KINDS, RUNTIME_KEY, SCORES_KEY
from training_container.kinds import TRAINED
from training_container.kinds import UNSEEN as UNSEEN  # the golden rows of ratings hold it too

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import ModelCard
    from dropforge.datasets.dataset import Rows
    from training_container.job import Job
    from training_container.native import Native

RUNTIME = "1.21"
"""The first onnxruntime that has `TreeEnsemble` of ai.onnx.ml 5."""

ROWS_SCHEMA = "dropforge.rows/1"
GOLDEN_ROWS = 64
HOLDOUT_ROWS = 20_000
CLEAR = 1e-3
"""A golden row's best two classes are at least this far apart, so that its label is beyond rounding."""
PACKAGES = (
    "torch",
    "lightgbm",
    "catboost",
    "optuna",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "numpy",
    "polars",
    "matplotlib",
    "pillow",
)


def write_json(path: Path, value: Any) -> None:
    """One JSON document; a NaN in it is a fault of ours and stops the run."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """One raw value as JSON has it: None for missing (NaN or the empty text)."""
    if isinstance(value, str):
        return value or None
    number = float(value)
    return None if np.isnan(number) else number


def golden_rows(native: Native, card: ModelCard, rows: Rows) -> list[dict[str, Any]]:
    """Rows with torch's answers: real ones, some with each column missing, one of nothing, one of unseen categories.

    Rows whose label is a matter of rounding are left out. A model that learned nothing in its budget gives every class
    the same probability; then the row with the clearest label is left.
    """
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(GOLDEN_ROWS, len(rows))).astype(int))
    gaps = {column.name: KINDS[column.kind].gap for column in card.columns}
    unseen = {column.name: TRAINED[column.kind].unseen for column in card.columns}
    edges = [dict(list(gaps.items())[at::GOLDEN_ROWS]) for at in range(min(GOLDEN_ROWS, len(gaps)))]
    edges += [gaps, {name: value for name, value in unseen.items() if value is not None}]
    places = np.concatenate([chosen, np.arange(len(edges)) % len(rows)])
    values = {name: column[places].copy() for name, column in rows.columns.items()}
    for place, edge in enumerate(edges, start=len(chosen)):
        for name, value in edge.items():
            values[name][place] = value
    answers = native.answer(values)
    golden = [_golden(values, place, answer, card) for place, answer in enumerate(answers)]
    clear = [row for row, answer in zip(golden, answers, strict=True) if _lead(answer) > CLEAR]
    return clear or [golden[max(range(len(golden)), key=lambda place: _lead(answers[place]))]]


def _golden(values: dict[str, np.ndarray], place: int, answer: Any, card: ModelCard) -> dict[str, Any]:
    row = {column.name: plain(values[column.name][place]) for column in card.columns}
    if not card.classes:
        return {"row": row, "prediction": float(answer), "probabilities": None}
    shares = dict(zip(card.classes, map(float, answer), strict=True))
    return {"row": row, "prediction": card.classes[int(answer.argmax())], "probabilities": shares}


def _lead(answer: Any) -> float:
    """How much likelier the best class is than the second; of a regression there is no second."""
    if np.ndim(answer) == 0:
        return np.inf
    best, second = np.sort(answer)[[-1, -2]]
    return float(best - second)


def write_golden(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One JSON object a line: `row`, `prediction`, `probabilities`."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def write_holdout(path: Path, rows: Rows, classes: tuple[str, ...], groups: np.ndarray | None = None) -> None:
    """The first hold-out rows by column, with their targets: values, or the classes' texts.

    `groups` are the groups that rows were split by, int64 [N]; None where they were not.
    """
    columns = {name: [plain(value) for value in values[:HOLDOUT_ROWS]] for name, values in rows.columns.items()}
    target = [classes[code] if classes else float(code) for code in rows.target[:HOLDOUT_ROWS]]
    document = {"schema": ROWS_SCHEMA, "columns": columns, "target": target}
    if groups is not None:
        document["groups"] = groups[:HOLDOUT_ROWS].tolist()
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))


def versions() -> dict[str, str]:
    """What trained the model, by package."""
    packages = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "dropforge": dropforge.__version__, **packages}


def code_digest() -> str:
    """SHA-256 over names and contents of the sources that make a model: the trainer's and what it shares."""
    trainer, shared = Path(__file__).parent, Path(dropforge.__file__).parent
    digest = hashlib.sha256()
    for folder in (shared / "contract", shared / "metrics", shared / "datasets", trainer):
        for path in sorted(source for source in folder.rglob("*") if source.suffix in (".py", ".html")):
            digest.update(f"{folder.name}/{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(path.read_bytes())
    digest.update((shared / "pictures.py").read_bytes())
    return digest.hexdigest()


def describe(file: Path, card: ModelCard, metrics: Metrics) -> None:
    """Adds to a model file what it is, when it was made, what it needs and how it scored, for readers without the run.

    A protobuf message that is appended to another is a part of it, so that the graph is neither read nor written anew.
    """
    of_table = "pictures" if card.image is not None else f"the columns {', '.join(card.names)}"[:1_000]
    words = f"{card.model}: {card.task} of {card.target!r} from {of_table}. Opens in onnxruntime {RUNTIME} or newer."
    created = datetime.now(UTC).isoformat(timespec="seconds")
    scores = {"metric": metrics.metric, "direction": metrics.direction, "holdout": metrics.holdout}
    texts = {CREATED_KEY: created, SCORES_KEY: json.dumps(scores, allow_nan=False), RUNTIME_KEY: RUNTIME}
    more = onnx.ModelProto(doc_string=words)
    more.metadata_props.extend(onnx.StringStringEntryProto(key=key, value=value) for key, value in texts.items())
    with file.open("ab") as target:
        target.write(more.SerializeToString())


def write_manifest(
    folder: Path, job: Job, card: ModelCard, device: str, seconds: float, gpus: int | None = None
) -> Manifest:
    """The manifest over every file in `folder`: it comes last, so that a folder without it is not complete."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = Manifest(
        run=job.run,
        model=job.model,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        card=card,
        lineage=job.lineage,
        code=code_digest(),
        files={path.relative_to(folder).as_posix(): _fact(path) for path in files},
        versions=versions(),
        device=device,
        seconds=round(seconds, 3),
        instance_type=job.instance_type,
        gpus=gpus,
    )
    write_json(folder / MANIFEST_FILE, manifest.to_json())
    return manifest


def _fact(path: Path) -> FileFact:
    content = path.read_bytes()
    return FileFact(hashlib.sha256(content).hexdigest(), len(content))
