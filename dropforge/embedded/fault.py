"""The one kind of fault that a user of the embedded cloud meets."""

from __future__ import annotations

from dropforge.contract.errors import ServiceError


class CloudFault(ServiceError, RuntimeError):
    """The embedded cloud cannot do what was asked; the message is one line that says why and what to do."""
