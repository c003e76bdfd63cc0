"""Reads `spec.yaml` into a `Spec`, from YAML with plain values only."""

from __future__ import annotations

from typing import Any

import yaml

from dropforge.contract.spec import Spec, SpecFault

MAX_BYTES = 64 * 1024
"""A page of options has a few hundred."""


class _PlainLoader(yaml.SafeLoader):
    """A loader without aliases: a few lines of them can expand to more values than fit into memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise SpecFault(f"spec.yaml: line {line} has an alias (*name); expected plain values: write them out")
        return super().compose_node(parent, index)


def read_spec(text: bytes | None) -> Spec:
    """Parses the bytes of a spec.yaml; None stands for no file, and gives the defaults.

    Raises:
        SpecFault: the file is too long, is no YAML, or has not the keys and types of `Spec`.
    """
    if text is None:
        return Spec()
    if len(text) > MAX_BYTES:
        raise SpecFault(f"spec.yaml: {len(text)} bytes; expected at most {MAX_BYTES}: keep only the options")
    try:
        value: Any = yaml.load(text, _PlainLoader)  # a SafeLoader
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as fault:
        if isinstance(fault, SpecFault):
            raise
        first = " ".join(str(fault).split())[:300]
        raise SpecFault(f"spec.yaml: {first}; expected YAML, one 'key: value' a line") from fault
    return Spec.read(value)
