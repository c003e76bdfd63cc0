"""Installed dependencies without what the functions never use, and quicker to import."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PILLOW_UNUSED = (
    *(f"PIL/_{name}.*" for name in ("avif", "imagingcms", "imagingft", "imagingmath", "imagingmorph", "imagingtk")),
    *(f"pillow.libs/lib{name}*" for name in ("avif", "brotli", "freetype", "harfbuzz", "lcms2", "png16")),
)
"""AVIF, fonts, colour management, tkinter: `dropforge/pictures.py` reads none. The rest of its libraries is linked."""
NEVER_IMPORTED = (
    *PILLOW_UNUSED,
    *(f"onnxruntime/{name}" for name in ("transformers", "quantization", "tools", "backend", "datasets")),
    "onnxruntime/capi/libonnxruntime.so.*",  # the Python module has it all inside once more
    *(f"numpy/{name}" for name in ("f2py", "fft", "polynomial", "random", "testing", "doc", "_pyinstaller")),
    *(f"numpy/_core/{name}" for name in ("include", "lib", "_simd.*", "_umath_tests.*", "_rational_tests.*")),
    *("numpy/**/tests", "numpy/**/*.pxd", "numpy/conftest.py", "**/*.pyi", "bin"),
)
"""Patterns for the parts of the dependencies that the functions never import."""
DOCUMENTATION = ("numpy/_core/_add_newdocs.py", "numpy/_core/_add_newdocs_scalars.py")
"""Modules that do nothing but give docstrings to what is written in C, at every start: they are emptied."""
TYPING = "numpy/_typing"
"""numpy's types for annotations. `numpy.linalg` asks for one of some hundred at every start."""
TYPING_WHOLE = "_whole"
"""What the package's own `__init__.py` is called in it afterwards."""
TYPING_FIRST = f'''"""What numpy itself asks for; everything else of `{TYPING_WHOLE}`, when somebody does."""
from typing import Any, TypeVar

import numpy as np

NDArray = np.ndarray[tuple[Any, ...], np.dtype[TypeVar("_ScalarT", bound=np.generic)]]


def __getattr__(name):
    from importlib import import_module

    return getattr(import_module("numpy._typing.{TYPING_WHOLE}"), name)
'''
"""It takes a fifteenth of the CPU of a start of numpy and onnxruntime to make them all."""


NEEDED_BY = {"judge": ("numpy/random",)}
"""Of these patterns, what one function does import, by the name of its folder: Judge draws resamples."""


def trim(target: Path, step: str = "") -> None:
    """Removes and rewrites in `target`, a folder that pip has filled without byte code for the function `step`."""
    unused = [pattern for pattern in NEVER_IMPORTED if pattern not in NEEDED_BY.get(step, ())]
    for path in [found for pattern in unused for found in target.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in DOCUMENTATION:
        if (target / name).exists():
            (target / name).write_text("")
    typing = target / TYPING / "__init__.py"
    if typing.exists():
        typing.rename(typing.with_name(f"{TYPING_WHOLE}.py"))
        typing.write_text(TYPING_FIRST)
