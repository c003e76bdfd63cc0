"""The model that is measured: twenty numbers, two classes, trained by our trainer in seconds."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

from sklearn.datasets import load_breast_cancer

COLUMNS = 20
ROOT = Path(__file__).parents[2]


def rows() -> list[dict[str, float]]:
    """569 tumours of scikit-learn's breast_cancer, the first twenty of their measurements."""
    data = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in data.feature_names[:COLUMNS]]
    return [dict(zip(names, map(float, row), strict=True)) for row in data.data[:, :COLUMNS]]


def trained(folder: Path) -> Path:
    """The model file. The budget is that of the first family, a linear model: serving is measured, not the graph.

    Raises:
        CalledProcessError: the trainer failed.
    """
    data = folder / "cancer.csv"
    targets = load_breast_cancer().target
    with data.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*rows()[0], "diagnosis"])
        writer.writerows([*row.values(), "benign" if target else "malignant"]
                         for row, target in zip(rows(), targets, strict=True))  # fmt: skip
    words = [sys.executable, "-m", "training_container.trainer", "--data", str(data), "--target", "diagnosis"]
    words += ["--budget", "0.001", "--search", "none", "--model", "cancer", "--out", str(folder / "run")]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True)
    return folder / "run" / "model.onnx"
