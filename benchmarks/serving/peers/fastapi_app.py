"""FastAPI on uvicorn with httptools and uvloop: records checked by pydantic."""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model
from runtime import Runtime


def application(path: str) -> FastAPI:
    """`POST /predict`: a list of records, every column a number or null."""
    runtime = Runtime(path)
    fields: dict[str, Any] = dict.fromkeys(runtime.names, (float | None, ...))
    row: type[BaseModel] = create_model("Row", **fields)
    values = attrgetter(*runtime.names)
    app = FastAPI()

    def predict(rows: list[Any]) -> dict[str, Any]:
        labels, shares = runtime.answer(np.array([values(each) for each in rows], np.float64))
        return {"predictions": labels, "probabilities": shares}

    async def route(rows: Any) -> dict[str, Any]:  # on the loop: a thread costs more than the answer
        return predict(rows)

    route.__annotations__["rows"] = list[row]  # type: ignore[valid-type]
    app.post("/predict")(route)
    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), port=int(sys.argv[2]), access_log=False, log_level="warning",
                http="httptools", loop="uvloop")  # fmt: skip
