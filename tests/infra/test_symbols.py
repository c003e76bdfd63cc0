"""A shared library without its symbols is smaller and loads as before."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from cdk_app.symbols import cut_symbols

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it loads a library of Linux")


def library() -> Path:
    """PyYAML's parser in C, as its wheel has it."""
    (found,) = Path(sysconfig.get_paths()["platlib"], "yaml").glob("_yaml*.so")
    return found


def test_a_cut_library_is_smaller_and_works(tmp_path: Path) -> None:
    package = shutil.copytree(library().parent, tmp_path / "yaml")
    (cut,) = package.glob("_yaml*.so")
    before = cut.stat().st_size
    assert cut_symbols(cut) == before - cut.stat().st_size > before / 2
    parsed = "import yaml; assert yaml.load('a: [1]', yaml.CSafeLoader) == {'a': [1]}; print(yaml.__file__)"
    words = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {parsed}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(package / "__init__.py")


def test_it_is_cut_once_and_always_alike(tmp_path: Path) -> None:
    cuts = [shutil.copy(library(), tmp_path / name) for name in ("one.so", "two.so")]
    assert [cut_symbols(cut) > 0 for cut in cuts] == [True, True]
    assert cuts[0].read_bytes() == cuts[1].read_bytes()
    assert cut_symbols(cuts[0]) == 0


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "linker.so"
    text.write_text("GROUP ( libc.so.6 )")
    with pytest.raises(
        ValueError, match=r"linker\.so: expected a 64-bit ELF library, got a file that begins with b'GROUP"
    ):
        cut_symbols(text)
