"""One typed environment a function: the construct writes it, the function reads it, and no string is matched twice."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class EnvironmentFault(RuntimeError):
    """A variable that the function needs is not set: the stack and the code are not of the same version."""


@dataclass(frozen=True)
class Environment:
    """Base of a function's settings: every field is a text, its variable is the field's name in capitals."""

    def variables(self) -> dict[str, str]:
        """The variables to put into the function's environment."""
        return {field.name.upper(): getattr(self, field.name) for field in fields(self)}

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """The settings that the process's environment holds.

        Raises:
            EnvironmentFault: a variable is missing.
        """
        source = os.environ if environ is None else environ
        missing = [field.name.upper() for field in fields(cls) if field.name.upper() not in source]
        if missing:
            raise EnvironmentFault(f"{cls.__name__}: expected the variables {missing} to be set; deploy again")
        return cls(**{field.name: source[field.name.upper()] for field in fields(cls)})
