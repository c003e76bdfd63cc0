"""The error that keeps a server from starting."""

from __future__ import annotations

from dropforge.contract.errors import CallerError


class ServeFault(CallerError, RuntimeError):
    """Something that the caller can mend; `code` is for programs."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
