"""Trains one model from dropped data, as SageMaker starts it or by hand.

    python -m training_container.trainer train [--ml-root /opt/ml]
    python -m training_container.trainer --data houses.csv --target price --out model/ [--task regression]
                                         [--budget MINUTES] [--search tpe|random|grid|none] [--seed N]
                                         [--split COLUMN] [--groups COLUMN …] [--model NAME] [--checkpoints FOLDER]

Under SageMaker's contract the channels `data` and `plan` and the hyperparameter `run` say what to do, the model's files
are written to /opt/ml/model, and on any failure one readable line to /opt/ml/output/failure. By hand the failure goes
to standard error. Exit code 0 when the model's files are complete, 1 otherwise.

SIGTERM ends fitting, and the model is made of what was fitted by then; a second one, or one before fitting has begun,
ends everything. A job that is killed goes on from its checkpoints when it is started again.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from training_container.stopping import Stopped, stop_on_sigterm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training_container.job import Job

os.environ.setdefault("GOMP_SPINCOUNT", "1000")
"""Read when torch loads. Threads that never spin take longer to wake than a step of boosting takes; those that spin for
long keep shared cores from whoever works."""

LONGEST_REASON = 1000
"""SageMaker keeps 1,024 characters of a failure."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one job; the exit code."""
    given = _parse(sys.argv[1:] if arguments is None else arguments)
    stop_on_sigterm()
    if given.ml_root is None:
        return _attempt(lambda: _hand_job(given), None)
    from training_container.job import MlFolders

    folders = MlFolders(Path(given.ml_root))
    return _attempt(folders.job, folders.failure)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training_container.trainer", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument(
        "command", nargs="?", choices=["train"], help="as SageMaker starts it: everything from --ml-root"
    )
    parser.add_argument("--ml-root", help="SageMaker's folder, default /opt/ml")
    parser.add_argument("--data", nargs="+", metavar="FILE", help="files of one data set")
    parser.add_argument("--target", help="column to predict; found by rule when left out")
    parser.add_argument("--out", help="folder for the model's files")
    parser.add_argument(
        "--task",
        choices=["regression", "binary", "multiclass", "recommendation", "clustering"],
        help="found by rule when left out",
    )
    parser.add_argument("--budget", type=float, default=5.0, metavar="MINUTES", help="of fitting, default 5")
    parser.add_argument("--search", choices=["tpe", "random", "grid", "none"], default="tpe",
                        help="how settings are tuned with what is left of the budget")  # fmt: skip
    parser.add_argument("--split", metavar="COLUMN", help="says 'train' or 'test' of each row, default by content")
    parser.add_argument("--groups", nargs="+", default=[], metavar="COLUMN", help="score the rows of each value apart")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", metavar="NAME", help="the model's name, default the file's")
    parser.add_argument("--checkpoints", metavar="FOLDER", help="where a killed job goes on from, default nowhere")
    given = parser.parse_args(arguments)
    if given.command == "train":
        given.ml_root = given.ml_root or "/opt/ml"
    elif given.ml_root or not given.data or not given.out:
        parser.error("expected 'train [--ml-root FOLDER]', or --data FILE and --out FOLDER")
    return given


def _hand_job(given: argparse.Namespace) -> Job:
    from training_container.job import by_hand

    return by_hand(given)


def _attempt(read_job: Callable[[], Job], failure: Path | None) -> int:
    """Does the job; whatever goes wrong becomes one line, and a traceback only where nobody expected it."""
    from dropforge.contract.spec import SpecFault
    from dropforge.datasets.faults import DataFault
    from training_container.faults import JobFault, ParityFault

    try:
        from training_container.driver import train  # seconds of imports, which SIGTERM may cut short

        train(read_job())
    except (DataFault, SpecFault, JobFault, ParityFault) as fault:
        reason = str(fault)
    except Stopped:
        reason = "stopped by SIGTERM before the model was complete; nothing was kept"
    except Exception as fault:
        traceback.print_exc()
        reason = f"unexpected {type(fault).__name__}: {fault}"
    else:
        return 0
    _tell(" ".join(reason.split())[:LONGEST_REASON], failure)
    return 1


def _tell(reason: str, failure: Path | None) -> None:
    print(f"failed: {reason}", file=sys.stderr, flush=True)
    if failure is not None:
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(f"{reason}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
