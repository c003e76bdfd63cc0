"""The image's entry point: hands SageMaker's folders over to an unprivileged user, becomes that user, and trains.

    python -m training_container.entry train

A host may mount /opt/ml with folders that only root can write, so the container starts as root. What the job must write
is tried before anything else, because a job that finds out after fitting was paid for, and a failure that nobody can
read, is worse than one that ends in its first second.
"""

from __future__ import annotations

import os
import pwd
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from training_container.faults import report_failure

if TYPE_CHECKING:
    from collections.abc import Iterable

USER = "trainer"
"""The user that trains, made by the Dockerfile."""

ML_ROOT = Path("/opt/ml")
WRITTEN = ("model", "output", "checkpoints")
"""Folders that the job writes into."""

PROBE = ".dropforge-probe"


def main(arguments: list[str], root: Path = ML_ROOT, user: str = USER) -> int:
    """Prepares the folders, drops root's rights and runs the trainer; the exit code. Any error is told as a failure."""
    try:
        return _train(arguments, root, user)
    except Exception as error:
        traceback.print_exc()
        report_failure(f"the image is broken: {type(error).__name__}: {error}", root / "output" / "failure")
        return 1


def _train(arguments: list[str], root: Path, user: str) -> int:
    folders = [root / name for name in WRITTEN]
    account = pwd.getpwnam(user) if os.geteuid() == 0 else None
    if account is not None:
        hand_over(folders, account)
        os.setegid(account.pw_gid)
        os.seteuid(account.pw_uid)
    reason = unwritable(folders)
    if account is not None:
        os.seteuid(0)
        os.setegid(0)
    if reason is not None:
        report_failure(reason, root / "output" / "failure")
        return 1
    if account is not None:
        become(account)
    from training_container.trainer import main as train

    return train([*arguments, "--ml-root", str(root)])


def hand_over(folders: Iterable[Path], account: pwd.struct_passwd) -> None:
    """Makes the folders, and all that is in them, the user's; what cannot be handed over is left to the check."""
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in (folder, *folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        except OSError as error:
            print(f"{folder}: cannot be handed over to {account.pw_name}: {error}", file=sys.stderr, flush=True)


def unwritable(folders: Iterable[Path]) -> str | None:
    """Why the current user cannot write a file into one of the folders; None where it can into all of them."""
    for folder in folders:
        probe = folder / PROBE
        try:
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            return (
                f"{folder}: expected a folder that the user {os.geteuid()} can write, got {error.strerror}; mount it "
                "writable, or start the container as root, which hands it over"
            )
    return None


def become(account: pwd.struct_passwd) -> None:
    """Gives up root for good."""
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    os.environ.update(HOME=account.pw_dir, USER=account.pw_name, LOGNAME=account.pw_name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
