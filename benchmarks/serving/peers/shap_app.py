"""The package shap on a regression of numbers, in this process: prints its values and the median seconds of a row.

python shap_app.py MODEL ASKED.json
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import shap
from runtime import Runtime

if __name__ == "__main__":
    model = Runtime(sys.argv[1])
    asked = json.loads(Path(sys.argv[2]).read_text())
    background, rows = (np.array(asked[name], dtype=np.float32) for name in ("background", "rows"))

    def answer(table: np.ndarray) -> np.ndarray:
        """Values [N]."""
        found: np.ndarray = model.session.run(["prediction"], model.feed(table))[0]
        return found[:, 0]

    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.explainers.Permutation(answer, masker, seed=0)
    explainer(rows[:1], silent=True)  # what it compiles, it compiles here
    values, seconds = [], []
    for row in rows:
        start = time.perf_counter()
        found = explainer(row[np.newaxis], silent=True)
        seconds.append(time.perf_counter() - start)
        values.append(found.values[0].tolist())
    print(json.dumps({"values": values, "seconds": statistics.median(seconds)}))
