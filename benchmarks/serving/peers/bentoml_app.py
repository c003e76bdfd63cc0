"""BentoML: a service with a numpy array [N, columns] as its input."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bentoml
import numpy as np  # noqa: TC002  # bentoml reads the annotations at run time

sys.path.insert(0, str(Path(__file__).parent))
from runtime import Runtime  # bentoml imports this file from elsewhere


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Served:
    """The model."""

    def __init__(self) -> None:
        self.runtime = Runtime(os.environ["MODEL"])

    @bentoml.api
    async def predict(self, rows: np.ndarray) -> dict[str, Any]:
        """Classes and probabilities."""
        labels, shares = self.runtime.answer(rows)
        return {"predictions": labels, "probabilities": shares}


if __name__ == "__main__":
    words = [sys.executable, "-m", "bentoml", "serve", "bentoml_app:Served", "--host", "127.0.0.1", "--port",
             sys.argv[2], "--working-dir", str(Path(__file__).parent)]  # fmt: skip
    os.execve(sys.executable, words, {**os.environ, "MODEL": sys.argv[1], "BENTOML_DO_NOT_TRACK": "1"})
