"""The errors of a job that its owner can act on; each message says the value and what was expected."""

from __future__ import annotations

from dropforge.contract.errors import OwnerError, ServiceError


class JobFault(OwnerError):
    """The job cannot start or continue, for a reason that its owner can act on."""


class ParityFault(ServiceError):
    """The model file and torch give different answers; the message names the row and the column that was probed."""
