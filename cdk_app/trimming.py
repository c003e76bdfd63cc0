"""Trims installed dependencies: removes what no function needs, and rewrites what slows every start."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from cdk_app.symbols import cut_symbols

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

PILLOW_UNUSED = (
    *(f"PIL/_{name}.*" for name in ("avif", "imagingcms", "imagingft", "imagingmath", "imagingmorph", "imagingtk")),
    *(f"pillow.libs/lib{name}*" for name in ("avif", "brotli", "freetype", "harfbuzz", "lcms2", "png16")),
)
"""AVIF, fonts, colour management, tkinter: `dropforge/pictures.py` needs none. Pillow links its other libraries."""
NEVER_IMPORTED = (
    *PILLOW_UNUSED,
    *(f"onnxruntime/{name}" for name in ("transformers", "quantization", "tools", "backend", "datasets")),
    "onnxruntime/capi/libonnxruntime.so.*",  # the Python module holds a copy of all of it
    *(f"numpy/{name}" for name in ("f2py", "fft", "polynomial", "random", "testing", "doc", "_pyinstaller")),
    *(f"numpy/_core/{name}" for name in ("include", "lib", "_simd.*", "_umath_tests.*", "_rational_tests.*")),
    *(f"stdnum/{name}" for name in ("oui.dat", "imsi.dat", "isil.dat", "gs1_ai.dat", "nz", "id", "eu", "at/*.dat")),
    *("numpy/**/tests", "numpy/**/*.pxd", "numpy/conftest.py", "**/*.pyi", "bin"),
    "*.dist-info/sboms",
)
"""Patterns of the parts of dependencies that no function imports, but for what its `Package` keeps."""
WITH_SYMBOLS = ("_polars_runtime_32/*.so", "python_calamine/*.so", "yaml/*.so")
"""Libraries whose symbol tables are cut off. numpy's are as their wheel has them: sections stand behind the symbols."""
DOCSTRING_MODULES = ("numpy/_core/_add_newdocs.py", "numpy/_core/_add_newdocs_scalars.py")
"""Modules that only attach docstrings to objects written in C, at every start; they are emptied."""
TYPING_PACKAGE = "numpy/_typing"
"""numpy's types for annotations, some hundred; `numpy.linalg` needs one of them at every start."""
TYPING_ORIGINAL = "_whole"
"""The name that the package's own `__init__.py` gets, as a module of the package."""
TYPING_LAZY = f'''"""Defines the one type that numpy itself needs; `{TYPING_ORIGINAL}` is imported for any other."""
from typing import Any, TypeVar

import numpy as np

NDArray = np.ndarray[tuple[Any, ...], np.dtype[TypeVar("_ScalarT", bound=np.generic)]]


def __getattr__(name):
    from importlib import import_module

    return getattr(import_module("numpy._typing.{TYPING_ORIGINAL}"), name)
'''
"""The `__init__.py` that replaces it: defining every type costs a fifteenth of the start of numpy and onnxruntime."""


def trim(target: Path, keep: Collection[str] = ()) -> None:
    """Trims the dependencies in `target`.

    Args:
        target: a folder that pip has filled, without byte code.
        keep: patterns of `NEVER_IMPORTED` that this function does import.
    """
    unused = [pattern for pattern in NEVER_IMPORTED if pattern not in keep]
    for path in [path for pattern in unused for path in target.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for library in [library for pattern in WITH_SYMBOLS for library in target.glob(pattern)]:
        cut_symbols(library)
    for name in DOCSTRING_MODULES:
        if (target / name).exists():
            (target / name).write_text("")
    typing = target / TYPING_PACKAGE / "__init__.py"
    if typing.exists():
        typing.rename(typing.with_name(f"{TYPING_ORIGINAL}.py"))
        typing.write_text(TYPING_LAZY)
