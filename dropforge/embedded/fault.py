"""The one kind of fault that a user of the embedded cloud meets."""

from __future__ import annotations


class CloudFault(RuntimeError):
    """The embedded cloud cannot do what was asked; the message is one line that says why and what to do."""
