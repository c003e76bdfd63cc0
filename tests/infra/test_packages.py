"""The functions' real packages: built with pip for Lambda's Python, measured, and looked into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from cdk_app.packaging import ROOT, SHARED, PipBundling

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 250 * 2**20
"""Lambda takes no more, unpacked."""

HEAVY = {
    "judge": ["onnxruntime", "numpy", "PIL"],
    "predict": ["onnxruntime", "numpy", "PIL"],
    "inspect": ["polars", "numpy", "yaml"],
}


@pytest.mark.slow
@pytest.mark.parametrize("step", HEAVY)
def test_a_package_fits_and_holds_wheels_for_lambda(step: str, tmp_path: Path) -> None:
    requirements = ROOT / "lambdas" / step / "requirements.txt"
    PipBundling([*SHARED, f"lambdas/{step}"], requirements).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]  # no image is used
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    print(f"{step}: {size / 2**20:.0f} MiB unpacked")
    assert size < LARGEST
    for name in HEAVY[step]:
        assert (tmp_path / name / "__init__.py").exists(), name
    libraries = [path.name for path in tmp_path.rglob("*.so")]
    assert [name for name in libraries if "cpython-313" in name and "x86_64" in name]
    assert not [name for name in libraries if "cpython-3" in name and "cpython-313" not in name]
    assert not [name for name in ("sympy", "google", "flatbuffers") if (tmp_path / name).exists()]
    assert (tmp_path / "lambdas" / step / "handler.py").exists()
    if "PIL" in HEAVY[step]:
        check_pillow(tmp_path)


def check_pillow(package: Path) -> None:
    """What is left of Pillow needs no library that was left out; its parts are named in the headers of the others."""
    kept = {path.name for path in (package / "pillow.libs").iterdir()}
    assert {"libjpeg", "libwebp", "libtiff"} <= {name.partition("-")[0] for name in kept}
    assert not [name for name in kept if name.startswith(("libavif", "libfreetype", "libharfbuzz", "liblcms2"))]
    for path in [*(package / "PIL").glob("*.so"), *(package / "pillow.libs").iterdir()]:
        named = set(re.findall(rb"lib[a-zA-Z0-9]+-[0-9a-f]{8}\.so[.0-9]*", path.read_bytes()))
        assert {name.decode() for name in named} <= kept, path.name
