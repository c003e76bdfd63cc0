"""What can go wrong in a job for a reason that has a name; each message says the value and what was expected."""

from __future__ import annotations

from dropforge.contract.errors import OwnerError, ServiceError


class JobFault(OwnerError):
    """The job cannot start or go on, for a reason that its owner can act on."""


class ParityFault(ServiceError):
    """The model file does not answer as torch does; the message names the row and the column that was probed."""
