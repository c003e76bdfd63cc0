"""Small real pictures: scikit-learn's digits as PNG files, and zips of them."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def file_of(pixels: np.ndarray, form: str = "PNG", **options: object) -> bytes:
    """uint8 pixels as a picture's file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


@pytest.fixture(scope="session")
def digit_files() -> dict[str, bytes]:
    """`<class>/<number>.png` to the file, 1,797 of them, all different."""
    data = load_digits()
    return {
        f"{NAMES[label]}/{at}.png": file_of((pixels * 15.9).astype(np.uint8))
        for at, (pixels, label) in enumerate(zip(data.images, data.target, strict=True))
    }


@pytest.fixture
def some(digit_files: dict[str, bytes]) -> dict[str, bytes]:
    """The first 120 of them in two classes."""
    return dict([each for each in digit_files.items() if each[0].startswith(("zero/", "one/"))][:120])


@pytest.fixture
def zipped(tmp_path: Path) -> Callable[..., Path]:
    """Writes a zip of these files."""

    def write(files: Mapping[str, bytes], name: str = "digits.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, body in files.items():
                archive.writestr(member, body)
        return path

    return write
