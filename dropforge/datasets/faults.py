"""The one fault of this package: data that cannot be learned from."""

from __future__ import annotations

from dropforge.contract.errors import OwnerError


class DataFault(OwnerError, ValueError):
    """Something is wrong with the data: the message says the value, what was expected, and what to do."""
