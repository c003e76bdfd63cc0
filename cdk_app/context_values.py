"""Reads CDK context values of one prefix: texts from `-c`, and numbers, lists and objects from `cdk.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from dropforge.contract.errors import CallerError
from dropforge.contract.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

Choice = TypeVar("Choice", bound=str)

PREFIX = "dropforge:"
TRUE, FALSE = ("true", "yes", "1"), ("false", "no", "0", "")


class SettingFault(CallerError, ValueError):
    """A setting that cannot be used; the message holds its name, its value and what was expected."""


class ContextValues:
    """The settings among the context values, each read by its name without the prefix.

    Args:
        values: all values of the context.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name.removeprefix(PREFIX): value for name, value in values.items() if name.startswith(PREFIX)}
        self._known: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        """A text; the default where it is not set or empty."""
        return str(self._value(name) or default).strip()

    def choice(self, name: str, choices: Sequence[Choice]) -> Choice:
        """One of several words, the first of which is the default."""
        word = self.text(name, choices[0])
        for choice in choices:
            if word == choice:
                return choice
        raise self.fault(name, " or ".join(map(repr, choices)), word)

    def flag(self, name: str) -> bool:
        """Whether it is `true`; false where it is not set."""
        value = str(self._value(name) or "").strip().lower()
        if value not in (*TRUE, *FALSE):
            raise self.fault(name, "true or false", value)
        return value in TRUE

    def count(self, name: str, default: int = 0) -> int:
        """A whole number from 0."""
        value = self._value(name)
        return default if value in (None, "") else self.number(value, name)

    def number(self, value: Any, name: str) -> int:
        """`value` as a whole number from 0; `name` says where it stands."""
        text = str(value)
        if not text.isascii() or not text.isdigit():
            raise self.fault(name, "a whole number", value)
        return int(text)

    def amount(self, name: str) -> float:
        """An amount of more than 0; 0 where it is not set."""
        value = self._value(name)
        return 0.0 if value in (None, "", 0) else self.positive(value, name)

    def positive(self, value: Any, name: str) -> float:
        """`value` as a number of more than 0; `name` says where it stands."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = 0.0
        if not 0 < number < float("inf"):
            raise self.fault(name, "a number of more than 0", value)
        return number

    def names(self, name: str) -> list[str]:
        """A list of texts: `a,b`, or a list."""
        value = self._value(name) or ""
        parts = value if isinstance(value, list) else str(value).split(",")
        return [part for part in (str(part).strip() for part in parts) if part]

    def pairs(self, name: str) -> dict[str, str]:
        """Texts by name: `a=1,b=2`, or an object."""
        value = self._value(name)
        if isinstance(value, Mapping):
            return {str(key): str(each) for key, each in value.items()}
        parts = [part.partition("=") for part in self.names(name)]
        for key, equals, _ in parts:
            if not equals:
                raise self.fault(name, "name=value pairs with commas between them", key)
        return {key.strip(): each.strip() for key, _, each in parts}

    def refuse_unknown(self) -> None:
        """Refuses settings that nothing has read, with the names that they may have been meant to be."""
        for name in self._values:
            if name not in self._known:
                near = did_you_mean(name, self._known)
                known = ", ".join(sorted(self._known))
                raise SettingFault(f"{PREFIX}{name}: no such setting; {near}expected one of {known}")

    def fault(self, name: str, expected: str, value: Any) -> SettingFault:
        """The fault of a setting."""
        return SettingFault(f"{PREFIX}{name}: expected {expected}, got {value!r}")

    def _value(self, name: str) -> Any:
        if name not in self._known:
            self._known.append(name)
        return self._values.get(name)
