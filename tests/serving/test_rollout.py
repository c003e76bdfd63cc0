"""A request while a rollout is under way: one version answers, the other is asked the same, and nobody is hurt."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract.models import Candidate
from dropforge.contract.registry import LiveRow
from dropforge.inference.faults import ModelFault, NotFinite
from dropforge.inference.http import Request
from dropforge.inference.model import ServedModel
from dropforge.inference.protocols.dispatch import respond
from dropforge.inference.sticky import is_candidates
from tests.serving.little import Little, little

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dropforge.inference.after import Answered, Refused
    from dropforge.inference.http import Response
    from dropforge.inference.model import Answers

SIMPLE, SAGEMAKER, V2 = "/models/{model}/predict", "/models/{model}/invocations", "/v2/models/{model}/infer"
ROW = LiveRow("flowers", "1", "run-0123456789abcdef", "runs/m", "0" * 64, 1, "2026-11-01T12:00:00+00:00")
CANDIDATE = Candidate("2", "run-fedcba9876543210", "runs/n", "1" * 64, "shadow", 0.0, "salt", ROW.moved)


@dataclass
class Two:
    """A store with a champion and a candidate, which notes what it is told."""

    champion: ServedModel
    candidate: ServedModel | None
    """None where its file is gone."""
    row: LiveRow
    told: list[Answered] = field(default_factory=list)
    reported: list[ModelFault] = field(default_factory=list)
    unknown: list[tuple[str, int]] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def live(self, model: str) -> LiveRow | None:
        return self.row if model == "flowers" else None

    def version(self, _model: str, version: str) -> LiveRow:
        return replace(ROW, version=version, sha256="01"[int(version) - 1] * 64)

    def load(self, row: Any) -> ServedModel:
        self.loaded.append(row.version)
        model = self.champion if row.sha256 == ROW.sha256 else self.candidate
        if model is None:
            raise ModelFault("its file is gone")
        return model

    def report(self, _model: str, fault: ModelFault) -> None:
        self.reported.append(fault)

    def count_unknown(self, row: Any, values: int) -> None:
        self.unknown.append((row.version, values))

    def answered(self, answered: Answered) -> None:
        self.told.append(answered)

    def refused(self, refused: Refused) -> None: ...


class Failing(ServedModel):
    """A model that fails on some rows."""

    fails: Callable[[np.ndarray], bool]

    @classmethod
    def on(cls, made: Little, fails: Callable[[np.ndarray], bool]) -> Failing:
        """Fails where `fails` says so of the column x0."""
        plain = ServedModel.from_bytes(made.body, made.sha256)
        model = cls(plain.session, plain.card, plain.size)
        model.fails = fails
        return model

    def _check(self, arrays: Mapping[str, np.ndarray]) -> None:
        if self.fails(arrays["x0"][:, 0]):
            raise NotFinite("prediction", 0)

    def predict(self, arrays: Mapping[str, np.ndarray]) -> Answers:
        self._check(arrays)
        return super().predict(arrays)

    def outputs(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self._check(arrays)
        return super().outputs(arrays)


@cache
def model_of(task: str, *, shifted: bool = False) -> ServedModel:
    """A little model; `shifted` gives other answers to the same rows."""
    made = little(task)
    made = replace(made, bias=made.bias[::-1].copy() + 1) if shifted else made
    return ServedModel.from_bytes(made.body, made.sha256)


def staged(stage: Any, share: float = 0.0, by: str = "") -> LiveRow:
    return replace(ROW, candidate=replace(CANDIDATE, stage=stage, share=share, by=by))


def body_of(resource: str, made: Little, rows: list[dict[str, Any]]) -> Any:
    if resource != V2:
        return rows if resource == SIMPLE else {"instances": rows}
    kinds = {True: "FP64", False: "BYTES"}
    return {
        "inputs": [
            {
                "name": each.name,
                "datatype": kinds[each.takes_numbers],
                "shape": [len(rows), 1],
                "data": [row[each.name] for row in rows],
            }
            for each in made.card.columns
        ]
    }


def ask(store: Two, resource: str, body: Any, caller: str = "arn:ann", **headers: str) -> Response:
    sent = {"content-type": "application/json", **headers}
    return respond(Request("POST", resource, {"model": "flowers"}, {}, sent, json.dumps(body).encode(), caller), store)


def unit_in(share: float, *, inside: bool) -> str:
    """A caller who is among the candidate's at this share, or is not."""
    names = (f"arn:{number}" for number in range(1000))
    return next(name for name in names if is_candidates(name, CANDIDATE.salt, share) == inside)


