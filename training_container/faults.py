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


def is_want_of_memory(fault: Exception) -> bool:
    """Whether memory was used up, the machine's or the GPU's, in whatever words the libraries have for it."""
    words = ("bad_alloc", "bad allocation", "out of memory")
    names = ("MemoryError", "OutOfMemoryError")  # torch's has no base of its own, and is not imported here
    return any(kind.__name__ in names for kind in type(fault).__mro__) or any(word in str(fault) for word in words)


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
