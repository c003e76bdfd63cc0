"""`spec.yaml` read into a `Spec`: YAML that can only be plain values."""

from __future__ import annotations

from typing import Any

import yaml

from dropforge.contract.spec import Spec, SpecFault

LONGEST = 64 * 1024
"""Bytes; a page of wishes has a few hundred."""


class _PlainLoader(yaml.SafeLoader):
    """Without aliases: a few lines of them can stand for more values than a machine holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise SpecFault(f"spec.yaml: line {line} has an alias (*name); expected plain values: write them out")
        return super().compose_node(parent, index)


def read_spec(text: bytes | None) -> Spec:
    """The wishes in the bytes of a spec.yaml; no wish at all for None.

    Raises:
        SpecFault: too long, no YAML, or not the keys and types of `Spec`.
    """
    if text is None:
        return Spec()
    if len(text) > LONGEST:
        raise SpecFault(f"spec.yaml: {len(text)} bytes; expected at most {LONGEST}: keep to the wishes alone")
    try:
        value: Any = yaml.load(text, _PlainLoader)  # a SafeLoader
    except (yaml.YAMLError, UnicodeError, ValueError, RecursionError) as fault:
        if isinstance(fault, SpecFault):
            raise
        first = " ".join(str(fault).split())[:300]
        raise SpecFault(f"spec.yaml: {first}; expected YAML, one 'key: value' a line") from fault
    return Spec.read(value)