@pytest.mark.parametrize("resource", [SIMPLE, SAGEMAKER, V2])
@pytest.mark.parametrize("stage", ["shadow", "after"])
def test_a_shadow_is_asked_after_the_answer(resource: str, stage: str, made: Little) -> None:
    task = made.card.task
    store = Two(model_of(task), model_of(task, shifted=True), staged(stage))
    found = ask(store, resource, body_of(resource, made, made.rows(3)))
    alone = ask(Two(model_of(task), None, ROW), resource, body_of(resource, made, made.rows(3)))
    assert found.status == 200 and store.loaded == ["1"]  # the other one is not even loaded
    assert resource != SAGEMAKER or found.body == alone.body
    (told,) = store.told
    assert told.beside is not None and (told.beside.arm, told.beside.stage) == ("champion", stage)
    pairs = told.beside.pairs(told, range(3))
    assert store.loaded.count("2") == 1
    theirs = model_of(task, shifted=True).predict(told.arrays)
    assert [each.prediction for each in pairs] == theirs.predictions
    for row, pair in enumerate(pairs):
        assert (pair.version, pair.failure) == ("2", "") and pair.milliseconds > 0
        ours = told.answers
        if ours.probabilities is None or theirs.probabilities is None:
            apart = abs(ours.predictions[row] - theirs.predictions[row])
        else:
            apart = float(np.abs(ours.probabilities[row] - theirs.probabilities[row]).sum()) / 2
        assert pair.difference == pytest.approx(apart)
        assert pair.same == (ours.predictions[row] == theirs.predictions[row])


@pytest.mark.parametrize("resource", [SIMPLE, SAGEMAKER, V2])
def test_a_canary_answers_its_share_and_the_answer_says_so(resource: str, made: Little) -> None:
    task = made.card.task
    for inside in (True, False):
        store = Two(model_of(task), model_of(task, shifted=True), staged("canary", 0.5))
        found = ask(store, resource, body_of(resource, made, made.rows(2)), unit_in(0.5, inside=inside))
        (told,) = store.told
        assert found.status == 200 and told.row.version == ("2" if inside else "1")
        if resource != SAGEMAKER:
            written = json.loads(found.body)
            assert written.get("version", written.get("model_version")) == told.row.version
        assert told.beside is not None and told.beside.arm == ("candidate" if inside else "champion")
        (pair,) = told.beside.pairs(told, [1])
        assert pair.version == ("1" if inside else "2") and pair.failure == "" and told.row.candidate is not None


@pytest.mark.parametrize("resource", [SIMPLE, SAGEMAKER, V2])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_no_caller_is_hurt_by_a_candidate_that_fails(resource: str, share: float) -> None:
    made = little("regression")
    limit = float(np.quantile(made.columns["x0"], 1 - share))
    candidate = Failing.on(made, lambda column: bool((column > limit).any()))
    failing = [row for row in made.rows(len(made.target)) if row["x0"] > limit]
    assert failing
    store = Two(model_of("regression"), candidate, staged("canary", 1.0))
    for row in [*failing, *made.rows(20)]:
        assert ask(store, resource, body_of(resource, made, [row])).status == 200
    assert not store.reported
    fallen = [told for told in store.told if told.row.version == "1"]
    assert len(fallen) == len(failing) + sum(row["x0"] > limit for row in made.rows(20))
    for told in fallen:
        assert told.beside is not None
        (pair,) = told.beside.pairs(told, [0])
        assert (pair.version, pair.failure, pair.repeated) == ("2", "out_of_range", True)


def test_a_failure_that_does_not_come_again_is_no_proof() -> None:
    made, calls = little("regression"), []

    def once(_column: np.ndarray) -> bool:
        calls.append(1)
        return len(calls) == 1

    for stage in ("canary", "shadow"):
        calls.clear()
        store = Two(model_of("regression"), Failing.on(made, once), staged(stage, 1.0 if stage == "canary" else 0.0))
        assert ask(store, SIMPLE, made.rows(1)).status == 200
        (told,) = store.told
        assert told.beside is not None
        (pair,) = told.beside.pairs(told, [0])
        assert (pair.failure, pair.repeated) == ("out_of_range", False)


@pytest.mark.parametrize(("stage", "share"), [("shadow", 0.0), ("canary", 1.0)])
def test_a_candidate_whose_file_is_gone_is_told_and_the_champion_answers(stage: str, share: float) -> None:
    made = little("binary")
    store = Two(model_of("binary"), None, staged(stage, share))
    assert ask(store, SIMPLE, made.rows(2)).status == 200 and not store.reported
    (told,) = store.told
    assert told.beside is not None
    (pair,) = told.beside.pairs(told, [0])
    assert (pair.failure, pair.repeated) == ("no_healthy_model", True)


def test_what_both_versions_refuse_is_the_callers_to_mend() -> None:
    made = little("binary")
    store = Two(model_of("binary"), model_of("binary"), staged("canary", 1.0))
    answer = ask(store, SIMPLE, [{**made.row(0), "x0": "old"}])
    assert answer.status == 422 and json.loads(answer.body)["error"]["code"] == "wrong_type" and not store.told


