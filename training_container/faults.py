"""The errors of a job that its owner can act on; each message says the value and what was expected."""

from __future__ import annotations


class JobFault(Exception):
    """The job cannot start or continue, for a reason that its owner can act on."""


class ParityFault(Exception):
    """The model file and torch give different answers; the message names the row and the column that was probed."""
