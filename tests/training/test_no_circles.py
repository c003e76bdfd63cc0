"""No two modules of the trainer import each other, in whatever roundabout way; imports for type checkers count."""

from __future__ import annotations

import ast
from pathlib import Path

import training_container

PACKAGE = Path(training_container.__file__).parent
Graph = dict[str, set[str]]


def modules(package: Path) -> dict[str, Path]:
    """The dotted name of every module of a package, and its file."""
    files = {".".join(path.relative_to(package.parent).with_suffix("").parts): path for path in package.rglob("*.py")}
    return {name.removesuffix(".__init__"): path for name, path in files.items()}


def imported(tree: ast.Module, known: set[str]) -> set[str]:
    """The modules among `known` that a module imports anywhere: at its top, in functions, under TYPE_CHECKING."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module is not None, "expected absolute imports alone"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
            names.add(node.module)
    return names & known


def graph_of(package: Path) -> Graph:
    """Every module, and the modules of the same package that it imports.

    `from package import module` counts as an import of the module alone where the package's `__init__` imports nothing.
    """
    files = modules(package)
    graph = {name: imported(ast.parse(path.read_text("utf-8")), set(files)) for name, path in files.items()}
    empty = {name for name, path in files.items() if path.name == "__init__.py" and not graph[name]}
    return {name: imports - empty - {name} for name, imports in graph.items()}


def circles(graph: Graph) -> list[list[str]]:
    """The groups of two modules or more that reach each other, sorted; Tarjan's algorithm."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = lowest[name] = len(index)
        stack.append(name)
        for other in sorted(graph[name]):
            if other not in index:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], index[other])
        if lowest[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            groups.append(sorted(group))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return sorted(group for group in groups if len(group) > 1)


def test_the_trainer_has_no_circle_of_modules() -> None:
    """A circle is named by its modules: move what two of them share into a module below both."""
    graph = graph_of(PACKAGE)
    assert len(graph) > 80  # the package was found
    assert circles(graph) == []


def test_a_circle_is_found_also_under_type_checking(tmp_path: Path) -> None:
    """Through a third module, by an import in a function, and by one that only type checkers read."""
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("def f():\n    from pack import two\n    return two\n")
    (package / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pack.three import x\n"
    )
    (package / "three.py").write_text("import pack.one\nx = 1\n")
    (package / "four.py").write_text("from pack import one, three\n")
    assert circles(graph_of(package)) == [["pack.one", "pack.three", "pack.two"]]
