"""Random executions of the rendered state machines: what drops, functions and SageMaker may give, and a walk over it.

The pools name states. A new state that does something needs an entry in `RESULTS`.
"""

from __future__ import annotations

import json
import random
import subprocess
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, get_args

from dropforge.contract import steps
from dropforge.contract.hops import Hop
from dropforge.contract.instances import PLACES, PRICES, Place
from dropforge.contract.names import RunFiles
from tests.infra.conftest import ROOT

if TYPE_CHECKING:
    from dropforge.contract.documents import Record

SEED, WALKS = 20261130, 1500
TEXTS = (
    "", "houses", "é ü 漢字 🏠", "it's \"quoted\" \\ and / back", "{% $run %}", "a\nb\tc", "$states", "`tick`",
    "x" * 500, "null", "true", "0",
)  # fmt: skip
ERRORS = [
    {"Error": "States.Timeout"},
    {"Error": "States.TaskFailed"},
    {
        "Error": "States.TaskFailed",
        "Cause": '{"FailureReason":"CapacityError: Unable to provision requested capacity"}',
    },
    {"Error": "States.TaskFailed", "Cause": '{"FailureReason":"AlgorithmError: it\'s the target"}'},
    {"Error": "SageMaker.ResourceLimitExceededException", "Cause": "The account-level service limit is 0 Instances"},
    {"Error": "SageMaker.AmazonSageMakerException", "Cause": "Member must satisfy enum value set: [ml.m5.xlarge]"},
    {"Error": "Lambda.TooManyRequestsException", "Cause": "Rate exceeded"},
    {"Error": "ValueError", "Cause": '{"errorMessage":"é {% \\"x\\" %}","errorType":"ValueError"}'},
    {"Error": "", "Cause": ""},
]
"""What a task may fail with: errors of states, of services and of functions, some without a cause."""


def walked(definition: dict[str, Any], *, batch: bool, seed: int = SEED, walks: int = WALKS) -> dict[str, Any]:
    """Walks the machine `walks` times; see `walk.mjs` for the answer."""
    chance = random.Random(seed)
    given = {
        "definition": definition,
        "inputs": [event(chance) for _ in range(50)],
        "results": {name: [result(chance) for _ in range(150)] for name, result in RESULTS.items()},
        "errors": ERRORS,
        "walks": walks // 3 if batch else walks,
        "seed": seed,
    }
    done = subprocess.run(
        ["node", str(ROOT / "tests" / "aws" / "walk.mjs")],
        cwd=ROOT, input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def event(chance: random.Random) -> dict[str, Any]:
    """An event of S3, as EventBridge sends it."""
    key = f"datasets/{model(chance)}/{chance.choice(TEXTS[1:])}.csv"
    size = chance.choice([0, 1, 2**21, 5 * 2**40])
    detail = {"bucket": {"name": "drop"}, "object": {"key": key, "size": size, "version-id": version(chance)}}
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


def model(chance: random.Random) -> str:
    return chance.choice(["houses", "0", "m" * 63])


def run(chance: random.Random) -> str:
    return f"run-{chance.randrange(16**16):016x}"


def version(chance: random.Random) -> str:
    return chance.choice(["3HL4kqtJvjVBH40Nrjfkd", "null", "1"])


def claimed(chance: random.Random) -> Record:
    return steps.Claimed(chance.choice(["claimed"] * 6 + ["duplicate", "ignored"]), run(chance), model(chance))


def inspected(chance: random.Random) -> Record:
    if chance.random() < 0.15:
        return steps.Inspected("rejected", chance.choice(TEXTS))
    files, bucket = RunFiles(run(chance)), "artifacts"
    return steps.Inspected(
        "accepted", chance.choice(TEXTS), "regression", chance.choice(TEXTS),
        *(f"s3://{bucket}/{uri}" for uri in (files.data, files.plan, files.training, files.checkpoints)),
        max_seconds=chance.choice([60, 900, 86_400]), places=places(chance), forecast=chance.random(),
    )  # fmt: skip


def places(chance: random.Random) -> tuple[Place, ...]:
    """The usual places, or any others."""
    return PLACES if chance.random() < 0.5 else tuple(chance.sample(every_place(), chance.randint(1, 4)))


def every_place() -> list[Place]:
    return [Place(name, spot=spot) for name in PRICES for spot in (True, False)]


def trained(chance: random.Random) -> dict[str, Any]:
    """The description of a job that ended well, in which some fields may be missing."""
    place = places(chance)[0]
    times = {name: chance.randrange(10**5) for name in ("BillableTimeInSeconds", "TrainingTimeInSeconds")}
    return {
        "TrainingJobName": f"dropforge-{run(chance)}-1-0",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://artifacts/runs/r/training/job/output/model"},
        "ResourceConfig": {"InstanceType": place.instance_type, "InstanceCount": 1},
        "Tags": [asdict(place)],
        **{name: seconds for name, seconds in times.items() if chance.random() < 0.7},
    }


def judged(chance: random.Random) -> Record:
    return steps.Judged(
        chance.choice(["approved", "approved", "refused"]), chance.choice(TEXTS), chance.choice(["", "1"])
    )


def rehearsed(chance: random.Random) -> Record:
    return steps.Rehearsed(chance.choice(["rehearsed", "rehearsed", "refused"]), chance.choice(TEXTS))


def promoted(chance: random.Random) -> Record:
    return steps.Promoted(chance.choice(["promoted", "rolling", "refused", "overtaken"]), chance.choice(TEXTS))


def planned(chance: random.Random) -> Record:
    return steps.Planned(
        chance.choice(["planned"] * 4 + ["rejected"]), chance.choice(TEXTS), chance.choice([1, 2, 1000])
    )


def function(record: Any) -> Any:
    """What `lambda:invoke` gives back of a function's record."""
    return lambda chance: {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": record(chance).to_json()}


def rerouted(chance: random.Random) -> Record:
    hops = tuple(Hop(place.instance_type, place.spot, "no_capacity", 1, 2, 3) for place in places(chance))
    return steps.Rerouted(
        chance.choice(["train", "train", "failed"]), chance.choice(every_place()), hops[: chance.randint(0, 4)],
        chance.choice([0, 1]), chance.choice([0, 600]),
    )  # fmt: skip


RESULTS = {
    "Claim": function(claimed),
    "Inspect": function(inspected),
    "Train": trained,
    "Reroute": function(rerouted),
    "Judge": function(judged),
    "Rehearse": function(rehearsed),
    "Register": function(lambda chance: steps.Registered(str(chance.randint(1, 999)))),
    "Promote": function(promoted),
    "Notify": function(lambda chance: steps.Notified(chance.choice(get_args(steps.Status)))),
    "Plan": function(planned),
    "Answer": function(lambda _chance: steps.AnswerInput("r", "m", 1)),
    "AnswerPiece": function(lambda _chance: steps.AnswerInput("r", "m", 1)),
    "Join": function(lambda _chance: steps.Joined(1, 0)),
}
"""What each state that does something gives back."""
