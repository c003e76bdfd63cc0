"""FastAPI behind Mangum, as in a Lambda, in this process: prints the median seconds of each event of a JSON file.

python mangum_app.py MODEL EVENTS.json
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from fastapi_app import application
from mangum import Mangum

if __name__ == "__main__":
    handler = Mangum(application(sys.argv[1]), lifespan="off")
    found = []
    for event, count in json.loads(Path(sys.argv[2]).read_text()):
        seconds = []
        for _ in range(count + 5):
            start = time.perf_counter()
            response = handler(event, {})  # type: ignore[arg-type]
            seconds.append(time.perf_counter() - start)
            assert response["statusCode"] == 200, response
        found.append(statistics.median(seconds[5:]))
    print(json.dumps(found))
