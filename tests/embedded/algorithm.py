"""A stand-in for any training algorithm, run as SageMaker runs one; its hyperparameter `do` says what happens."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

root = Path(sys.argv[sys.argv.index("--ml-root") + 1])
wish = json.loads((root / "input/config/hyperparameters.json").read_text())["do"]


def sleep_on(*_: object) -> None:
    (root / "checkpoints/last").write_text("saved at SIGTERM")


print(f"step=begin do={wish}")
if wish == "model":
    seen = {
        "argv": sys.argv[1],
        "data": (root / "input/data/data/sub/rows.csv").read_text(),
        "resources": json.loads((root / "input/config/resourceconfig.json").read_text()),
        "channels": json.loads((root / "input/config/inputdataconfig.json").read_text()),
        "environment": sorted(os.environ),
        "job": os.environ["TRAINING_JOB_NAME"],
        "folder": str(Path.cwd()),
    }
    (root / "model/deep").mkdir()
    (root / "model/deep/model.json").write_text(json.dumps(seen))
elif wish == "fail":
    (root / "output/failure").write_text("the target has one class")
    sys.exit(3)
elif wish == "obey":
    signal.signal(signal.SIGTERM, lambda *_: (sleep_on(), sys.exit(0)))
    time.sleep(120)
elif wish == "resist":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (root / "output/data/pid").write_text(str(os.getpid()))
    time.sleep(120)
elif wish == "die":
    os.kill(os.getpid(), signal.SIGKILL)
