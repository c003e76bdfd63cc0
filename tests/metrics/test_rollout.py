"""The evidence of a rollout, and what a look at it decides."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dropforge.contract.captures import Captured, Paired
from dropforge.contract.models import Candidate
from dropforge.contract.rollouts import Disagreement, Evidence, RolloutWish
from dropforge.metrics.decision import decide, objection, said
from dropforge.metrics.evidence import MOST_POINTS, MOST_ROWS, begun, fold, fold_losses, logarithms
from dropforge.metrics.phases import units
from dropforge.metrics.sketches import median

START = datetime(2026, 12, 1, tzinfo=UTC)
WISH = RolloutWish()
SHADOW = Candidate("2", "run-2", "artifact", "0", "shadow", 0.0, "salt", START.isoformat(timespec="microseconds"))
CANARY = replace(SHADOW, stage="canary", share=0.25)
AFTER = replace(SHADOW, version="1", stage="after")
FRESH = begun("flowers", "2", "1", WISH, Disagreement(0.02, 2000))


def record(at: int = 0, *, pair: dict[str, Any] | None = None, **fields: Any) -> Captured:
    """A record of a row that both versions answered alike, where `fields` and `pair` say nothing else."""
    answer = "a" if at % 2 else "b"
    paired: dict[str, Any] = {
        "version": "2",
        "milliseconds": 1.0,
        "same": True,
        "prediction": answer,
        "difference": 0.1,
    }
    whole: dict[str, Any] = {
        "time": (START + timedelta(seconds=at)).isoformat(timespec="milliseconds"),
        "model": "flowers", "version": "1", "sandbox": "s", "sequence": at + 1, "id": f"p-{at}", "unit": f"u{at % 7}",
        "inputs": {"x": at}, "prediction": answer, "milliseconds": 1.0, "stage": "shadow",
        "paired": Paired(**{**paired, **(pair or {})}),
    }  # fmt: skip
    return Captured(**{**whole, **fields})


def failed(at: int, **fields: Any) -> Captured:
    """A record of a row that the candidate alone failed on."""
    return record(
        at, pair={"failure": "no_healthy_model", "same": None, "difference": None, "prediction": None, **fields}
    )


def champion_failed(at: int) -> Captured:
    """A record of a row that the champion alone failed on."""
    return record(at, code="no_healthy_model", prediction=None, inputs=None, id="")


def after(hours: float) -> datetime:
    """So many hours after the stage began."""
    return START + timedelta(hours=hours)


RECORDS = [
    failed(at) if at % 50 == 9 else champion_failed(at) if at % 50 == 31 else record(at, rows=1 + at % 3,
    pair={"milliseconds": 0.5 + at % 4, "same": at % 40 > 0})
    for at in range(300)
]  # fmt: skip


def test_looking_after_every_record_is_looking_once() -> None:
    once = fold(FRESH, RECORDS, SHADOW)
    often = FRESH
    for each in RECORDS:
        often = Evidence.from_json(json.loads(json.dumps(fold(often, [each], SHADOW).to_json())))
    assert replace(often, history=()) == replace(once, history=())
    assert logarithms(often.streams) == logarithms(once.streams) and often.logarithm == once.logarithm
    assert len(once.history) == 1 and MOST_POINTS / 2 < len(often.history) <= MOST_POINTS
    assert often.history[-1] == once.history[-1]
    assert [point.requests for point in often.history] == sorted(point.requests for point in often.history)


def test_the_document_stays_small() -> None:
    evidence = FRESH
    for part in range(300):
        evidence = fold(evidence, [record(part * 20 + at, unit=f"u{part * 20 + at}") for at in range(20)], SHADOW)
    assert len(json.dumps(evidence.to_json())) < 64 * 1024
    assert len(evidence.rows) == MOST_ROWS and 4800 < units(evidence.phases[0]) < 7200


def test_every_stream_counts_what_it_says() -> None:
    evidence = fold(FRESH, [
        record(0), record(1, pair={"milliseconds": 1.6}), record(2, pair={"same": False, "prediction": "a"}),
        failed(3), champion_failed(4), record(4, inputs={"x": 2}, pair={"same": False}),
    ], SHADOW)  # fmt: skip
    counted = {name: (tally.hits, tally.trials) for name, tally in evidence.streams.items()}
    assert counted == {"failures": (1, 2), "latency": (1, 4), "outputs": (1, 3), "constant": (1, 2), "losses": (0, 0)}
    assert evidence.failures.candidate == evidence.failures.champion == 1
    assert evidence.phases[0].compared == 6 and evidence.phases[0].requests.champion == 5
    assert units(evidence.phases[0]) == 5 and units(evidence.phases[0], "2") == 0
    assert median(evidence.milliseconds["1"]) == pytest.approx(1, rel=0.05)


def test_a_request_of_many_rows_weighs_as_one() -> None:
    rows = [record(at, rows=1000, pair={"same": False}) for at in range(1000)]
    evidence = fold(FRESH, rows, SHADOW)
    assert evidence.phases[0].compared == pytest.approx(1) and evidence.streams["latency"].trials == pytest.approx(1)
    assert evidence.streams["outputs"].hits == pytest.approx(1) and not objection(evidence)


def test_it_is_known_who_is_on_trial_in_every_stage() -> None:
    by_candidate = {"version": "2", "arm": "candidate", "stage": "canary"}
    slow = {"version": "1", "milliseconds": 1.0}
    evidence = fold(FRESH, [record(at, **by_candidate, milliseconds=2.0, pair=slow) for at in range(60)], CANARY)
    assert evidence.phases[0].requests.candidate == 60 and evidence.streams["latency"].hits == 60
    assert decide(evidence, WISH, CANARY, after(1)).move == "refuse"
    live = [record(at, version="2", stage="after", pair=slow, milliseconds=2.0) for at in range(60)]
    assert "2 times in the median" in decide(fold(FRESH, live, AFTER), WISH, AFTER, after(1)).reason


def test_records_of_others_change_nothing() -> None:
    others = [record(0, model="other"), record(0, version="3"), record(0, pair={"version": "3"})]
    assert fold(FRESH, others, SHADOW) == replace(FRESH, phases=fold(FRESH, [], SHADOW).phases)


def test_a_failure_that_repeats_refuses_at_its_first_occurrence() -> None:
    decision = decide(fold(FRESH, [record(0), failed(1, repeated=True)], SHADOW), WISH, SHADOW, after(0.01))
    assert decision.move == "refuse" and "p-1" in decision.reason and "'no_healthy_model'" in decision.reason
    once = fold(FRESH, [record(0), failed(1)], SHADOW)
    assert decide(once, WISH, SHADOW, after(0.01)).move == "wait"


def test_after_all_traffic_one_failure_is_no_reason_to_go_back_and_many_are() -> None:
    live = {"version": "2", "code": "no_healthy_model", "prediction": None, "stage": "after"}
    records = [record(at, **live, pair={"version": "1"}) for at in range(40)]
    assert decide(fold(FRESH, records[:1], AFTER), WISH, AFTER, after(1)).move == "wait"
    decision = decide(fold(FRESH, records, AFTER), WISH, AFTER, after(1))
    assert decision.move == "refuse" and "version 2 alone failed in 100 % of the 40 requests" in decision.reason
    replayed = record(1, stage="after", pair={"version": "2", "failure": "no_healthy_model", "repeated": True})
    assert decide(fold(FRESH, [replayed], AFTER), WISH, AFTER, after(1)).move == "refuse"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"milliseconds": 2.1}, "more than 1.5 times as long as version 1 in 100 % of 100 requests, 2.1"),
        (
            {"same": False},
            "version 2 answers otherwise than version 1 on 100 % of 100 requests; expected at most 3.81 %",
        ),
        ({"prediction": "a"}, "version 2 gave the same answer again in 100 % of 99 requests"),
    ],
)
def test_what_is_wrong_refuses_and_is_named_with_its_limit(wrong: dict[str, Any], words: str) -> None:
    evidence = fold(FRESH, [record(at, pair=wrong) for at in range(100)], SHADOW)
    decision = decide(evidence, WISH, SHADOW, after(0.1))
    assert (decision.move, decision.stage) == ("refuse", "shadow")
    assert words in decision.reason and "where 100 refuses" in decision.reason


def test_numbers_differ_by_what_the_holdout_showed() -> None:
    numbers = begun("flowers", "2", "1", WISH, Disagreement(0.05, 2000, beyond=0.5))
    near = [record(at, pair={"difference": 0.4, "same": False}) for at in range(100)]
    assert not objection(fold(numbers, near, SHADOW))
    far = fold(numbers, [record(at, pair={"difference": 0.6, "same": False}) for at in range(100)], SHADOW)
    assert "version 2 answers more than 0.5 away from version 1 on 100 %" in objection(far)


def test_outputs_are_tested_by_the_wish_before_the_holdout_and_by_nothing_without_both() -> None:
    other = [record(at, pair={"same": False}) for at in range(100)]
    assert not objection(fold(begun("flowers", "2", "1", WISH), other, SHADOW))
    wished = begun("flowers", "2", "1", RolloutWish(differs=0.5), Disagreement(0.0, 2000))
    assert "expected at most 50 %" in objection(fold(wished, other, SHADOW))
    strict = fold(begun("flowers", "2", "1", RolloutWish(differs=0.0)), other[:1], SHADOW)
    assert "on 100 % of 1 request;" in objection(strict)


def test_labels_that_come_show_a_larger_loss() -> None:
    assert "further from the true labels" in objection(fold_losses(FRESH, [(1.0, 0.0)] * 20))
    assert not objection(fold_losses(FRESH, [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)] * 200))
    assert said(fold_losses(FRESH, [(3.0, 1.0)]), "losses").endswith("0.5 over 1 request; expected at most 0")


def test_no_data_means_wait() -> None:
    for hours in (1, 100):
        decision = decide(fold(FRESH, [], SHADOW), WISH, SHADOW, after(hours))
        assert (decision.move, decision.stage) == ("wait", "shadow") and "50 requests more" in decision.waits_for


def test_a_stage_is_left_after_enough_requests_and_the_least_time() -> None:
    many = fold(FRESH, [record(at) for at in range(2000)], SHADOW)
    soon = decide(many, WISH, SHADOW, after(0.1))
    assert soon.move == "wait" and soon.waits_for == "4 more minutes of at least 10"
    decision = decide(many, WISH, SHADOW, after(0.2))
    assert (decision.move, decision.stage, decision.share) == ("advance", "canary", 0.25), "7 units: none at 5 %"
    assert "e-value" in decision.reason and "2000 requests in 0.2 hours" in decision.reason


def test_patience_ends_and_a_candidate_that_never_ran_does_not_go_on() -> None:
    few = fold(FRESH, [record(at) for at in range(20)], SHADOW)
    assert decide(few, WISH, SHADOW, after(23)).move == "wait"
    assert decide(few, WISH, SHADOW, after(24)).move == "advance"
    alone = fold(FRESH, [record(at, paired=None) for at in range(20)], SHADOW)
    assert decide(alone, WISH, SHADOW, after(100)).move == "wait"


def test_ten_requests_an_hour_go_from_shadow_to_half_to_all() -> None:
    evidence = fold(FRESH, [record(at * 360, unit=f"u{at}") for at in range(50)], SHADOW)
    decision = decide(evidence, WISH, SHADOW, after(5))
    assert (decision.move, decision.stage, decision.share) == ("advance", "canary", 0.5)
    half = replace(SHADOW, stage="canary", share=0.5, since=after(5).isoformat(timespec="microseconds"))
    answered = {"version": "2", "arm": "candidate", "stage": "canary", "pair": {"version": "1"}}
    evidence = fold(evidence, [record(at * 360, **answered) for at in range(51, 110)], half)
    decision = decide(evidence, WISH, half, after(15))
    assert (decision.move, decision.stage, decision.share) == ("advance", "after", 0.0)


def test_a_canary_that_nobody_falls_into_goes_on_after_the_patience() -> None:
    evidence = fold(FRESH, [record(at, unit="one", stage="canary", paired=None) for at in range(80)], CANARY)
    assert decide(evidence, WISH, CANARY, after(1)).move == "wait"
    assert decide(evidence, WISH, CANARY, after(24)).share == 0.5


def test_records_count_for_the_stage_in_which_they_were_made() -> None:
    later = replace(CANARY, since=after(1).isoformat(timespec="microseconds"))
    evidence = fold(fold(FRESH, [record(0)], SHADOW), [record(1), record(3600), record(3601)], later)
    assert [phase.compared for phase in evidence.phases] == [2, 2]


@pytest.mark.parametrize(("mode", "stage"), [("shadow", "after"), ("canary", "canary"), ("auto", "canary")])
def test_the_mode_says_what_follows_the_shadow(mode: Any, stage: str) -> None:
    many = fold(FRESH, [record(at) for at in range(100)], SHADOW)
    assert decide(many, RolloutWish(mode=mode), SHADOW, after(1)).stage == stage


def test_a_person_is_waited_for() -> None:
    many = fold(FRESH, [record(at) for at in range(100)], SHADOW)
    assert "promote" in decide(many, RolloutWish(mode="manual"), SHADOW, after(100)).waits_for
    paused = replace(SHADOW, paused=True)
    assert "paused" in decide(fold(many, [], paused), WISH, paused, after(100)).waits_for
    resting = replace(AFTER, paused=True)
    assert "paused" in decide(many, WISH, resting, after(100)).waits_for


def test_the_former_version_shadows_for_its_time() -> None:
    waits = decide(FRESH, WISH, AFTER, after(20))
    assert waits.move == "wait" and waits.waits_for == "4 more hours with the former version beside it"
    assert decide(FRESH, WISH, AFTER, after(24)).move == "finish"
