"""Packages functions: sources, and with `dropforge:packaging=full` the pinned dependencies and byte code too."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, IgnoreMode, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from cdk_app.interpreters import PYTHON, compiler
from cdk_app.trimming import NEVER_IMPORTED, trim

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cdk_app.settings import Packaging

ROOT = Path(__file__).parents[1]
RUNTIME = lambda_.Runtime.PYTHON_3_13
SHARED_BY_ALL = ("lambdas/__init__.py", "lambdas/common", "dropforge/__init__.py", "dropforge/contract")
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")
RECIPE = "12"
"""Version of the way packages are built; to be raised with each change of it, so that assets are built anew."""


@dataclass(frozen=True)
class Package:
    """What the zip of one function holds.

    Example:
        `Package("pipeline/judge", ("dropforge/metrics",), keep=("numpy/random",))`
    """

    folder: str
    """The function's own folder below `lambdas`, such as `pipeline/claim`; its handler is in `handler.py`."""
    libraries: tuple[str, ...] = ()
    """Shared sources that only some functions need, mostly of `cdk_app.libraries`."""
    keep: tuple[str, ...] = ()
    """Patterns of `trimming.NEVER_IMPORTED` that this function does import."""

    def __post_init__(self) -> None:
        unknown = [pattern for pattern in self.keep if pattern not in NEVER_IMPORTED]
        if unknown:
            raise ValueError(f"{self.folder}: expected patterns of NEVER_IMPORTED to keep, got {unknown}")

    @property
    def paths(self) -> list[str]:
        """All sources, from the project's root."""
        room = self.folder.partition("/")[0]
        return [*SHARED_BY_ALL, f"lambdas/{room}/__init__.py", f"lambdas/{self.folder}", *self.libraries]

    @property
    def requirements(self) -> Path | None:
        """The file of pinned dependencies; None for a function without any."""
        path = ROOT / "lambdas" / self.folder / "requirements.txt"
        return path if path.exists() else None

    @property
    def handler(self) -> str:
        """The handler as Lambda names it."""
        return f"lambdas.{self.folder.replace('/', '.')}.handler.handle"


def function_code(package: Package, packaging: Packaging) -> lambda_.Code:
    """The code of a function, its dependencies beside it when `packaging` is `full`."""
    paths = package.paths
    if packaging == "code" or package.requirements is None and compiler() is None:
        return lambda_.Code.from_asset(
            str(ROOT), exclude=allow_only(paths), ignore_mode=IgnoreMode.GIT, asset_hash=content_hash(paths, ""),
            asset_hash_type=AssetHashType.CUSTOM,
        )  # fmt: skip
    return lambda_.Code.from_asset(
        str(ROOT),
        asset_hash=content_hash(paths, "".join([RECIPE, PYTHON, "compiled" if compiler() else "", *package.keep])),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=PipBundling(package)),
    )


def allow_only(paths: Sequence[str]) -> list[str]:
    """Ignore patterns in git's syntax that exclude everything but `paths`."""
    allowed = []
    for path in paths:
        parts = Path(path).parts
        allowed += [f"!/{'/'.join(parts[:depth])}" for depth in range(1, len(parts) + 1)]
        if "." not in parts[-1]:
            allowed.append(f"!/{path}/**")
    return ["/*", *_closed(paths), *dict.fromkeys(allowed), "__pycache__"]


def _closed(paths: Sequence[str]) -> list[str]:
    """Patterns that exclude what else is in the folders above `paths`."""
    parents = {str(parent) for path in paths for parent in Path(path).parents if str(parent) != "."}
    return [f"/{folder}/*" for folder in sorted(parents)]


def files_in(folder: str) -> tuple[str, ...]:
    """The modules directly in a folder, without those in its subfolders."""
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.py")))


def files_under(paths: Iterable[str]) -> list[Path]:
    """Every source file of `paths`, in a fixed order."""
    files: set[Path] = set()
    for path in (ROOT / path for path in paths):
        files |= {path} if path.is_file() else {file for file in path.rglob("*") if file.is_file()}
    return sorted(file for file in files if "__pycache__" not in file.parts)


def content_hash(paths: Iterable[str], recipe: str) -> str:
    """SHA-256 over the names and bytes of all files, and over the recipe; other functions' files do not change it."""
    digest = hashlib.sha256(recipe.encode())
    for path in files_under(paths):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@jsii.implements(ILocalBundling)
class PipBundling:
    """Installs wheels for Lambda's Python and platform with pip, and copies the sources beside them, without Docker.

    Args:
        package: what to pack.
        python: the minor version that will run it; tests name another one where Lambda's is not installed.
    """

    def __init__(self, package: Package, python: str = PYTHON) -> None:
        self._package = package
        self._python = python

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: Any) -> bool:  # noqa: ARG002  # jsii's name
        """Fills `output_dir`; raises when pip fails: a function without its dependencies would deploy and then fail."""
        package, target, python = self._package, Path(output_dir), compiler(self._python)
        if package.requirements is not None:
            print(f"packing {package.folder} with its dependencies", file=sys.stderr)
            install(package.requirements, target, package.keep, self._python)
            if python is not None:
                compile_without_docstrings(python, target)
        for path in files_under(package.paths):
            copy = target / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
        if python is not None:
            compile_sources(python, target, [target / Path(path).parts[0] for path in package.paths])
        return True


def install(requirements: Path, target: Path, keep: Collection[str] = (), python: str = PYTHON) -> None:
    """Installs pinned wheels for the functions' platform into `target`, and trims them but for `keep`."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(target), "--python-version", python, "--only-binary", ":all:"]
    command += [part for platform in PLATFORMS for part in ("--platform", platform)]
    subprocess.run([*command, "--no-deps", "-r", str(requirements)], check=True)
    trim(target, keep)


def compile_sources(python: str, package: Path, folders: Iterable[Path], *optimized: str) -> None:
    """Writes byte code beside every source: Lambda's folder is read-only, so each cold start would compile again.

    Python never checks it against the sources (`unchecked-hash`), because a zip does not keep their times.
    """
    command = [python, "-m", "compileall", "-q", *optimized, "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*command, "-s", str(package), "-p", "/var/task", *map(str, {*folders})], check=True)


def compile_without_docstrings(python: str, package: Path) -> None:
    """Writes the dependencies' byte code without docstrings and asserts, which every start would have to read."""
    compile_sources(python, package, [package], "-o", "2")
    for path in package.rglob("*.opt-2.pyc"):
        path.rename(path.with_name(path.name.replace(".opt-2.pyc", ".pyc")))  # what Lambda's Python looks for
