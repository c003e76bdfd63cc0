"""Messages about the end of a run: what happened, the scores, why, and what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dropforge.contract.figures import figure
from dropforge.contract.fitting import LONGEST_REASON, shortened
from dropforge.contract.hops import GPU_NOT_SEEN, OUT_OF_MEMORY, clauses
from dropforge.contract.registry import BatchRun, TrainingRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dropforge.contract.hops import Hop
    from dropforge.contract.registry import RunRow
    from dropforge.contract.steps import NotifyInput

LEAST_CAUSE = 60
"""Characters of a cause that are told, however many places were tried."""

NEXT_STEPS = {
    "promoted": "It serves now: POST /models/{model}/predict.",
    "refused": "The previous version keeps serving. The report says why; drop better data to try again.",
    "rejected": "The file is kept under quarantine/{run}/. Correct it and drop it again.",
    "failed": "Nothing else has changed. Fix the cause and drop the file again: a failed run keeps no claim on it.",
}

BATCH_NEXT_STEPS = {
    "predicted": "The predictions are at {output}; rows without one are listed next to it, in *.errors.jsonl.",
    "rejected": "Nothing was predicted. Fix the cause and drop the file again.",
    "failed": "No predictions were written. Fix the cause and drop the file again.",
}

FIXES = {
    "ResourceLimitExceeded": "the account may not use more of that instance type: `dropforge doctor` shows the quotas "
    "and how to ask for more",
    "Unsupported instance type": "the region has no such machine for training: deploy to another region",
    "Member must satisfy enum value set": "SageMaker knows no such machine: correct the instance types of the stack",
    "CapacityError": "no machine of that type was free: drop the file again later",
    "MaxRuntimeExceeded": "training took longer than its limit: raise 'budget' in spec.yaml",
    GPU_NOT_SEEN: "the image's CUDA and the machine's driver do not fit, and no place without a GPU was left",
    OUT_OF_MEMORY: "no place with more memory was left: drop fewer rows or columns",
    "States.Timeout": "the step took longer than its limit",
    "exit code: 137": "most often memory ran out: choose a larger instance or drop fewer rows, "
    "or, on one machine, train less at once (DROPFORGE_TRAININGS=1)",
    "exit code: 143": "the trainer was ended from outside: drop the file again",
    "exit code: 139": "the trainer crashed in compiled code: drop the file again, and report it if it happens twice",
    "AccessDenied": "a role lacks a right: deploy the stack again",
}
"""What to do about an error, by a part of the error or of its cause."""


def subject(request: NotifyInput) -> str:
    """The model and how its run ended, in at most 100 characters, which is SNS's limit."""
    return f"Dropforge: {request.model or 'a drop'} {request.status}"[:100]


def message(request: NotifyInput, row: RunRow | None, reason: str) -> str:
    """A short text with one fact per line."""
    lines = [f"Run {request.run or request.execution} of model {request.model or '(unknown)'}: {request.status}."]
    if isinstance(row, BatchRun):
        return "\n".join([*lines, *_batch_lines(row, request, reason)])
    if isinstance(row, TrainingRun) and row.metric in row.metrics and row.metric in row.baseline:
        ours, theirs = row.metrics[row.metric], row.baseline[row.metric]
        lines.append(
            f"{row.metric} on the hold-out: {figure(ours, digits=6)}, trivial baseline {figure(theirs, digits=6)}."
        )
    if reason:
        lines.append(f"Why: {reason}")
    lines.append(NEXT_STEPS[request.status].format(model=request.model, run=request.run))
    if isinstance(row, TrainingRun) and row.report:
        lines.append(f"Report: {row.report}")
    return "\n".join(lines)


def _batch_lines(row: BatchRun, request: NotifyInput, reason: str) -> list[str]:
    counts = f"{row.predicted} rows predicted by version {row.version}, {row.failed} failed."
    lines = [counts] if row.predicted is not None else []
    return [*lines, *([f"Why: {reason}"] if reason else []), BATCH_NEXT_STEPS[request.status].format(output=row.output)]


def failure(step: str, error: str, cause: str, hops: Sequence[Hop] = ()) -> str:
    """One sentence from a state's error and cause: which step, what happened, and the fix if one is known.

    Of several places that were tried for training, all are named; the error is that of the last one.
    """
    reason = _reason(cause) or error or "no cause was given"
    fix = next((fix for part, fix in FIXES.items() if part in error or part in cause), None)
    places = f" (places tried: {clauses(hops)})" if len({hop.place for hop in hops}) > 1 else ""
    advice = f"; {fix}" if fix else ""
    begun = f"{step or 'the pipeline'} failed: "
    room = max(LEAST_CAUSE, LONGEST_REASON - len(begun) - len(places) - len(advice))
    told = begun + shortened(reason, room) + places
    return shortened(told, LONGEST_REASON - len(advice)) + advice


def _reason(cause: str) -> str:
    """The part of a cause that says why: SageMaker's FailureReason, a function's errorMessage, or the whole text."""
    try:
        value = json.loads(cause)
    except ValueError:
        return " ".join(cause.split())
    if not isinstance(value, dict):
        return " ".join(cause.split())
    reason = value.get("FailureReason") or value.get("errorMessage") or cause
    return " ".join(str(reason).split())
