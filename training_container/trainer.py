"""Trains one model from dropped data, as SageMaker starts it or by hand.

    python -m training_container.trainer train [--ml-root /opt/ml]
    python -m training_container.trainer --data houses.csv --target price --out model/ [--task regression]
                                         [--budget MINUTES] [--search tpe|random|grid|none] [--seed N]
                                         [--split COLUMN] [--groups COLUMN …] [--model NAME] [--checkpoints FOLDER]

SageMaker passes the job in the channels `data` and `plan` and the hyperparameter `run`; the trainer writes the model's
files to /opt/ml/model and, on failure, one readable line to /opt/ml/output/failure. By hand the line goes to standard
error. The exit code is 0 when the model's files are complete and 1 otherwise.

SIGTERM ends fitting, and the model is made of what was fitted by then; a second SIGTERM, or one before fitting has
begun, ends the job without a model. A job that was killed resumes from its checkpoints when it is started again.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from dropforge.contract.tasks import TASK_NAMES
from training_container.stopping import Stopped, stop_on_sigterm

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from training_container.job import Job

os.environ.setdefault("GOMP_SPINCOUNT", "1000")
"""OpenMP reads it when torch loads. Threads that never spin take longer to wake than a step of boosting; threads that
spin for long keep shared cores from other processes."""

LONGEST_REASON = 1000
"""Characters of a failure's reason that are written; SageMaker keeps 1,024."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one job and returns the exit code."""
    options = _parse(sys.argv[1:] if arguments is None else arguments)
    stop_on_sigterm()
    if options.ml_root is None:
        return _attempt(lambda: _hand_job(options), None)
    from training_container.job import MlFolders

    folders = MlFolders(Path(options.ml_root))
    return _attempt(folders.job, folders.failure)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training_container.trainer", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument(
        "command", nargs="?", choices=["train"], help="read the job from --ml-root, as SageMaker starts it"
    )
    parser.add_argument("--ml-root", help="SageMaker's folder (default /opt/ml)")
    parser.add_argument("--data", nargs="+", metavar="FILE", help="the files of one data set")
    parser.add_argument("--target", help="the column to predict (default: chosen by rule)")
    parser.add_argument("--out", help="the folder for the model's files")
    parser.add_argument(
        "--task",
        choices=TASK_NAMES,
        help="the task (default: chosen by rule)",
    )
    parser.add_argument(
        "--budget", type=float, default=5.0, metavar="MINUTES", help="the time for fitting, in minutes (default 5)"
    )
    parser.add_argument("--search", choices=["tpe", "random", "grid", "none"], default="tpe",
                        help="how settings are tuned in the time that is left of the budget")  # fmt: skip
    parser.add_argument(
        "--split",
        metavar="COLUMN",
        help="the column that says 'train' or 'test' for each row (default: decided by the data)",
    )
    parser.add_argument(
        "--groups", nargs="+", default=[], metavar="COLUMN", help="columns whose values are scored as groups"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", metavar="NAME", help="the model's name (default: from the file's name)")
    parser.add_argument(
        "--checkpoints", metavar="FOLDER", help="the folder that a killed job resumes from (default: none)"
    )
    options = parser.parse_args(arguments)
    if options.command == "train":
        options.ml_root = options.ml_root or "/opt/ml"
    elif options.ml_root or not options.data or not options.out:
        parser.error("expected 'train [--ml-root FOLDER]', or --data FILE and --out FOLDER")
    return options


def _hand_job(options: argparse.Namespace) -> Job:
    from training_container.job import by_hand

    return by_hand(options)


def _attempt(read_job: Callable[[], Job], failure: Path | None) -> int:
    """Runs the job; an error becomes one line, with a traceback only where it was not expected."""
    from dropforge.contract.hops import OUT_OF_MEMORY
    from dropforge.contract.spec import SpecFault
    from dropforge.datasets.faults import DataFault
    from training_container.faults import JobFault, ParityFault, is_want_of_memory, report_failure

    try:
        from training_container.driver import train  # seconds of imports, which SIGTERM may cut short

        train(read_job())
    except (DataFault, SpecFault, JobFault, ParityFault) as fault:
        reason = str(fault)
    except Stopped:
        reason = "stopped by SIGTERM before the model was complete; nothing was kept"
    except Exception as fault:
        traceback.print_exc()
        kind = OUT_OF_MEMORY if is_want_of_memory(fault) else f"unexpected {type(fault).__name__}"
        reason = f"{kind}: {fault}"
    else:
        return 0
    report_failure(" ".join(reason.split())[:LONGEST_REASON], failure)
    return 1


if __name__ == "__main__":
    sys.exit(main())
