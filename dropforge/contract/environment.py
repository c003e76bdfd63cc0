"""One typed environment a function: the construct writes it, the function reads it, and no string is matched twice.

Settings are named tuples of texts; a field's variable is its name in capitals.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dropforge.contract.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

Settings = TypeVar("Settings", bound=NamedTuple)


class EnvironmentFault(ServiceError, RuntimeError):
    """A variable that the function needs is not set: the stack and the code are not of the same version."""


def variables(settings: NamedTuple) -> dict[str, str]:
    """The variables to put into the function's environment."""
    return {name.upper(): value for name, value in settings._asdict().items()}


def load(kind: type[Settings], environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of a kind that the process's environment holds.

    Raises:
        EnvironmentFault: a variable is missing.
    """
    source = os.environ if environ is None else environ
    wanted = [name.upper() for name in kind._fields]
    missing = [name for name in wanted if name not in source]
    if missing:
        raise EnvironmentFault(f"{kind.__name__}: expected the variables {missing} to be set; deploy again")
    return kind._make(source[name] for name in wanted)
