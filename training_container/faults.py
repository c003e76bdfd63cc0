"""The errors of a job that its owner can act on; each message says the value and what was expected."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from dropforge.contract.errors import OwnerError, ServiceError

if TYPE_CHECKING:
    from pathlib import Path


class JobFault(OwnerError):
    """The job cannot start or continue, for a reason that its owner can act on."""


class ParityFault(ServiceError):
    """The model file and torch give different answers; the message names the row and the column that was probed."""


def report_failure(reason: str, failure: Path | None) -> None:
    """Says why the job failed: in the log, and in the file where SageMaker reads it, if there is one."""
    print(f"failed: {reason}", file=sys.stderr, flush=True)
    if failure is None:
        return
    try:
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(f"{reason}\n", encoding="utf-8")
    except OSError as error:
        print(f"{failure}: the reason cannot be written there: {error.strerror}", file=sys.stderr, flush=True)
