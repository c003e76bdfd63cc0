"""Small files, and the real data sets that scikit-learn ships."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes text (utf-8) or bytes under a name, packed when the name ends in .gz."""

    def to(name: str, content: str | bytes, *, packed: bool | None = None) -> Path:
        raw = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(raw) if (name.endswith(".gz") if packed is None else packed) else raw)
        return path

    return to


def real_set(name: str) -> pl.DataFrame:
    """A data set of scikit-learn; classes by their names."""
    bunch = getattr(datasets, f"load_{name}")()
    frame = pl.DataFrame(bunch.data, schema=[str(each) for each in bunch.feature_names])
    names = getattr(bunch, "target_names", None)
    target = bunch.target if names is None or name == "diabetes" else np.asarray(names)[bunch.target]
    return frame.with_columns(pl.Series("outcome", [str(each) for each in target]))


@pytest.fixture
def real(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a data set of scikit-learn as CSV."""

    def to(name: str) -> Path:
        path = tmp_path / f"{name}.csv"
        real_set(name).write_csv(path)
        return path

    return to
