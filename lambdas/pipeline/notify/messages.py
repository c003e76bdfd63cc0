"""What people are told of a run, in words: what happened, the scores, why, and what to do next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dropforge.contract.registry import RunRow
    from dropforge.contract.steps import NotifyInput

NEXT = {
    "promoted": "It serves now: POST /models/{model}/predict.",
    "refused": "What served before goes on serving. Drop better data, or see the report for what held it back.",
    "rejected": "The file is kept under quarantine/{run}/. Correct it and drop it again.",
    "failed": "Nothing else has changed. Mend the cause and drop the file again: a failed run keeps no claim on it.",
}

BATCH = {
    "predicted": "The predictions are at {output}; rows without one are named beside it, in *.errors.jsonl.",
    "rejected": "Nothing was predicted. Mend the cause and drop the file again.",
    "failed": "Nothing was written beside it. Mend the cause and drop the file again.",
}

FIXES = {
    "ResourceLimitExceeded": "the account may not use that instance type: ask for a quota in Service Quotas",
    "Unsupported instance type": "the region has no such machine for training: deploy to another region",
    "CapacityError": "no machine of that type was free: drop the file again later",
    "MaxRuntimeExceeded": "training took longer than its limit: raise 'budget' in spec.yaml",
    "States.Timeout": "the step took longer than its limit",
    "AccessDenied": "a role lacks a right: deploy the stack again",
}
"""Part of an error or its cause, and what to do about it."""

LONGEST = 1_000


def subject(given: NotifyInput) -> str:
    """At most 100 characters, as SNS wants it: the model and how its run ended."""
    return f"Dropforge: {given.model or 'a drop'} {given.status}"[:100]


def message(given: NotifyInput, row: RunRow | None, reason: str) -> str:
    """A short text, a line a fact."""
    lines = [f"Run {given.run or given.execution} of model {given.model or '(unknown)'}: {given.status}."]
    if row is not None and row.kind == "batch":
        return "\n".join([*lines, *_of_batch(row, given, reason)])
    if row is not None and row.metric in row.metrics and row.metric in row.baseline:
        ours, theirs = row.metrics[row.metric], row.baseline[row.metric]
        lines.append(f"{row.metric} on the hold-out: {ours:.6g}, trivial baseline {theirs:.6g}.")
    if reason:
        lines.append(f"Why: {reason}")
    lines.append(NEXT[given.status].format(model=given.model, run=given.run))
    if row is not None and row.report:
        lines.append(f"Report: {row.report}")
    return "\n".join(lines)


def _of_batch(row: RunRow, given: NotifyInput, reason: str) -> list[str]:
    counted = f"{row.predicted} rows predicted by version {row.version}, {row.failed} failed."
    lines = [counted] if row.predicted is not None else []
    return [*lines, *([f"Why: {reason}"] if reason else []), BATCH[given.status].format(output=row.output)]


def failure(step: str, error: str, cause: str) -> str:
    """One sentence out of a state's error and cause: where, what, and the fix where one is known."""
    told = _reason(cause) or error or "no cause was given"
    fix = next((fix for part, fix in FIXES.items() if part in error or part in cause), None)
    return f"{step or 'the pipeline'} failed: {told}"[:LONGEST] + (f"; {fix}" if fix else "")


def _reason(cause: str) -> str:
    """The part of a cause that says why: SageMaker's FailureReason, a function's errorMessage, or the whole text."""
    try:
        value = json.loads(cause)
    except ValueError:
        return " ".join(cause.split())
    if not isinstance(value, dict):
        return " ".join(cause.split())
    found = value.get("FailureReason") or value.get("errorMessage") or cause
    return " ".join(str(found).split())
