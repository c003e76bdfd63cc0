"""The fast form of a large model, which Judge makes, and keeps only if it predicts what `model.onnx` predicts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dropforge.contract import names
from dropforge.contract.log import log
from dropforge.contract.parity import TOLERANCE
from dropforge.inference.fast import FastFiles
from dropforge.inference.faults import ModelFault
from dropforge.inference.model import ServedModel
from lambdas.pipeline.judge.evidence import parity

if TYPE_CHECKING:
    from dropforge.contract.results import Verdict


def with_fast_form(verdict: Verdict, files: dict[str, bytes]) -> tuple[Verdict, dict[str, bytes]]:
    """Returns the verdict with the fast form of an approved, large model, and the form's two files.

    Without such a form the verdict is unchanged and there are no files: the model then loads from `model.onnx`.
    """
    if verdict.outcome != "approved":
        return verdict, {}
    try:
        fast = FastFiles.of(files[names.MODEL_FILE])
        if fast is None:
            return verdict, {}
        difference = parity(ServedModel.of(fast.session(fast.form), 0), files[names.GOLDEN_FILE])
    except (ModelFault, OSError) as fault:
        log("no fast form", level="warning", reason=str(fault))
        return verdict, {}
    if difference > TOLERANCE:
        log("no fast form", level="warning", reason=f"its predictions differ by {difference}")
        return verdict, {}
    return replace(verdict, fast=fast.form), {
        names.FAST_GRAPH_FILE: fast.graph,
        names.FAST_WEIGHTS_FILE: fast.weights,
    }
