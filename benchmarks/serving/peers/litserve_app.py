"""LitServe: decode, predict, encode; one API process, one worker. It reads the annotations at run time."""

import sys
from typing import Any

import litserve
import numpy as np
from fastapi import Request
from runtime import Runtime


class Served(litserve.LitAPI):
    """The model."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # its signature
        """Opens the file."""
        self.runtime = Runtime(sys.argv[1])

    def decode_request(self, request: Request) -> np.ndarray:
        """A table of `{"rows": [[…], …]}`."""
        return np.array(request["rows"], np.float64)  # type: ignore[index]  # the body, whatever the annotation says

    def predict(self, x: np.ndarray) -> Any:
        """Classes and probabilities."""
        return self.runtime.answer(x)

    def encode_response(self, output: Any) -> dict[str, Any]:
        """The document."""
        return {"predictions": output[0], "probabilities": output[1]}


if __name__ == "__main__":
    server = litserve.LitServer(Served(), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=int(sys.argv[2]), num_api_servers=1, generate_client_file=False,
               log_level="warning", access_log=False)  # fmt: skip
