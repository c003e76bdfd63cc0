"""A rollout by hand: every move is one write with who made it and why, and whatever ends it says so."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.api.live_pointer.handler import handle
from lambdas.common import pointer
from lambdas.common.runrows import RegistryFault
from tests.api.calls import Reply, proxy, read
from tests.steps.cloud import HANDLERS

if TYPE_CHECKING:
    from tests.steps.cloud import Cloud

ANNA = "arn:aws:iam::123456789012:user/anna"


def ask(method: str, resource: str, body: Any = None, **query: str) -> Reply:
    event = proxy(method, resource, {"model": "flowers"}) | {
        "body": json.dumps(body), "queryStringParameters": query,
        "requestContext": {"identity": {"userArn": ANNA}},
    }  # fmt: skip
    return read(handle(event, None), "Live" if resource.endswith("live") else "RolloutPage")


def act(move: str, **more: Any) -> Reply:
    return ask("PUT", "/models/{model}/rollout", {"move": move, **more})


def shown() -> Any:
    return ask("GET", "/models/{model}/rollout").body


@pytest.fixture
def flowers(cloud: Cloud) -> Cloud:
    """Version 1 is live, version 2 is approved, and its run is still running."""
    cloud.serve("regression", "flowers")
    waiting = cloud.claim("datasets/flowers/b.csv", b"more")["run"]
    answer = cloud.judged("regression", waiting)
    HANDLERS["register"]({"run": waiting, "model": "flowers", **answer}, None)
    return cloud


def ending(cloud: Cloud) -> tuple[str, str]:
    """How the run of version 2 ended."""
    version = cloud.registry.version("flowers", "2")
    assert version is not None
    row = cloud.registry.run(version.run)
    return row.status, row.reason


def test_a_rollout_goes_through_its_stages(flowers: Cloud) -> None:
    assert (shown()["candidate"], shown()["moves"]) == (None, [])
    begun = act("begin", version="2", unit="petals", because="try it").body["candidate"]
    assert (begun["stage"], begun["share"], begun["by"]) == ("shadow", 0.0, "petals")
    for share in (0.05, 0.5):
        page = act("advance", share=share).body
        assert page["version"] == "1"
        assert (page["candidate"]["stage"], page["candidate"]["share"]) == ("canary", share)
        assert page["candidate"]["salt"] == begun["salt"], "nobody switches back"
    assert act("pause").body["candidate"]["paused"] is True
    assert act("resume").body["candidate"]["paused"] is False
    assert ending(flowers) == ("running", "")
    page = act("promote", because="it is better").body
    assert (page["version"], page["candidate"]["version"], page["candidate"]["stage"]) == ("2", "1", "after")
    assert ending(flowers) == ("promoted", "")
    assert [(move["generation"], move["by"]) for move in page["moves"]] == [(at, ANNA) for at in range(7, 1, -1)]
    assert (page["moves"][0]["because"], page["moves"][-1]["because"]) == ("it is better", "try it")
    assert act("abort").body["candidate"] is None
    live = flowers.registry.live("flowers")
    assert live is not None and (live.version, live.previous) == ("2", "1")


def test_a_shadow_at_once_may_be_a_canary(flowers: Cloud) -> None:  # noqa: ARG001
    candidate = act("begin", version="2", share=0.25).body["candidate"]
    assert (candidate["stage"], candidate["share"]) == ("canary", 0.25)


@pytest.mark.parametrize("how", ["abort", "rollback", "remove", "serve"])
def test_what_ends_a_rollout_says_so_and_ends_the_run(flowers: Cloud, how: str) -> None:
    act("begin", version="2", share=0.25)
    if how == "abort":
        act("abort", because="no more")
    elif how == "remove":
        ask("DELETE", "/models/{model}/live", because="no more")
    else:
        version = {"rollback": "1", "serve": "2"}[how]
        assert ask("PUT", "/models/{model}/live", {"version": version, "because": "no more"}).status == 200
    last = flowers.registry.pointer("flowers")
    assert last is not None and last.candidate is None
    assert (last.by, last.generation, last.withdrawn) == (ANNA, 3, how == "remove")
    assert last.because.startswith("no more")
    if how == "serve":
        assert (last.version, last.because) == ("2", "no more")
        assert ending(flowers) == ("promoted", "")
    else:
        assert last.version == "1" and "the rollout of version 2" in last.because
        assert ending(flowers) == ("refused", last.because)


def test_a_rollback_after_a_rollout_goes_to_the_former_version(flowers: Cloud) -> None:
    act("begin", version="2")
    act("promote")
    ask("PUT", "/models/{model}/live", {"version": "1"})
    last = flowers.registry.pointer("flowers")
    assert last is not None and (last.version, last.previous, last.candidate) == ("1", "2", None)
    assert ending(flowers) == ("promoted", ""), "it had been promoted"


def test_a_later_promotion_ends_a_rollout_and_both_runs(flowers: Cloud) -> None:
    act("begin", version="2")
    flowers.serve("regression", "flowers", "datasets/flowers/c.csv", b"third")
    last = flowers.registry.pointer("flowers")
    assert last is not None and (last.version, last.candidate) == ("3", None)
    assert "it ended the rollout of version 2 in the stage 'shadow'" in last.because
    assert last.by == last.run
    assert ending(flowers)[0] == "refused"


@pytest.mark.parametrize(
    ("before", "move", "more", "status", "code"),
    [
        ([], "advance", {"share": 0.5}, 409, "no_rollout"),
        ([], "promote", {}, 409, "no_rollout"),
        ([], "pause", {}, 409, "no_rollout"),
        ([], "begin", {"version": "1"}, 409, "serves_already"),
        ([], "begin", {"version": "9"}, 404, "no_such_version"),
        ([], "begin", {"version": "2", "share": 1}, 400, "wrong_shape"),
        ([], "stop", {}, 400, "wrong_shape"),
        ([], "begin", {"version": "2", "shares": 0.5}, 400, "wrong_shape"),
        ([], "begin", {"version": "2", "because": "x" * 401}, 400, "wrong_shape"),
        (["begin"], "begin", {"version": "2", "share": 0.1}, 409, "rollout_under_way"),
        (["begin", "advance"], "advance", {"share": 0.05}, 400, "wrong_shape"),
        (["begin", "advance"], "advance", {"share": 1.0}, 400, "wrong_shape"),
        (["begin", "promote"], "advance", {"share": 0.5}, 409, "finished"),
    ],
)
def test_moves_that_cannot_be_made(
    flowers: Cloud, before: list[str], move: str, more: dict[str, Any], status: int, code: str
) -> None:
    for each in before:
        act(each, **{"begin": {"version": "2"}, "advance": {"share": 0.25}}.get(each, {}))
    generation = len(flowers.registry.history("flowers"))
    reply = act(move, **more)
    assert (reply.status, reply.code) == (status, code)
    assert len(flowers.registry.history("flowers")) == generation


def test_an_unknown_key_is_told_with_the_nearest(flowers: Cloud) -> None:  # noqa: ARG001
    message = act("begin", version="2", shares=0.5).body["error"]["message"]
    assert "'shares'" in message and "'share'" in message


@pytest.mark.parametrize("move", ["begin", "advance", "pause", "resume", "promote", "abort"])
def test_a_move_whose_answer_was_lost_is_made_once(flowers: Cloud, move: str) -> None:
    if move != "begin":
        act("begin", version="2")
    if move == "resume":
        act("pause")
    more: dict[str, Any] = {"begin": {"version": "2"}, "advance": {"share": 0.25}}.get(move, {})
    generation = len(flowers.registry.history("flowers"))
    lost = count(1)
    flowers.line.lose = lambda _operation, _count: next(lost) == 1
    with pytest.raises(ReadTimeoutError):
        act(move, **more)
    first, again = act(move, **more), act(move, **more)
    assert first.status == 200 and first.body == again.body
    assert first.body["generation"] == generation + 1 == len(flowers.registry.history("flowers"))


def test_a_hundred_promotions_at_once_have_one_winner_each_generation(flowers: Cloud) -> None:
    """Each of the hundred writes by the generation that it read; those that lose write nothing."""
    act("begin", version="2")
    before = flowers.registry.pointer("flowers")
    assert before is not None
    with ThreadPoolExecutor(16) as pool:
        won = list(
            pool.map(lambda at: pointer.move(before, pointer.finished(before, f"{at}"), flowers.registry), range(100))
        )
    assert won.count(True) == 1
    history = flowers.registry.history("flowers")
    assert [move.generation for move in history] == [3, 2, 1]
    assert history[0].by == str(won.index(True)) and history[0] == flowers.registry.pointer("flowers")


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("rounds", [4, pytest.param(67, marks=pytest.mark.long)])  # 67: of three moves each, 201 in all
def test_moves_killed_at_each_call_leave_the_old_or_the_new_version(flowers: Cloud, done: bool, rounds: int) -> None:
    """Promotions and rollbacks in turns, each killed at its first, second, … call, before or after the call is done."""
    kills = 0
    for _ in range(rounds):
        for move in ("begin", "promote", "rollback"):
            for call in range(1, 10):
                before = flowers.registry.pointer("flowers")
                try:
                    with flowers.line.failing(call, done):
                        made(move)
                    break
                except ReadTimeoutError:
                    kills += 1
                after = flowers.registry.pointer("flowers")
                assert before is not None and after is not None
                assert after.version in ("1", "2") and after.generation - before.generation in (0, 1)
    assert kills >= rounds * 3 * 3, "each move has three calls at least"
    history = flowers.registry.history("flowers")
    assert [move.generation for move in history] == list(range(len(history), 0, -1))
    assert all(new.previous in (old.version, old.previous) for new, old in pairwise(history))
    last = flowers.registry.pointer("flowers")
    assert last is not None and (last.version, last.candidate) == ("1", None) and last == history[0]


def made(move: str) -> None:
    """One move of a rollout and back."""
    if move == "rollback":
        ask("PUT", "/models/{model}/live", {"version": "1"})
    else:
        act(move, **({"version": "2"} if move == "begin" else {}))


def test_a_candidate_is_expected_where_a_rollout_is_moved(flowers: Cloud) -> None:
    live = flowers.registry.pointer("flowers")
    assert live is not None
    with pytest.raises(RegistryFault, match="expected a rollout under way, got none at move 1"):
        pointer.advanced(live, 0.5)
