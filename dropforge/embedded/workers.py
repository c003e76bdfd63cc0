"""Bounds what runs at once: functions and training jobs wait for a place instead of sharing one machine with all.

MiniStack starts a process for every invocation that finds none free, so a burst of drops would take all memory and all
time limits at once. A task of a state machine waits before its time limit begins. A request to the API waits in its
function's own queue, and is throttled, as on AWS, if no place is free in time.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = "DROPFORGE_TASKS"
"""Environment variable of the server: tasks of state machines at once, by default one more than processor cores."""
TRAININGS = "DROPFORGE_TRAININGS"
"""Environment variable of the server: training jobs at once, by default one for every two cores, and at least two."""
CALLS = "DROPFORGE_CALLS"
"""Environment variable of the server: processes of a function at once, by default two for every core, four at least."""
WAIT_SECONDS = 25.0
"""How long an invocation waits for a process of its function; API Gateway itself waits for 29 s."""

RESERVED = 4 * 2**30
"""Bytes of address space that Python and its libraries reserve without using them."""

TRAINING = "createTrainingJob"
THROTTLED = "ConcurrentInvocationLimitExceeded"


def register() -> None:
    """Let tasks and invocations wait for places from now on; MiniStack must not be serving yet."""
    cores = os.cpu_count() or 1
    _bound_tasks(Places(_number(TASKS, cores + 1)), Places(_number(TRAININGS, max(2, cores // 2))))
    _bound_functions(_number(CALLS, max(4, 2 * cores)))
    if sys.platform == "linux":
        _bound_memory()


class Places:
    """A number of places that are taken in the order of arrival."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._free = number
        self._changed = threading.Condition()
        self._waiting: list[object] = []

    @contextmanager
    def one(self, seconds: float | None = None) -> Iterator[bool]:
        """Take a place, waiting for at most `seconds`, or as long as it takes; gives whether there was one."""
        taken = self._take(seconds)
        try:
            yield taken
        finally:
            if taken:
                self._give_back()

    def _take(self, seconds: float | None) -> bool:
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            taken = self._changed.wait_for(lambda: self._free > 0 and self._waiting[0] is ticket, seconds)
            self._waiting.remove(ticket)
            if taken:
                self._free -= 1
            self._changed.notify_all()
            return taken

    def _give_back(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify_all()


def _bound_tasks(tasks: Places, trainings: Places) -> None:
    engine: Any = importlib.import_module("ministack.services.stepfunctions")
    timed = engine._invoke_resource_with_timeout

    def waited(resource: str, request: Any, seconds: float) -> Any:
        with (trainings if TRAINING in resource else tasks).one():
            return timed(resource, request, seconds)

    engine._invoke_resource_with_timeout = waited


def _bound_functions(number: int) -> None:
    service: Any = importlib.import_module("ministack.services.lambda_svc")
    execute = service._execute_function_warm
    places: dict[str, Places] = {}
    lock = threading.Lock()

    def bounded(function: Any, event: Any, request_id: str) -> Any:
        config = function.get("config") or function
        with lock:
            own = places.setdefault(config.get("FunctionArn", ""), Places(number))
        with own.one(WAIT_SECONDS) as taken:
            if not taken:
                message = f"no process of {config.get('FunctionName')} was free for {WAIT_SECONDS:.0f} s"
                return service._throttle_response(reason_code=THROTTLED, msg=f"Rate Exceeded: {message}")
            return execute(function, event, request_id)

    service._execute_function_warm = bounded


def _bound_memory() -> None:
    """Bound the address space of each function's process by the function's memory, and what its libraries reserve."""
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    spawn = runtime.Worker._spawn

    def bounded(worker: Any) -> None:
        spawn(worker)
        size = RESERVED + int(worker.config.get("MemorySize", 128)) * 2**20
        resource.prlimit(worker._proc.pid, resource.RLIMIT_AS, (size, size))

    runtime.Worker._spawn = bounded


def _number(name: str, default: int) -> int:
    return max(1, int(os.environ.get(name, default)))
