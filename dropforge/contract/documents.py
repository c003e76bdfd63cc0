"""Records that travel as JSON: one encoder, one strict decoder, and a schema name on what is stored.

A `Record` is a value inside a document or a step's input. A `Document` is stored under a name of its own
(`dropforge.manifest/1`), and whoever reads it refuses another name: a mismatch is found at the door, not ten
fields later. What an older version stored is upgraded when it is read; what a newer one stored is refused by those
who act on it, and shown as far as it is known by those who only show it.
"""

from __future__ import annotations

import dataclasses
import threading
import types
import typing
from collections.abc import Hashable, Iterator, KeysView, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

from dropforge.contract.errors import ServiceError
from dropforge.contract.fitting import quoted

R = typing.TypeVar("R", bound="Record")
D = typing.TypeVar("D", bound="Document")

ANSWERED = "_answered"
"""Attribute with the JSON that a record was read from, kept where this version may not know all of it."""

_made: set[type] = set()
"""Those records that are dataclasses already."""
_making = threading.Lock()


class DocumentError(ServiceError, ValueError):
    """A JSON value that is not the document it should be; the message says where, what came and what was expected."""


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
class Record:
    """A frozen dataclass that reads itself from JSON and writes itself to it.

    Subclasses are dataclasses without saying so. Each is made one when it is first used: that takes a third of a
    millisecond, and a start of a function uses few of the records that its modules define.
    """

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __new__(cls, *_values: object, **_named: object) -> Self:
        """An instance, which `__init__` fills."""
        made(cls)
        return super().__new__(cls)

    def to_json(self) -> dict[str, Any]:
        """This record as plain JSON values (dict, list, str, int, float, bool, None)."""
        answered = self.__dict__.get(ANSWERED)
        return self._encoded() if answered is None else dict(answered)

    def _encoded(self) -> dict[str, Any]:
        return {field.name: _encode(getattr(self, field.name)) for field in fields(type(self))}

    def __getitem__(self, name: str) -> Any:
        """A value of the record's JSON: `page["card"]["columns"]`."""
        return self.to_json()[name]

    def __iter__(self) -> Iterator[str]:
        """The names in the record's JSON."""
        return iter(self.to_json())

    def __contains__(self, name: object) -> bool:
        """Whether the record's JSON has the name."""
        return name in self.to_json()

    def keys(self) -> KeysView[str]:
        """The names in the record's JSON, so that `dict(record)` is its JSON."""
        return self.to_json().keys()

    def get(self, name: str, default: Any = None) -> Any:
        """A value of the record's JSON, `default` where it has none."""
        return self.to_json().get(name, default)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], name: str | None = None) -> Self:
        """The record that `value` describes.

        Keys that the record does not know are left out, so that a newer writer can add one. An error's message begins
        with the class and the key (`Spec.replace.target: expected …`), or with `name` and the key where a name is
        given that the reader knows the value by (`spec.yaml: replace.target: expected …`).

        Raises:
            DocumentError: a key is missing or holds a value of another type.
        """
        return _decode_record(cls, value, cls.__name__) if name is None else _decode_record(cls, value, name, ": ")


def made(kind: type[R]) -> type[R]:
    """The kind of record itself, a dataclass from now on; threads that come meanwhile wait for it."""
    if kind not in _made:
        for base in kind.__bases__:
            if issubclass(base, Record) and base not in (Record, Document):
                made(base)  # a dataclass inherits the fields of dataclasses alone
        with _making:
            if kind not in _made:
                dataclasses.dataclass(frozen=True)(kind)
                _made.add(kind)
    return kind


