"""What a store is told of each request, in every protocol: enough to keep it, or to ask another model the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.registry import LiveRow
from dropforge.inference.http import Request
from dropforge.inference.protocols.dispatch import respond

if TYPE_CHECKING:
    from dropforge.inference.after import Answered, Refused
    from dropforge.inference.model import ServedModel
    from tests.serving.little import Little

ROW = LiveRow("flowers", "3", "run-0123456789abcdef", "runs/m", "0" * 64, 1, "2026-11-01T12:00:00+00:00")


@dataclass
class Noting:
    """A store of one model that notes what it is told."""

    model: ServedModel
    answers: list[Answered] = field(default_factory=list)
    refusals: list[Refused] = field(default_factory=list)

    def live(self, model: str) -> LiveRow | None:
        return ROW if model == "flowers" else None

    def version(self, _model: str, _version: str) -> LiveRow:
        return ROW

    def load(self, _row: Any) -> ServedModel:
        return self.model

    def report(self, model: str, fault: Exception) -> None: ...

    def count_unknown(self, row: Any, values: int) -> None: ...

    def answered(self, answered: Answered) -> None:
        self.answers.append(answered)

    def refused(self, refused: Refused) -> None:
        self.refusals.append(refused)


def ask(store: Noting, resource: str, body: Any, query: dict[str, str] | None = None, name: str = "flowers") -> Any:
    headers = {"content-type": "application/json"}
    request = Request("POST", resource, {"model": name}, query or {}, headers, json.dumps(body).encode(), "arn:someone")
    return json.loads(respond(request, store).body)


def tensors(columns: dict[str, list[Any]], card: Any) -> list[dict[str, Any]]:
    kinds = {True: "FP64", False: "BYTES"}
    return [
        {"name": each.name, "datatype": kinds[each.takes_numbers], "shape": [4], "data": columns[each.name][:4]}
        for each in card.columns
    ]


def test_every_protocol_tells_the_same_of_the_same_rows(made: Little, served: ServedModel) -> None:
    store = Noting(served)
    simple = ask(store, "/models/{model}/predict", made.rows(4))
    skipped = ask(store, "/models/{model}/predict", [*made.rows(4), {**made.row(4), "x0": "?!"}], {"errors": "skip"})
    ask(store, "/models/{model}/invocations", {"instances": made.rows(4)})
    whole = ask(store, "/v2/models/{model}/infer", {"inputs": tensors(made.columns, made.card)})
    part = {"inputs": tensors(made.columns, made.card), "outputs": [{"name": "prediction"}]}
    ask(store, "/v2/models/{model}/infer", part)
    assert [len(each.ids) for each in store.answers] == [4, 4, 0, 4, 0]
    (ids,) = [each["data"] for each in whole["outputs"] if each["name"] == "ids"]
    assert [list(each.ids) for each in store.answers[:2]] == [simple["ids"], skipped["ids"][:4]]
    assert list(store.answers[3].ids) == ids
    for each in store.answers:
        assert (each.row, each.model, each.request.caller) == (ROW, served, "arn:someone")
        assert each.answers.predictions == simple["predictions"] and 0 < each.milliseconds < 10_000
        again = served.predict(each.arrays)
        assert again.predictions == simple["predictions"]
        shares = each.answers.probabilities
        assert (shares is None) == (again.probabilities is None)
        assert shares is None or np.array_equal(shares, np.asarray(again.probabilities))
    assert store.refusals == []


def test_a_refusal_tells_its_code_and_nothing_was_answered(served: ServedModel) -> None:
    store = Noting(served)
    ask(store, "/models/{model}/predict", [{"nobody": 1}])
    ask(store, "/models/{model}/predict", [{}], name="none")
    ask(store, "/v2/models/{model}/infer", {"inputs": []})
    codes = [(each.model, each.code) for each in store.refusals]
    assert codes[0][0] == "flowers" and codes[0][1] in ("missing_column", "unknown_column")
    assert codes[1] == ("none", "no_such_model") and codes[2][0] == "flowers"
    assert store.answers == []


def test_the_caller_is_who_signed() -> None:
    event = {"httpMethod": "POST", "resource": "/models/{model}/predict", "pathParameters": {"model": "flowers"}}
    signed = {**event, "requestContext": {"identity": {"userArn": "arn:aws:iam::1:user/ann", "caller": "AIDA"}}}
    assert Request.from_event(signed).caller == "arn:aws:iam::1:user/ann"
    assert Request.from_event({**event, "requestContext": {"identity": {"caller": "AIDA"}}}).caller == "AIDA"
    for context in ({}, {"requestContext": None}, {"requestContext": {"identity": {"userArn": None}}}):
        assert Request.from_event({**event, **context, "headers": {"caller": "me"}}).caller == ""
