"""What a function's zip holds: its own folder and what it shares, and where asked, its pinned dependencies."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, IgnoreMode, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from cdk_app.trimming import trim

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cdk_app.settings import Packaging

ROOT = Path(__file__).parents[1]
RUNTIME = lambda_.Runtime.PYTHON_3_13
PYTHON = "3.13"
SHARED = ("lambdas/__init__.py", "lambdas/common", "dropforge/__init__.py", "dropforge/contract")
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")
RECIPE = "11"
"""Counts the changes of what follows, so that a new recipe makes new assets."""


def function_code(folder: str, extra: Sequence[str], packaging: Packaging) -> lambda_.Code:
    """The code of `lambdas/<folder>` with what all functions share and the paths in `extra`."""
    paths = own_paths(folder, extra)
    named = ROOT / "lambdas" / folder / "requirements.txt"
    requirements = named if named.exists() else None
    if packaging == "code" or requirements is None and compiler() is None:
        return lambda_.Code.from_asset(
            str(ROOT), exclude=allow_only(paths), ignore_mode=IgnoreMode.GIT, asset_hash=content_hash(paths, ""),
            asset_hash_type=AssetHashType.CUSTOM,
        )  # fmt: skip
    return lambda_.Code.from_asset(
        str(ROOT),
        asset_hash=content_hash(paths, f"{RECIPE}{PYTHON}{'compiled' if compiler() else ''}"),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=PipBundling(paths, requirements)),
    )


def own_paths(folder: str, extra: Sequence[str] = ()) -> list[str]:
    """What the function in `lambdas/<folder>`, such as `pipeline/claim`, is made of."""
    room = folder.partition("/")[0]
    return [*SHARED, f"lambdas/{room}/__init__.py", f"lambdas/{folder}", *extra]


def allow_only(paths: Sequence[str]) -> list[str]:
    """Ignore patterns, as git reads them, that leave just `paths`."""
    allowed = []
    for path in paths:
        parts = Path(path).parts
        allowed += [f"!/{'/'.join(parts[:depth])}" for depth in range(1, len(parts) + 1)]
        if "." not in parts[-1]:
            allowed.append(f"!/{path}/**")
    return ["/*", *_closed(paths), *dict.fromkeys(allowed), "__pycache__"]


def _closed(paths: Sequence[str]) -> list[str]:
    """Folders that are only passed through: everything else in them stays out."""
    through = {str(parent) for path in paths for parent in Path(path).parents if str(parent) != "."}
    return [f"/{folder}/*" for folder in sorted(through)]


def files_in(folder: str) -> tuple[str, ...]:
    """The sources right in a folder, without those of the folders in it."""
    return tuple(sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob("*.py")))


def files_under(paths: Iterable[str]) -> list[Path]:
    """Every source file of `paths`, in a fixed order."""
    found: set[Path] = set()
    for path in paths:
        at = ROOT / path
        found |= {at} if at.is_file() else {each for each in at.rglob("*") if each.is_file()}
    return sorted(each for each in found if "__pycache__" not in each.parts)


def content_hash(paths: Iterable[str], recipe: str) -> str:
    """SHA-256 over names and bytes of all files and over the recipe: editing another function leaves it alone."""
    digest = hashlib.sha256(recipe.encode())
    for path in files_under(paths):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@jsii.implements(ILocalBundling)
class PipBundling:
    """Installs wheels for Lambda's Python and platform with pip, and copies the sources beside them; no Docker.

    Args:
        paths: sources, from the project's root.
        requirements: a file of pinned dependencies; None for a function that has none, which gets byte code alone.
        python: the minor version that will run it; another than Lambda's to try a package where that one is not.
    """

    def __init__(self, paths: Sequence[str], requirements: Path | None, python: str = PYTHON) -> None:
        self._paths = paths
        self._requirements = requirements
        self._python = python

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: Any) -> bool:  # noqa: ARG002  # jsii's name
        """Fills `output_dir`; raises when pip cannot: a function without its dependencies would deploy and fail."""
        package, python = Path(output_dir), compiler(self._python)
        if python is None:
            print(f"no python{self._python} found: packed without byte code, starts are slower", file=sys.stderr)
        if self._requirements is not None:
            print(f"packing {self._requirements.parent.name} with its dependencies", file=sys.stderr)
            install(self._requirements, package, self._python)
            if python is not None:
                without_docstrings(python, package)
        for path in files_under(self._paths):
            target = package / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        if python is not None:
            compiled(python, package, [package / Path(path).parts[0] for path in self._paths])
        return True


def install(requirements: Path, target: Path, python: str = PYTHON) -> None:
    """Pinned wheels for the functions' platform, without what inference never imports."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(target), "--python-version", python, "--only-binary", ":all:"]
    command += [part for platform in PLATFORMS for part in ("--platform", platform)]
    subprocess.run([*command, "--no-deps", "-r", str(requirements)], check=True)
    trim(target, requirements.parent.name)


@cache
def compiler(python: str = PYTHON) -> str | None:
    """A Python of that minor version, for byte code is good for no other; None when there is none here."""
    for found in filter(None, (sys.executable, shutil.which(f"python{python}"))):
        asked = [found, "-c", "import sys; print('{}.{}'.format(*sys.version_info))"]
        if subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == python:
            return found
    return None


def compiled(python: str, package: Path, folders: Iterable[Path], *optimized: str) -> None:
    """Byte code beside every source: Lambda's folder is read-only, so that each cold start would compile anew.

    It is never checked against the sources (`unchecked-hash`), whose times a zip does not keep.
    """
    words = [python, "-m", "compileall", "-q", *optimized, "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*words, "-s", str(package), "-p", "/var/task", *map(str, {*folders})], check=True)


def without_docstrings(python: str, package: Path) -> None:
    """The dependencies' byte code; their asserts go too. Nobody asks for docstrings, and every start reads them."""
    compiled(python, package, [package], "-o", "2")
    for path in package.rglob("*.opt-2.pyc"):
        path.rename(path.with_name(path.name.replace(".opt-2.pyc", ".pyc")))  # what Lambda's Python looks for
