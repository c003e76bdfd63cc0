"""Executions of the real steps, with faults of AWS at any of their calls.

Inspect, Train and Rehearse are stood in for by the files that they leave; the other steps are the real ones. A step is
tried three times, as the state machine does; what fails after that is told by Notify, and what Notify cannot tell is
the reconciler's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from lambdas.upkeep.reconcile import handler
from tests.steps.cloud import HANDLERS, Cloud, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

Fault = Literal["refused", "throttled", "unreachable", "lost"]
"""An internal error, a throttle and no connection come before the call took effect; `lost` is its answer, after it."""
FAULTS: tuple[Fault, ...] = get_args(Fault)
ATTEMPTS = 3
LOOKS = 12
"""Looks of the reconciler after which a run that has not ended counts as stuck."""

Site = tuple[str, int]
"""A step, and which of its calls, from 1."""


def raised(fault: Fault, operation: str) -> Exception:
    """What boto3 raises for a fault, once its own attempts are over."""
    if fault == "lost":
        return ReadTimeoutError(endpoint_url="https://aws.example", error=f"the answer of {operation} was lost")
    if fault == "unreachable":
        return ConnectTimeoutError(endpoint_url="https://aws.example", error="no connection")
    code, status = ("InternalServerError", 500) if fault == "refused" else ("ThrottlingException", 400)
    error: Any = {"Error": {"Code": code, "Message": fault}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, operation)


@dataclass
class Chaos:
    """Executions in a cloud whose calls fail as `choose` says."""

    cloud: Cloud
    choose: Callable[[str, Site], Fault | None] = lambda _run, _site: None
    run: str = ""
    """The run of the execution that is carried out; empty for the reconciler."""
    step: str = ""
    count: int = 0
    sites: set[Site] = field(default_factory=set)
    """The calls that were seen."""
    faults: int = 0
    trained: dict[str, int] = field(default_factory=dict)
    """How many executions each run was carried through to its training by."""
    taken: set[str] = field(default_factory=set)
    """Executions that the reconciler started, and that were carried out."""

    def __post_init__(self) -> None:
        line: Any = self.cloud.line
        real = line.call

        def call(made: Any, client: Any, operation: str, arguments: Any) -> Any:
            if not self.step:
                return real(made, client, operation, arguments)
            self.count += 1
            self.sites.add((self.step, self.count))
            fault = self.choose(self.run, (self.step, self.count))
            self.faults += fault is not None
            if fault not in (None, "lost"):
                raise raised(fault, operation)
            answer = real(made, client, operation, arguments)
            if fault == "lost":
                raise raised(fault, operation)
            return answer

        line.call = call

    def attempt(self, step: str, work: Callable[[], Any]) -> Any:
        """A step, tried as often as the state machine does."""
        for left in reversed(range(ATTEMPTS)):
            self.step, self.count = step, 0
            try:
                return work()
            except (BotoCoreError, ClientError):
                if not left:
                    raise
            finally:
                self.step = ""
        return None

    def execute(self, name: str, given: dict[str, Any], way: Callable[[str, str], dict[str, Any]]) -> None:
        """One execution, from Claim to its end; `way` is what lies between Claim and Notify."""
        self.run = run_of(given)
        at, claimed = "Claim", {"run": "", "model": ""}
        try:
            try:
                answer = self.attempt("claim", lambda: HANDLERS["claim"]({**given, "execution": name}, None))
                if answer["outcome"] != "claimed":
                    return
                claimed = {"run": answer["run"], "model": answer["model"]}
                at = "Judge"
                self.trained[claimed["run"]] = self.trained.get(claimed["run"], 0) + 1
                told = {"execution": name, **claimed, **way(claimed["run"], claimed["model"])}
            except (BotoCoreError, ClientError) as fault:
                ended = {"execution": name, "status": "failed", "reason": "", "step": at}
                told = {**given, **claimed, **ended, "error": type(fault).__name__, "cause": str(fault)}
            self.attempt("notify", lambda: HANDLERS["notify"](told, None))
        except (BotoCoreError, ClientError):
            return
        finally:
            self.cloud.line.ended.add(name)
            self.run = ""

    def whole_way(self, run: str, model: str) -> dict[str, Any]:
        """Trains by a stand-in, then judges, registers and promotes."""
        job = {"job": "job", "instance_type": "ml.m5.xlarge", "billable_seconds": 90}
        uri = self.cloud.train("regression", model, run)
        given = {"run": run, "model": model, "artifacts_uri": uri, **job}
        judged = self.attempt("judge", lambda: HANDLERS["judge"](given, None))
        put = {"run": run, "model": model}
        version = self.attempt("register", lambda: HANDLERS["register"]({**put, **judged}, None))["version"]
        promoted = self.attempt("promote", lambda: HANDLERS["promote"]({**put, "version": version}, None))
        return {"status": promoted["outcome"], "reason": ""}

    def short_way(self, run: str, model: str) -> dict[str, Any]:  # noqa: ARG002
        """Ends the run where Promote would, without training, judging and registering."""
        self.attempt("promote", lambda: self.cloud.registry.end(run, "promoted", ""))
        return {"status": "promoted", "reason": ""}

    def look(self, way: Callable[[str, str], dict[str, Any]]) -> bool:
        """A look of the reconciler, and the executions that it starts; whether it found nothing to do."""
        try:
            found = self.attempt("reconcile", lambda: handler.handle({"detail-type": "Scheduled Event"}, None))
        except (BotoCoreError, ClientError):
            return False
        for name in sorted(set(self.cloud.line.started) - self.taken):
            self.taken.add(name)
            detail = self.cloud.line.started[name]["detail"]
            dropped = detail["object"]
            given = {"bucket": detail["bucket"]["name"], "key": dropped["key"], "version": dropped["version-id"]}
            self.execute(name, {**given, "size": dropped["size"]}, way)
        return found["ended"] + found["started"] + found["given_up"] == 0

    def has_ended(self, given: dict[str, Any]) -> bool:
        """Whether the run of a drop has a row with an end that its owner sees."""
        row = self.cloud.registry.find_run(run_of(given))
        return row is not None and row.status != "running"

    def settle(self, given: list[dict[str, Any]], way: Callable[[str, str], dict[str, Any]]) -> int:
        """Lets the reconciler look until it finds nothing to do; how many runs are stuck then."""
        for _look in range(LOOKS):
            if self.look(way) and all(self.has_ended(each) for each in given):
                break
        return sum(not self.has_ended(each) for each in given)


def let_time_pass(patch: pytest.MonkeyPatch) -> None:
    """Each look of the reconciler is a quarter of an hour after the one before."""
    passed = iter(range(1, 10**9))

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:  # noqa: ARG003
            return datetime.now(UTC) + timedelta(minutes=15 * next(passed))

    patch.setattr(handler, "datetime", Later)
