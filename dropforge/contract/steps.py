"""What each state is given and gives back: pointers and verdicts, never payloads; outcomes are data.

Every state's input holds `run` and `model`, so that a log line, a metric and an error always name them.
"""

from __future__ import annotations

from typing import Literal

from dropforge.contract.documents import Record
from dropforge.contract.hops import Hop
from dropforge.contract.instances import Place
from dropforge.contract.tasks import Task

Status = Literal["running", "promoted", "predicted", "refused", "rejected", "duplicate", "failed"]
"""Where a run stands. A duplicate trained nothing: its row names the run that has the data already. A batch ends as
`predicted`, even if some of its rows could not be."""

KEPT_NOTHING = ("failed", "rejected")
"""How runs end that registered no version, so that the same data may be dropped again."""

ShownStatus = Literal[Status, "unknown"]
"""Where a run stands, as a client shows it. `unknown` is a status of a newer Dropforge than the client; it is never
stored."""

STEPS = ("Claim", "Inspect", "Train", "Judge", "Register", "Rehearse", "Promote", "Notify")
"""The states that do something, in the order of the way."""

ASIDE = ("Reroute",)
"""States that do something beside the way: where a run goes on whose training job failed."""

BATCH_STEPS = ("Claim", "Plan", "Answer", "Join", "Notify")
"""The same of a batch."""


class ClaimInput(Record):
    """The object that S3 told of, and the execution that wants it."""

    bucket: str
    key: str
    version: str
    size: int
    execution: str
    sequencer: str = ""
    """S3's sequencer of the event; empty if it had none."""


class Claimed(Record):
    """`claimed`: this execution owns the data. `duplicate`: `run` has it already. `ignored`: no data set at all."""

    outcome: Literal["claimed", "duplicate", "ignored"]
    run: str
    model: str


class InspectInput(Record):
    """The claimed run; what it was given lies in its registry row."""

    run: str
    model: str


class Inspected(Record):
    """`accepted`: a plan is written and the data copied. `rejected`: the object is in quarantine, `reason` says why."""

    outcome: Literal["accepted", "rejected"]
    reason: str
    task: Task | None = None
    target: str | None = None
    data_uri: str = ""
    """S3 prefix of the data channel."""
    plan_uri: str = ""
    """S3 prefix of the plan channel."""
    output_uri: str = ""
    """S3 prefix that the training job writes its output under."""
    checkpoint_uri: str = ""
    max_seconds: int = 0
    """The training job's time limit."""
    places: tuple[Place, ...] = ()
    forecast: float = 0.0
    """US dollars, upper bound, at the first place."""


class RerouteInput(Record):
    """The training job that failed, and what happened to the run's jobs before."""

    run: str
    model: str
    places: tuple[Place, ...]
    """All places of the run, in order."""
    place: Place
    """The one where the job failed."""
    error: str
    cause: str
    hops: tuple[Hop, ...] = ()
    round: int = 0
    """How often all places were tried already."""


class Rerouted(Record):
    """`train`: the run goes on at `place`, after `wait` seconds. `failed`: nowhere."""

    outcome: Literal["train", "failed"]
    place: Place
    hops: tuple[Hop, ...]
    round: int
    wait: int = 0
    """Seconds."""


class JudgeInput(Record):
    """The training job that ended well."""

    run: str
    model: str
    job: str
    """Name of the training job."""
    artifacts_uri: str
    """`ModelArtifacts.S3ModelArtifacts`: the prefix of the uncompressed model files."""
    instance_type: str
    billable_seconds: int


class Judged(Record):
    """The verdict's outcome; its reasons and scores lie in the run's `verdict.json`."""

    outcome: Literal["approved", "refused"]
    reason: str
    champion: str = ""
    """The version that served when this was judged; empty where none did."""


class RegisterInput(Record):
    """The judged run."""

    run: str
    model: str
    outcome: Literal["approved", "refused"]
    reason: str


class Registered(Record):
    """The immutable version that the run became."""

    version: str


class RehearseInput(Record):
    """The approved version."""

    run: str
    model: str
    version: str


class Rehearsed(Record):
    """`rehearsed`: nothing speaks against the version. `refused`: `reason` says which row and which figure does."""

    outcome: Literal["rehearsed", "refused"]
    reason: str


class PromoteInput(Record):
    """The approved version."""

    run: str
    model: str
    version: str
    champion: str | None = None
    """The version that served when this one was judged; empty where none did, None where nobody knows."""


class Promoted(Record):
    """`promoted`: LIVE points to the version. `rolling`: it is on trial beside the live version, and the rollout ends
    the run. `refused`: a later run was promoted in the meantime. `overtaken`: another version than the one that this
    was judged against serves by now, so it is judged anew."""

    outcome: Literal["promoted", "rolling", "refused", "overtaken"]
    reason: str


ROLLOUT = "Rollout"
"""The step of a run whose version is on trial: its own execution has ended, and that of the rollout goes on."""


class WeighInput(Record):
    """The rollout to look at."""

    model: str
    salt: str
    """Of its candidate, which no other rollout has."""


class Weighed(Record):
    """`waits`: the rollout is to be looked at again in so many seconds. `ended`: it is over."""

    outcome: Literal["waits", "ended"]
    wait: int


class NotifyInput(Record):
    """How an execution ended; `error` and `cause` are what the failed state left, empty otherwise.

    `run` is empty if Claim failed; the object then says which run it was to be.
    """

    execution: str
    run: str
    model: str
    status: Status
    reason: str
    step: str = ""
    """The state that failed."""
    error: str = ""
    cause: str = ""
    bucket: str = ""
    key: str = ""
    version: str = ""
    """The object's version."""
    size: int = 0


class Notified(Record):
    """How the run ended, by its row: an execution that failed after its model was promoted has promoted it."""

    status: Status


class PlanInput(Record):
    """The claimed batch; what it was given lies in its registry row."""

    run: str
    model: str


class Planned(Record):
    """`planned`: the pieces 1 to `pieces` are to be answered. `rejected`: none can be, `reason` says why."""

    outcome: Literal["planned", "rejected"]
    reason: str
    pieces: int = 0


class AnswerInput(Record):
    """One piece of a planned batch, counted from 1."""

    run: str
    model: str
    piece: int


class JoinInput(Record):
    """The batch, all of whose pieces are answered."""

    run: str
    model: str


class Joined(Record):
    """The predictions are whole."""

    predicted: int
    failed: int


class Reconciled(Record):
    """What a look of the reconciler came to."""

    ended: int
    """Runs that were ended, because their executions had."""
    started: int
    """Drops that were started, because they had no run or their Claim had failed."""
    given_up: int
    """Drops that were started in vain before, and are failed runs now."""
