"""MLServer: a custom runtime, one FP32 tensor [N, columns] of Open Inference Protocol v2 in JSON."""

from __future__ import annotations

import asyncio
import socket
import sys

import numpy as np
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from runtime import Runtime


class Served(MLModel):
    """The model."""

    async def load(self) -> bool:
        """Opens the file that the settings name."""
        self.runtime = Runtime(self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Two tensors: classes, probabilities."""
        labels, shares = self.runtime.answer(NumpyCodec.decode_input(payload.inputs[0]))
        outputs = [StringCodec.encode_output("predictions", labels)]
        outputs.append(NumpyCodec.encode_output("probabilities", np.array(shares, np.float32)))
        return InferenceResponse(model_name=self.name, outputs=outputs)


def free() -> int:
    """A free port."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def main(path: str, port: int) -> None:
    """Serves until killed."""
    settings = Settings(host="127.0.0.1", http_port=port, grpc_port=free(), metrics_endpoint=None, parallel_workers=0,
                        debug=False, use_structured_logging=False)  # fmt: skip
    server = MLServer(settings)
    parameters = {"uri": path}
    model = ModelSettings(name="cancer", implementation=Served, parameters=parameters)
    await server.start([model])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
