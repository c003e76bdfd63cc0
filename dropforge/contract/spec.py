"""The optional wishes of `spec.yaml`, already read into plain values; YAML itself is read where a library is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from dropforge.contract.documents import DocumentError, Record, fields
from dropforge.contract.schema import TableKind, Task

Search = Literal["tpe", "random", "grid", "none"]


class SpecFault(ValueError):
    """A wish that cannot be met; the message names the key, the value and what was expected."""


class Spec(Record):
    """What the owner of a data set wishes; every wish is optional."""

    target: str | None = None
    task: Task | None = None
    metric: str | None = None
    budget: float = 5.0
    """Minutes of training."""
    search: Search = "tpe"
    """How settings are searched with what is left of the budget; `none` leaves the portfolio as it is."""
    drop: tuple[str, ...] = ()
    """Columns to leave out."""
    split: str | None = None
    """Column that says which rows are held out: `train` in a row to learn from, `test` or `holdout` in one held out."""
    sensitive: tuple[str, ...] = ()
    """Columns with personal data: kept out of captures and reports."""
    groups: tuple[str, ...] = ()
    """Columns whose groups are scored apart."""
    kinds: dict[str, TableKind] = field(default_factory=dict)
    """Column name to kind, where the rule would choose another."""
    trusted: tuple[str, ...] = ()
    """Columns known to be known before the target is: never leakage suspects."""

    @classmethod
    def read(cls, value: Mapping[str, Any] | None) -> Spec:
        """The spec that the parsed YAML holds.

        Raises:
            SpecFault: an unknown key, or a value of the wrong type.
        """
        if value is None:
            return cls()
        if not isinstance(value, Mapping):
            raise SpecFault(f"spec.yaml: expected 'key: value' lines, got {value!r}")
        known = [each.name for each in fields(cls)]
        unknown = [key for key in value if key not in known]
        if unknown:
            raise SpecFault(f"spec.yaml: unknown key {unknown[0]!r}; expected one of {known}")
        try:
            spec = cls.from_json(value)
        except DocumentError as fault:
            raise SpecFault(str(fault).replace("Spec.", "spec.yaml: ")) from fault
        if not 0 < spec.budget <= 24 * 60:
            raise SpecFault(f"spec.yaml: budget: expected minutes between 0 and 1440, got {spec.budget}")
        return spec
