"""A rollout on its way: begun by Promote, looked at by Weigh, moved by what was captured, and ended with its run."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.contract import names
from dropforge.contract.captures import Captured, Paired
from dropforge.contract.rollouts import RolloutState, RolloutWish
from dropforge.contract.settings import WeighSettings
from dropforge.contract.spec import Spec
from dropforge.contract.steps import WeighInput
from lambdas.common.rollouts import name_of
from lambdas.rollout.weigh.handler import weigh
from lambdas.upkeep.reconcile.handler import handle as reconcile
from tests.steps.cloud import HANDLERS, Cloud

if TYPE_CHECKING:
    from dropforge.contract.models import Candidate
    from dropforge.contract.registry import LiveRow
    from dropforge.contract.steps import Weighed

WISH = {"mode": "shadow", "requests": 20, "minutes": 1.0, "after": 1.0}


class Trial:
    """A live version 1, and a version 2 that Promote has put on trial."""

    def __init__(self, cloud: Cloud, **wish: Any) -> None:
        self.cloud = cloud
        spec = Spec(rollout=RolloutWish(**{**WISH, **wish}))
        self.runs = [registered(cloud, "a"), registered(cloud, "b", spec)]
        promote(self.runs[0], "1", "")
        self.answer = promote(self.runs[1], "2", "1")
        self.captured = 0

    @property
    def live(self) -> LiveRow:
        row = self.cloud.registry.pointer("flowers")
        assert row is not None
        return row

    @property
    def candidate(self) -> Candidate:
        assert self.live.candidate is not None
        return self.live.candidate

    def capture(self, count: int, *, failure: str = "", same: bool = True) -> None:
        """Requests that version 1 answered, with what version 2 did beside it."""
        live, now = self.live, datetime.now(UTC)
        pair = Paired(self.candidate.version, failure, 0.4, repeated=bool(failure))
        if not failure:
            pair = Paired(self.candidate.version, "", 0.4, 0.0 if same else 9.0, same, 1.0)
        lines = []
        for _ in range(count):
            self.captured += 1
            record = Captured(
                now.isoformat(timespec="milliseconds"), "flowers", live.version, "0" * 16, self.captured,
                f"p-{self.captured}", "ann", {"x0": float(self.captured)}, 1.0, milliseconds=0.4,
                stage=self.candidate.stage, paired=pair,
            )  # fmt: skip
            lines.append(json.dumps(record.to_json()))
        hour = now.strftime("%Y-%m-%d-%H")
        span = f"{self.captured - count + 1:010d}-{self.captured:010d}"
        key = f"{names.CAPTURES}flowers/{live.version}/{hour}/{'0' * 16}-{span}.jsonl.gz"
        self.cloud.s3.put_object(Bucket="artifacts", Key=key, Body=gzip.compress("\n".join(lines).encode()))

    def prove_a_failure(self) -> None:
        """Evidence of a failure that repeats, as a look would have left it."""
        state = self.state()
        proven = replace(state, evidence=replace(state.evidence, proof="version 2 fails each time"))
        key = names.RunFiles(self.runs[1]).key(names.ROLLOUT_FILE)
        self.cloud.s3.put_object(Bucket="artifacts", Key=key, Body=json.dumps(proven.to_json()).encode())

    def look(self, hours: float = 0.0) -> Weighed:
        """A look at the rollout, so many hours from now."""
        settings = WeighSettings("registry", "artifacts", aws_topic())
        return weigh(WeighInput("flowers", self.candidate.salt), settings, datetime.now(UTC) + timedelta(hours=hours))

    def state(self) -> RolloutState:
        return RolloutState.from_json(json.loads(self.cloud.file(self.runs[1], names.ROLLOUT_FILE)))

    def waits_for(self) -> str:
        decision = self.state().decision
        assert decision is not None
        return decision.waits_for


def told(cloud: Cloud) -> str:
    """The last message."""
    return str(cloud.messages()[-1]["Message"])


def aws_topic() -> str:
    return "arn:aws:sns:us-east-1:123456789012:topic"


def registered(cloud: Cloud, name: str, spec: Spec | None = None) -> str:
    run: str = cloud.claim(f"datasets/flowers/{name}.csv", name.encode())["run"]
    answer = cloud.judged("regression", run, spec=spec or Spec())
    HANDLERS["register"]({"run": run, "model": "flowers", **answer}, None)
    return run


def promote(run: str, version: str, champion: str) -> dict[str, Any]:
    given = {"run": run, "model": "flowers", "version": version, "champion": champion}
    answer: dict[str, Any] = HANDLERS["promote"](given, None)
    return answer


def test_promote_begins_the_rollout_that_the_owner_wishes(cloud: Cloud) -> None:
    trial = Trial(cloud)
    assert trial.answer == {"outcome": "rolling", "reason": ""}
    assert (trial.live.version, trial.candidate.version, trial.candidate.stage) == ("1", "2", "shadow")
    run = cloud.registry.run(trial.runs[1])
    assert (run.status, run.step, run.execution) == ("running", "Rollout", f"{name_of('flowers', trial.candidate)}-1")
    assert cloud.line.started[run.execution]["salt"] == trial.candidate.salt
    assert promote(trial.runs[1], "2", "1")["outcome"] == "rolling" and trial.live.generation == 2


def test_a_canary_begins_with_its_first_share(cloud: Cloud) -> None:
    trial = Trial(cloud, mode="canary", shares=(0.25, 1.0), by="x0")
    assert (trial.candidate.stage, trial.candidate.share, trial.candidate.by) == ("canary", 0.25, "x0")


@pytest.mark.parametrize("mode", ["auto", "at-once"])
def test_without_a_wish_a_version_takes_all_traffic_at_once(cloud: Cloud, mode: str) -> None:
    trial = Trial(cloud, mode=mode)
    assert trial.answer["outcome"] == "promoted" and trial.live.version == "2" and trial.live.candidate is None


def test_a_quiet_shadow_takes_over_and_its_run_is_promoted(cloud: Cloud) -> None:
    trial = Trial(cloud)
    assert trial.look(0.1).outcome == "waits" and "20" in trial.waits_for()
    trial.capture(30)
    assert trial.look(0.005).outcome == "waits" and "minutes" in trial.waits_for()
    assert trial.state().evidence.compared == 30
    assert trial.look(0.1).outcome == "waits"
    assert trial.state().evidence.compared == 30, "no captured object is added twice"
    assert (trial.live.version, trial.candidate.stage, trial.candidate.version) == ("2", "after", "1")
    assert cloud.registry.run(trial.runs[1]).status == "promoted"
    assert trial.live.by == "rollout" and "nothing speaks against version 2" in trial.live.because
    assert "answers everybody from now on" in told(cloud)
    page = cloud.file(trial.runs[1], names.ROLLOUT_PAGE).decode()
    assert "version 2 in place of version 1" in page
    assert trial.look(0.5).outcome == "waits"
    assert trial.look(2).outcome == "ended" and trial.live.candidate is None and trial.live.version == "2"


def test_a_candidate_that_fails_is_refused_and_its_run_with_it(cloud: Cloud) -> None:
    trial = Trial(cloud)
    trial.capture(1, failure="out_of_range")
    assert trial.look().outcome == "ended" and trial.live.candidate is None and trial.live.version == "1"
    run = cloud.registry.run(trial.runs[1])
    assert run.status == "refused" and "'out_of_range'" in run.reason and "p-1" in run.reason
    assert "is refused" in told(cloud)


def test_a_version_that_turns_out_bad_afterwards_is_rolled_back(cloud: Cloud) -> None:
    trial = Trial(cloud)
    trial.capture(30)
    trial.look(0.1)
    assert trial.live.version == "2"
    trial.prove_a_failure()
    assert trial.look().outcome == "ended"
    assert (trial.live.version, trial.live.candidate) == ("1", None) and "fails each time" in trial.live.because
    assert "rolled back" in told(cloud)


def test_a_look_at_a_rollout_that_is_over_changes_nothing(cloud: Cloud) -> None:
    trial = Trial(cloud)
    settings, generation = WeighSettings("registry", "artifacts", aws_topic()), trial.live.generation
    for given in (WeighInput("flowers", "another"), WeighInput("nobody", trial.candidate.salt)):
        assert weigh(given, settings, datetime.now(UTC)).outcome == "ended"
    assert trial.live.generation == generation


def test_the_reconciler_has_a_rollout_looked_at_that_nobody_looks_at(cloud: Cloud) -> None:
    trial = Trial(cloud)
    count = len(cloud.line.started)
    reconcile({}, None)
    assert len(cloud.line.started) == count, "one execution runs"
    cloud.line.ended.add(f"{name_of('flowers', trial.candidate)}-1")
    reconcile({}, None)
    assert len(cloud.line.started) == count + 1
    assert cloud.registry.run(trial.runs[1]).status == "running", "the rollout ends it"


def test_a_later_data_set_ends_the_rollout_of_an_earlier_one(cloud: Cloud) -> None:
    trial = Trial(cloud)
    later = registered(cloud, "c")
    assert promote(later, "3", "1")["outcome"] == "promoted" and trial.live.version == "3"
    run = cloud.registry.run(trial.runs[1])
    assert run.status == "refused" and "it ended the rollout of version 2" in run.reason
    assert trial.live.candidate is None