def test_a_candidate_with_other_columns_reads_the_request_anew() -> None:
    made = little("regression")
    fewer = replace(
        made,
        card=replace(made.card, columns=made.card.columns[1:], ignored=(*made.card.ignored, "x0")),
        weights=made.weights[1:],
        means=made.means[1:],
    )
    body = fewer.body
    candidate = ServedModel.from_bytes(body, fewer.sha256)
    store = Two(model_of("regression"), candidate, staged("shadow"))
    assert ask(store, SIMPLE, made.rows(3)).status == 200
    (told,) = store.told
    assert told.beside is not None
    expected = fewer.expected({name: made.columns[name][:3] for name in made.columns})
    pairs = told.beside.pairs(told, range(3))
    assert [each.prediction for each in pairs] == pytest.approx(expected.tolist(), rel=1e-4)
    assert len(store.told) == 1  # the second reading is nobody's answer


def test_rows_that_are_skipped_are_never_compared_with_others() -> None:
    """The two versions read other columns, so that each may keep other rows: nothing is compared."""
    made = little("regression")
    fewer = replace(
        made,
        card=replace(made.card, columns=made.card.columns[1:], ignored=(*made.card.ignored, "x0")),
        weights=made.weights[1:],
        means=made.means[1:],
    )
    rows = [made.row(0), {**made.row(1), "x0": "?!"}, *made.rows(4)[2:]]
    for candidate, compared in ((ServedModel.from_bytes(fewer.body, fewer.sha256), 0), (model_of("regression"), 3)):
        store = Two(model_of("regression"), candidate, staged("shadow"))
        body = json.dumps(rows).encode()
        request = Request("POST", SIMPLE, {"model": "flowers"}, {"errors": "skip"}, {}, body, "arn:ann")
        assert respond(request, store).status == 200
        (told,) = store.told
        assert told.beside is not None
        assert len(told.beside.pairs(told, range(3)) or []) == compared


@pytest.mark.parametrize(
    ("by", "resource", "content"),
    [
        ("", SIMPLE, None),
        ("header:X-Customer", SIMPLE, None),
        ("customer", SIMPLE, lambda rows: rows),
        ("customer", SIMPLE, lambda rows: {"rows": rows}),
        ("customer", SIMPLE, lambda rows: {"columns": {name: [row[name] for row in rows] for name in rows[0]}}),
        ("customer", SAGEMAKER, lambda rows: {"instances": rows}),
    ],
    ids=["caller", "header", "records", "rows", "columns", "instances"],
)
def test_the_unit_stands_where_the_owner_says(by: str, resource: str, content: Any) -> None:
    made = little("regression")
    made = replace(made, card=replace(made.card, ignored=(*made.card.ignored, "customer")))
    model = ServedModel.from_bytes(made.body, made.sha256)
    for inside in (True, False):
        unit = unit_in(0.3, inside=inside)
        store = Two(model, model, staged("canary", 0.3, by))
        rows = [{**row, **({"customer": unit} if by == "customer" else {})} for row in made.rows(2)]
        named = {"x-customer": unit} if by.startswith("header:") else {}
        ask(store, resource, content(rows) if content else rows, unit if not by else "arn:other", **named)
        (told,) = store.told
        assert told.row.version == ("2" if inside else "1")
        assert told.beside is not None and told.beside.unit == unit


def test_a_version_by_number_is_no_matter_of_the_rollout() -> None:
    made = little("regression")
    store = Two(model_of("regression"), model_of("regression", shifted=True), staged("canary", 1.0))
    path = {"model": "flowers", "version": "1"}
    body = json.dumps(made.rows(1)).encode()
    request = Request("POST", "/models/{model}/versions/{version}/predict", path, {}, {}, body)
    assert json.loads(respond(request, store).body)["version"] == "1"
    assert [told.beside for told in store.told] == [None]


def test_moves_under_load_leave_no_caller_without_an_answer() -> None:
    made = little("multiclass")
    store = Two(model_of("multiclass"), model_of("multiclass", shifted=True), ROW)
    rows = [
        ROW,
        staged("shadow"),
        staged("canary", 0.05),
        staged("canary", 0.5),
        replace(ROW, version="2", sha256="1" * 64),
        ROW,
    ]
    statuses: list[tuple[int, str]] = []
    ended = threading.Event()

    def call(number: int) -> None:
        while not ended.is_set():
            answer = ask(store, SIMPLE, made.rows(1), f"arn:{number}")
            statuses.append((answer.status, json.loads(answer.body)["version"]))

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for move in range(200):
        store.row = rows[move % len(rows)]
        ended.wait(0.002)
    ended.set()
    for thread in threads:
        thread.join()
    assert len(statuses) > 100 and {status for status, _ in statuses} == {200}
    assert {version for _, version in statuses} <= {"1", "2"}
