"""Reads `spec.yaml` into a `Spec`, from YAML with plain values only."""

from __future__ import annotations

from typing import Any

import yaml

from dropforge.contract.fitting import quoted, shortened
from dropforge.contract.spec import Spec, SpecFault

MAX_BYTES = 64 * 1024
"""A page of options has a few hundred."""


class _PlainLoader(yaml.SafeLoader):
    """A loader without aliases, of which a few lines can expand to more values than fit into memory, and without keys
    that stand twice, of which all but the last would be ignored."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        known: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str):
                continue
            if key.value in known:
                line = key.start_mark.line + 1
                raise SpecFault(f"spec.yaml: line {line}: {quoted(key.value)} stands twice; expected it once: keep one")
            known.add(key.value)
        return super().construct_mapping(node, deep)

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
        raise SpecFault(f"spec.yaml: {_problem(fault)}; expected YAML, one 'key: value' a line") from fault
    return Spec.read(value)


def _problem(fault: Exception) -> str:
    """What is wrong, and in which line, without the line itself: it may be of a data file under the wrong name."""
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark is not None:
        return f"line {fault.problem_mark.line + 1}: {shortened(str(fault.problem), 100)}"
    return "nested too deeply" if isinstance(fault, RecursionError) else f"not readable ({type(fault).__name__})"
