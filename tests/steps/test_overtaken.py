"""A worse model is never promoted: not between two judgements, and not while S3 is ill."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from dropforge.contract import names
from lambdas.api.live_pointer.handler import serve
from lambdas.common.artifacts import Artifacts
from tests.serving.little import little, trained
from tests.steps.cloud import HANDLERS, Cloud
from tests.steps.test_judge import worse

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = {"model": "flowers"}


def claimed(cloud: Cloud, name: str) -> str:
    return str(cloud.claim(f"datasets/flowers/{name}.csv", name.encode())["run"])


def judged(cloud: Cloud, run: str, weak: bool = False) -> dict[str, Any]:
    """The verdict, and the version that it was registered as."""
    changes: dict[str, Any] = {"files": trained(worse(little("regression", run)))} if weak else {}
    answer = cloud.judged("regression", run, **changes)
    return {**answer, **HANDLERS["register"]({"run": run, **MODEL, **answer}, None)}


def promoted(run: str, found: dict[str, Any]) -> str:
    told = {"run": run, **MODEL, "version": found["version"], "champion": found["champion"]}
    return str(HANDLERS["promote"](told, None)["outcome"])


def live(cloud: Cloud) -> str:
    found = cloud.registry.live("flowers")
    assert found is not None
    return found.version


@pytest.mark.parametrize("served_before", [False, True])
def test_a_worse_one_judged_before_the_better_one_served_is_judged_anew(cloud: Cloud, served_before: bool) -> None:
    if served_before:
        run = claimed(cloud, "old")
        assert promoted(run, judged(cloud, run, weak=True)) == "promoted"
    good, weak = claimed(cloud, "good"), claimed(cloud, "weak")
    of_good, of_weak = judged(cloud, good), judged(cloud, weak, weak=True)
    assert of_good["outcome"] == of_weak["outcome"] == "approved"
    assert promoted(good, of_good) == "promoted"
    assert promoted(weak, of_weak) == "overtaken"
    again = judged(cloud, weak, weak=True)
    assert (again["outcome"], again["version"], again["champion"]) == ("refused", of_weak["version"], live(cloud))
    assert f"worse than the live version {of_good['version']}" in again["reason"]
    version = cloud.registry.version("flowers", again["version"])
    assert version is not None and (version.outcome, version.reason) == ("refused", again["reason"])
    assert live(cloud) == of_good["version"]


def test_one_that_is_as_good_is_promoted_at_the_second_judgement(cloud: Cloud) -> None:
    first, second = claimed(cloud, "a"), claimed(cloud, "b")
    of_first, of_second = judged(cloud, first), judged(cloud, second)
    assert promoted(first, of_first) == "promoted"
    assert promoted(second, of_second) == "overtaken"
    assert promoted(second, judged(cloud, second)) == "promoted"
    assert [each.outcome for each in cloud.registry.versions("flowers")] == ["approved", "approved"]
    assert live(cloud) == of_second["version"]


def test_a_rollback_by_hand_between_the_two_counts_too(cloud: Cloud) -> None:
    for name, weak in (("a", False), ("b", False)):
        run = claimed(cloud, name)
        assert promoted(run, judged(cloud, run, weak)) == "promoted"
    run = claimed(cloud, "c")
    found = judged(cloud, run)
    serve("flowers", "1", cloud.registry)
    assert promoted(run, found) == "overtaken"


def test_of_runs_at_once_the_best_serves_whatever_their_order(cloud: Cloud) -> None:
    """Each goes as the workflow goes: judged again for as long as it is overtaken."""
    runs = {name: claimed(cloud, name) for name in ("weak-1", "good", "weak-2")}
    first = {run: judged(cloud, run, name.startswith("weak")) for name, run in runs.items()}  # nothing serves yet
    gate = threading.Barrier(len(runs))

    def way(name: str, run: str) -> None:
        found = first[run]
        gate.wait()
        while found["outcome"] == "approved" and promoted(run, found) == "overtaken":
            found = judged(cloud, run, name.startswith("weak"))

    threads = [threading.Thread(target=way, args=each) for each in runs.items()]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    ended = {each.version: each.metrics["rmse"] for each in cloud.registry.versions("flowers")}
    moves = [ended[move.version] for move in reversed(cloud.registry.history("flowers"))]
    assert moves == sorted(moves, reverse=True), "each that served was as good as the one before"


def reads(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, code: str) -> Callable[[], dict[str, Any]]:
    """Judges a worse model, while S3 answers so for the champion's file."""
    champion = names.RunFiles(cloud.serve("regression", "flowers")).key(names.MODEL_FILE)
    real = Artifacts.read

    def read(self: Artifacts, key: str) -> bytes:
        if key == champion:
            raise ClientError({"Error": {"Code": code, "Message": "so it is"}}, "GetObject")
        return real(self, key)

    monkeypatch.setattr(Artifacts, "read", read)
    run = claimed(cloud, "weak")
    return lambda: cloud.judged("regression", run, files=trained(worse(little("regression", run))))


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied", "KMS.ThrottlingException"])
def test_an_ill_bucket_does_not_open_the_gate(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    with pytest.raises(ClientError, match="so it is"):
        reads(cloud, monkeypatch, code)()


def test_a_champion_that_is_gone_refuses_whoever_comes(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = reads(cloud, monkeypatch, "NoSuchKey")()
    assert answer["outcome"] == "refused" and "not compared with the live version 1" in answer["reason"]
