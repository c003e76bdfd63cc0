"""KServe: a subclass of Model, `{"instances": [[…], …]}` of its protocol v1."""

from __future__ import annotations

import logging
import sys
from typing import Any

import numpy as np
from kserve import Model, ModelServer
from runtime import Runtime


class Served(Model):
    """The model."""

    def __init__(self, path: str) -> None:
        super().__init__("cancer")
        self.runtime = Runtime(path)
        self.ready = True

    def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:  # noqa: ARG002  # its signature
        """Classes and probabilities."""
        labels, shares = self.runtime.answer(np.array(payload["instances"], np.float64))
        return {"predictions": labels, "probabilities": shares}


if __name__ == "__main__":
    logging.disable(logging.INFO)  # no access log, as the others
    ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=1, access_log_format=None).start(
        [Served(sys.argv[1])]
    )
