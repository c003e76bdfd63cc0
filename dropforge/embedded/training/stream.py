"""The job's log stream in CloudWatch Logs, filled while the job runs, with the training role's own permissions."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from typing import Any

from botocore.exceptions import ClientError

GROUP = "/aws/sagemaker/TrainingJobs"
EVERY_SECONDS = 0.25
LARGEST = 500
"""Lines per call."""


class LogStream:
    """Sends lines as log events, in batches and in order; closing it sends the rest."""

    def __init__(self, client: Any, job: str) -> None:
        self.name = f"{job}/algo-1-{int(time.time())}"
        self._client = client
        self._lines: queue.Queue[tuple[int, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name=f"log-{job}", daemon=True)

    def __enter__(self) -> LogStream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.put(None)
        self._thread.join()

    def write(self, line: str) -> None:
        """Add one line with the current time."""
        if line:
            self._lines.put((int(time.time() * 1000), line))

    def _run(self) -> None:
        try:
            self._open()
            while (batch := self._batch()) is not None:
                if batch:
                    self._send(batch)
        except ClientError as fault:  # as on AWS: a role without permission to log loses its log, not its job
            logging.getLogger(__name__).warning("no log for %s: %s", self.name, fault)

    def _open(self) -> None:
        taken = self._client.exceptions.ResourceAlreadyExistsException
        with contextlib.suppress(taken):
            self._client.create_log_group(logGroupName=GROUP)
        with contextlib.suppress(taken):
            self._client.create_log_stream(logGroupName=GROUP, logStreamName=self.name)

    def _batch(self) -> list[tuple[int, str]] | None:
        """The lines of the next quarter second, or None after the last one."""
        first = self._lines.get()
        if first is None:
            return None
        time.sleep(EVERY_SECONDS)
        lines = [first]
        while len(lines) < LARGEST and not self._lines.empty():
            following = self._lines.get()
            if following is None:
                self._lines.put(None)  # keeps the end marker for the next call
                break
            lines.append(following)
        return lines

    def _send(self, lines: list[tuple[int, str]]) -> None:
        events = [{"timestamp": at, "message": line} for at, line in lines]
        self._client.put_log_events(logGroupName=GROUP, logStreamName=self.name, logEvents=events)
