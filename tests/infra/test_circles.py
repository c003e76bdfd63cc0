"""No circle of modules: of any two modules, at most one needs the other, over however many in between.

Imports inside functions and under TYPE_CHECKING count too: to read either module of a circle one has to read both.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

ROOT = Path(__file__).parents[2]
PACKAGES = ("cdk_app", "dropforge", "lambdas", "training_container")

Graph = dict[str, frozenset[str]]


def imports_of(root: Path, packages: tuple[str, ...]) -> Graph:
    """Every module of these packages, and the modules among them that it imports."""
    paths = {module_name(root, path): path for package in packages for path in (root / package).rglob("*.py")}
    return {name: frozenset(imported(name, path, paths.keys()) - {name}) for name, path in paths.items()}


def module_name(root: Path, path: Path) -> str:
    """The dotted name of the module at `path`."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imported(name: str, path: Path, modules: AbstractSet[str]) -> set[str]:
    """Those of `modules` that the module imports, anywhere in its file."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    candidates: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            candidates |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = absolute(package, node)
            submodules = {f"{origin}.{alias.name}" for alias in node.names}
            candidates |= submodules if submodules <= modules else submodules | {origin}
    return {candidate for candidate in candidates if candidate in modules}


def absolute(package: str, node: ast.ImportFrom) -> str:
    """The module that a `from … import` names, seen from `package`."""
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])


def circles_of(graph: Graph) -> set[frozenset[str]]:
    """The modules of each circle: every one of them reaches all others of its circle."""
    reached = {module: reachable(graph, module) for module in graph}
    members = {
        module: frozenset(other for other in reached[module] if module in reached[other])
        for module in graph
        if module in reached[module]
    }
    return set(members.values())


def reachable(graph: Graph, start: str) -> set[str]:
    """Every module that `start` needs, itself only when it is on a circle."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(graph[module])
    return seen


def shortest_way(graph: Graph, circle: frozenset[str]) -> str:
    """One way round a circle, for the reader of a failed test."""
    start = min(circle)
    ways, seen = [[start]], {start}
    while True:
        way = ways.pop(0)
        for module in sorted(graph[way[-1]] & circle):
            if module == start:
                return " -> ".join([*way, start])
            if module not in seen:
                seen.add(module)
                ways.append([*way, module])


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The imports of the whole repository."""
    return imports_of(ROOT, PACKAGES)


def test_no_modules_import_each_other_in_a_circle(graph: Graph) -> None:
    circles = circles_of(graph)
    ways = "\n".join(sorted(shortest_way(graph, circle) for circle in circles))
    assert not circles, f"expected no circle of modules; move what both sides need into a module of its own:\n{ways}"


def test_circles_are_found_through_functions_types_and_packages(tmp_path: Path) -> None:
    sources = {
        "house/__init__.py": "",
        "house/door.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house import wall",
        "house/wall.py": "def paint():\n    from .roof import Roof",
        "house/roof.py": "import house.door",
        "house/garden.py": "from house.door import Handle",
    }
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = imports_of(tmp_path, ("house",))
    circle = frozenset({"house.door", "house.wall", "house.roof"})
    assert circles_of(graph) == {circle}
    assert shortest_way(graph, circle) == "house.door -> house.wall -> house.roof -> house.door"
