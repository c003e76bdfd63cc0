"""The model file of a data set of rows: its card, the file itself, its proof and the evidence beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.contract import names
from dropforge.contract.schema import ModelCard
from training_container import evidence
from training_container.export.background import background
from training_container.export.graph import build
from training_container.export.parity import prove
from training_container.export.runtime import Runtime
from training_container.tasks.task import Exported

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from dropforge.datasets.dataset import Dataset
    from training_container.job import Job
    from training_container.native import Native
    from training_container.progress import Progress


@dataclass(frozen=True)
class ExportedTable(Exported):
    """A model file that reads the columns of a table."""

    runtime: Runtime
    """The file as onnxruntime loaded it."""
    answers: np.ndarray
    """torch's answers to the hold-out: values [N] or probabilities [N, classes]."""


def make_card(job: Job, dataset: Dataset) -> ModelCard:
    """The card that travels in the model file."""
    return ModelCard(
        model=job.model,
        run=job.run,
        task=dataset.task,
        target=dataset.target,
        label_type=dataset.label_type,
        classes=dataset.classes,
        columns=dataset.columns,
        ignored=dataset.ignored,
        masked=dataset.masked,
        personal=dataset.personal,
        likeliest=bool(dataset.classes),
        strict=job.spec.strict,
        split=dataset.split_by,
        encoding=job.spec.encoding or "",
        sheet=job.spec.sheet,
        capture_rate=job.spec.capture.rate,
        capture_days=job.spec.capture.days,
    )


def export_table(folder: Path, native: Native, dataset: Dataset, card: ModelCard, progress: Progress) -> ExportedTable:
    """Writes the model file, proves it on the bytes that were written, and writes the evidence beside it.

    Raises:
        ParityFault: the model file does not answer as torch does.
    """
    progress.step("export").update(0.0)
    holdout, encoder = dataset.holdout, native.encoder
    compared = background(card, encoder, dataset.train)
    model = build(card, encoder, native.predictor, encoder.encode(holdout.columns), compared).SerializeToString()
    (folder / names.MODEL_FILE).write_bytes(model)
    progress.step("prove").update(0.0, bytes=len(model))
    runtime, answers = Runtime(model, card), native.answer(holdout.columns)
    proof = prove(native, runtime, holdout, answers)
    evidence.write_golden(folder / names.GOLDEN_FILE, evidence.golden_rows(native, card, holdout))
    evidence.write_holdout(folder / names.HOLDOUT_FILE, holdout, card.classes, dataset.units)
    progress.step("prove").update(1.0, rows=proof.rows, largest=proof.largest)
    return ExportedTable(card, proof, runtime, answers)
