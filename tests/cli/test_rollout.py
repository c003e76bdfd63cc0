"""`rollout` and the commands that move it: what each asks of the API, and what it shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.cli import rollout
from dropforge.contract.api import RolloutPage
from dropforge.contract.models import Candidate, LiveRow

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.client.server import ApiServer

PATH = "/api/models/houses/rollout"
SINCE = "2026-11-30T10:00:00+00:00"


def page(stage: Any = "canary", share: float = 0.25, *, paused: bool = False, live: str = "1") -> dict[str, Any]:
    """The page of a rollout with one move."""
    other = "1" if live == "2" else "2"
    candidate = Candidate(other, "run-b", "b", "b", stage, share, "salt", SINCE, paused=paused)
    move = LiveRow(
        "houses", live, "run-a", "a", "a", 2, SINCE, candidate=candidate, by="arn:aws:iam::1:user/anna", because="try"
    )
    return RolloutPage("houses", live, 2, candidate, (move,)).to_json()


NONE = RolloutPage("houses", "1", 3, None, ()).to_json()


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (("rollout", "houses", "--begin", "2", "--share", "0.05", "--unit", "id", "--because", "try"),
         {"move": "begin", "version": "2", "share": 0.05, "unit": "id", "because": "try"}),
        (("advance", "houses", "--share", "0.5"), {"move": "advance", "share": 0.5}),
        (("promote", "houses", "--because", "quiet"), {"move": "promote", "because": "quiet"}),
        (("pause", "houses"), {"move": "pause"}),
        (("resume", "houses"), {"move": "resume"}),
        (("abort", "houses"), {"move": "abort"}),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_command_asks_for_its_move_and_shows_the_rollout(
    run: Run, api: ApiServer, call: tuple[str, ...], body: dict[str, Any]
) -> None:
    api.say(f"PUT {PATH}", page())
    ran = run(*call)
    assert ran.code == 0 and "version 2 answers 25 % of the callers" in ran.out
    assert "user/anna" in ran.out and "try" in ran.out
    nothing = {"version": "", "share": 0.0, "unit": "", "because": ""}
    assert json.loads(api.asked[-1].body) == {**nothing, **body}
    assert run(*call, "--json").document == page()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (NONE, "none is under way"),
        (page("shadow", 0.0, paused=True), "version 2 shadows, and answers nobody, paused"),
        (page("after", 0.0, live="2"), "version 2 answers everybody, and the former version 1 shadows"),
    ],
    ids=["none", "shadow", "after"],
)
def test_a_rollout_is_shown(run: Run, api: ApiServer, document: dict[str, Any], words: str) -> None:
    api.say(f"GET {PATH}", document)
    assert words in run("rollout", "houses").out


def test_a_watched_rollout_tells_each_move_and_ends_with_it(
    run: Run, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout, "SECONDS", 0.0)
    later = {**page(share=0.5), "generation": 3}
    api.say(f"GET {PATH}", page(), page(), later, page("after", 0.0, live="2"))
    ran = run("rollout", "houses", "--watch")
    assert ran.err.count("25 %") == ran.err.count("50 %") == 1
    assert "version 2 answers everybody" in ran.out


def test_a_refused_move_is_told_in_the_words_of_the_api(run: Run, api: ApiServer) -> None:
    error = {"code": "no_rollout", "message": "model 'houses': no rollout is under way", "field": None}
    api.say(f"PUT {PATH}", (409, {"error": error}))
    ran = run("promote", "houses")
    assert ran.code == 1 and "no rollout is under way" in ran.err


@pytest.mark.parametrize(("stage", "version"), [("canary", "2"), ("after", "1")])
def test_a_rollback_ends_a_trial_first_and_afterwards_goes_back(
    run: Run, api: ApiServer, stage: str, version: str
) -> None:
    """During a trial the live version answers everybody again; afterwards the former version does."""
    (move,) = page(stage, live="2")["moves"]
    row = {**move, "version": version}
    api.say("GET /api/models/houses", {"history": [move, {**move, "version": "1", "candidate": None}]})
    api.say("PUT /api/models/houses/live", row)
    assert f"version {version} of houses is live" in run("rollback", "houses", "--because", "wrong").out
    assert json.loads(api.asked[-1].body) == {"version": version, "because": "wrong"}
