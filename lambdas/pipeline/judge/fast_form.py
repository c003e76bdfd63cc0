"""The second form of a large model, made where it is judged and kept only when it answers as the first does."""

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


def with_fast_form(found: Verdict, files: dict[str, bytes]) -> tuple[Verdict, dict[str, bytes]]:
    """The verdict with the fast form of an approved, large model, and its two files; unchanged where there is none.

    A form that cannot be made or answers otherwise stops nobody: the model then loads from `model.onnx`.
    """
    if found.outcome != "approved":
        return found, {}
    try:
        made = FastFiles.of(files[names.MODEL_FILE])
        if made is None:
            return found, {}
        apart = parity(ServedModel.of(made.session(made.form), 0), files[names.GOLDEN_FILE])
    except (ModelFault, OSError) as fault:
        log("no fast form", step="Judge", reason=str(fault))
        return found, {}
    if apart > TOLERANCE:
        log("no fast form", step="Judge", reason=f"it answers otherwise: {apart}")
        return found, {}
    return replace(found, fast=made.form), {
        names.FAST_GRAPH_FILE: made.graph,
        names.FAST_WEIGHTS_FILE: made.weights,
    }
