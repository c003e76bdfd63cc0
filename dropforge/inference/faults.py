"""What a caller can do wrong, with the HTTP status it gets, and the names that messages show."""

from __future__ import annotations

from dropforge.contract.errors import CallerError, ServiceError


class InputFault(CallerError):
    """A request that cannot be answered; `field` names the place, such as `rows[3].age`."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


class ModelFault(ServiceError, RuntimeError):
    """A model file that cannot be served: another hash, no card, outputs that are not what the card says."""


class NotFinite(ModelFault):
    """An answer that is NaN or infinite; `row` is the first row that has one."""

    def __init__(self, output: str, row: int) -> None:
        super().__init__(f"output {output!r}, row {row}: expected finite numbers, got NaN or infinity")
        self.row = row


def short(name: str) -> str:
    """A stranger's name, cut to what a message can hold."""
    return name if len(name) <= 100 else f"{name[:100]}…"