def fields(kind: type[Record]) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a kind of record, as `dataclasses.fields` has them."""
    return dataclasses.fields(made(kind))


class Document(Record):
    """A record that is stored by itself, under the schema name and version in `SCHEMA`."""

    SCHEMA: ClassVar[str]

    def _encoded(self) -> dict[str, Any]:
        """With the document's name under `schema` first."""
        return {"schema": self.SCHEMA, **super()._encoded()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], name: str | None = None) -> Self:
        """As `Record.from_json`, upgraded first; another schema name or version is refused with `DocumentError`."""
        return _decode_document(cls, value, cls.__name__) if name is None else _decode_document(cls, value, name, ": ")

    @classmethod
    def from_newer_json(cls, value: Mapping[str, Any]) -> Self:
        """The document as far as this version can read it, for those who show it and decide nothing by it.

        A newer schema of the same name is read as this one. A field that has a default gets it where its value cannot
        be read.

        Raises:
            DocumentError: it is another document, or a field without a default is missing or cannot be read.
        """
        readable = dict(cls.upgrade(value)) if isinstance(value, Mapping) else {}
        if _is_newer(readable.get("schema"), cls.SCHEMA):
            readable["schema"] = cls.SCHEMA
        kind = cls.class_of(readable)
        for field in fields(kind):
            if field.name in readable and not _is_required(field) and not _can_decode(kind, field.name, readable):
                del readable[field.name]
        return cls.from_json(readable)

    @classmethod
    def upgrade(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """The stored `value` as this version would have stored it.

        Whoever gives a document another `SCHEMA` overrides this method: it looks at `value["schema"]` and returns the
        older value with what has changed since, under the name that `SCHEMA` has now. Any other value is returned as it
        is. A field that is only added needs no new schema, but a default.
        """
        return value

    @classmethod
    def class_of(cls, value: Mapping[str, Any]) -> type[Self]:  # noqa: ARG003
        """The class to read the upgraded `value` as: this one, unless the document has several kinds of it."""
        return cls


def _is_newer(stored: object, schema: str) -> bool:
    """Whether `stored` is a higher number of the same name."""
    name, _, number = schema.rpartition("/")
    other, _, count = stored.rpartition("/") if isinstance(stored, str) else ("", "", "")
    return other == name and count.isascii() and count.isdigit() and int(count[:9]) > int(number)


def _encode(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_json()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(item) for item in value]
    return value


@cache
def _hints(cls: Hashable) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _decode_document(cls: type[D], value: Any, where: str, joint: str = ".") -> D:
    if not isinstance(value, Mapping):
        raise DocumentError(f"{where}: expected an object, got {type(value).__name__}")
    current = cls.upgrade(value)
    stored = current.get("schema")
    if stored != cls.SCHEMA:
        hint = "; a newer Dropforge stored it: update this one" if _is_newer(stored, cls.SCHEMA) else ""
        raise DocumentError(f"{where}: expected schema {cls.SCHEMA!r}, got {stored!r}{hint}")
    return _decode_record(cls.class_of(current), current, where, joint)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _can_decode(cls: type[Record], name: str, value: Mapping[str, Any]) -> bool:
    try:
        _decode(_hints(typing.cast("Hashable", cls))[name], value[name], name)
    except DocumentError:
        return False
    return True


def _decode_record(cls: type[R], value: Any, where: str, joint: str = ".") -> R:
    """The record; `joint` is what a message puts between `where` and the name of a field."""
    if not isinstance(value, Mapping):
        raise DocumentError(f"{where}: expected an object, got {type(value).__name__}")
    known = {}
    hints = _hints(typing.cast("Hashable", cls))
    for field in fields(cls):
        if field.name in value:
            known[field.name] = _decode(hints[field.name], value[field.name], f"{where}{joint}{field.name}")
        elif _is_required(field):
            raise DocumentError(f"{where}{joint}{field.name}: expected a value, got nothing")
    return cls(**known)


def _decode(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return _decode_union(hint, value, where)
    if origin is typing.Literal:
        return _expect(value in typing.get_args(hint), value, f"one of {list(typing.get_args(hint))}", where)
    if origin in (tuple, list, Sequence):
        _expect(isinstance(value, list | tuple), value, "a list", where)
        item = typing.get_args(hint)[0]
        return tuple(_decode(item, each, f"{where}[{at}]") for at, each in enumerate(value))
    if origin in (dict, Mapping):
        _expect(isinstance(value, Mapping), value, "an object", where)
        item = typing.get_args(hint)[1]
        return {str(key): _decode(item, each, f"{where}.{key}") for key, each in value.items()}
    return _decode_plain(hint, value, where)


def _decode_union(hint: Any, value: Any, where: str) -> Any:
    choices = typing.get_args(hint)
    if value is None and type(None) in choices:
        return None
    faults = []
    for choice in choices:
        if choice is not type(None):
            try:
                return _decode(choice, value, where)
            except DocumentError as fault:
                faults.append(str(fault))
    raise DocumentError("; ".join(faults))


def _decode_plain(hint: type, value: Any, where: str) -> Any:
    if issubclass(hint, Document):
        return _decode_document(hint, value, where)
    if issubclass(hint, Record):
        return _decode_record(hint, value, where)
    if hint is float:
        _expect(isinstance(value, int | float) and not isinstance(value, bool), value, "a number", where)
        return float(value)
    if hint is int:
        return _expect(isinstance(value, int) and not isinstance(value, bool), value, "a whole number", where)
    names = {str: "a text", bool: "true or false"}
    return _expect(isinstance(value, hint), value, names.get(hint, hint.__name__), where)


def _expect(right: bool, value: Any, expected: str, where: str) -> Any:
    if not right:
        raise DocumentError(f"{where}: expected {expected}, got {quoted(value)}")
    return value
