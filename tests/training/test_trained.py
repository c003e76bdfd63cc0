"""What a whole run leaves: complete, consistent, right, and readable; one run a task on real data."""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
import warnings
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from dropforge.contract.parity import TOLERANCE, difference, scale_of
from dropforge.contract.results import Manifest, Metrics
from dropforge.inference.explain import answers_of, explanations
from dropforge.inference.explain import background as compared_with
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import from_json, to_arrays
from dropforge.inference.unknown import unknown_values
from dropforge.metrics import scores as metrics
from examples.datasets import SOURCES
from training_container import trainer
from training_container.export.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUICK = ("--search", "none", "--budget", "0.5")
NAMES = ("cars", "penguins", "income")
"""Regression with dates and gaps, three classes, two classes with many categories."""


GROUPS = {"cars": "Origin", "penguins": "sex", "income": "gender"}


@pytest.fixture(scope="module", params=NAMES)
def folder(
    request: pytest.FixtureRequest,
    csv: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
    lean: None,  # noqa: ARG001
) -> Path:
    """The files of one run by hand."""
    out = tmp_path_factory.mktemp(request.param) / "model"
    given = ["--data", str(csv(request.param)), "--target", SOURCES[request.param].target, "--out", str(out)]
    code = trainer.main([*given, "--groups", GROUPS[request.param], *QUICK])
    assert code == 0
    return out


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def manifest(folder: Path) -> Manifest:
    return Manifest.from_json(read(folder, "manifest.json"))


def feed(runtime: Runtime, columns: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    kinds = {column.name: column.kind for column in runtime.card.columns}
    return {
        name: np.array([np.nan if value is None else value for value in values], dtype=np.float32)
        if kinds[name] == "number"
        else np.array([value or "" for value in values], dtype=object)
        for name, values in columns.items()
    }


def test_the_file_knows_the_texts_of_its_data_and_no_other(folder: Path) -> None:
    body = (folder / "model.onnx").read_bytes()
    model = ServedModel.from_bytes(body, hashlib.sha256(body).hexdigest())
    texts = [column.name for column in model.card.columns if column.kind in ("category", "boolean")]
    assert texts and sorted(model.known) == sorted(texts)
    with gzip.open(folder / "holdout.json.gz") as file:
        columns = json.load(file)["columns"]
    usual = {name: Counter(filter(None, columns[name])).most_common(1)[0][0] for name in texts}
    row = {column.name: usual.get(column.name) for column in model.card.columns}
    rows = [row, row | {texts[0]: "a text of no row"}, row | {texts[0]: None}]
    arrays = to_arrays(from_json(json.dumps(rows).encode()), model.card)
    (warning,) = unknown_values(model.card, model.known, arrays).first
    assert (warning.row, warning.column) == (1, texts[0])


def test_the_manifest_knows_every_file_by_content(folder: Path) -> None:
    made = manifest(folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*made.files, "manifest.json"}
    assert {"model.onnx", "metrics.json", "profile.json", "golden.jsonl", "holdout.json.gz", "report.html"} <= there
    assert any(name.startswith("tensorboard/neural/events.out.tfevents") for name in there)
    for name, fact in made.files.items():
        content = (folder / name).read_bytes()
        assert (fact.sha256, fact.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_the_file_says_what_it_is_when_it_was_made_and_how_it_scored(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    card, texts = manifest(folder).card, {each.key: each.value for each in model.metadata_props}
    assert card.target in model.doc_string and "onnxruntime 1.21 or newer" in model.doc_string
    assert texts["dropforge.onnxruntime"] == "1.21"
    assert texts["dropforge.created"] <= manifest(folder).created
    reported = Metrics.from_json(read(folder, "metrics.json"))
    assert json.loads(texts["dropforge.scores"])["holdout"] == reported.holdout
    names = [node.name for node in model.graph.node]
    assert all(names) and len({*names}) == len(names)


def test_golden_rows_are_answered_alike(folder: Path) -> None:
    card = manifest(folder).card
    runtime = Runtime((folder / "model.onnx").read_bytes(), card)
    golden = [json.loads(line) for line in (folder / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [each["row"] for each in golden]
    assert any(all(value is None for value in row.values()) for row in rows)
    columns = {column.name: [row[column.name] for row in rows] for column in card.columns}
    labels, probabilities = runtime.answer(feed(runtime, columns))
    if probabilities is None:
        expected, got = [each["prediction"] for each in golden], labels.tolist()
    else:
        assert labels.tolist() == [each["prediction"] for each in golden]
        expected = [each["probabilities"][name] for each in golden for name in card.classes]
        got = probabilities.ravel().tolist()
    scale = scale_of(expected)
    assert max(difference(a, b, scale) for a, b in zip(expected, got, strict=True)) <= TOLERANCE


def test_the_holdout_file_gives_the_reported_scores(folder: Path) -> None:
    card, reported = manifest(folder).card, Metrics.from_json(read(folder, "metrics.json"))
    rows = json.loads(gzip.decompress((folder / "holdout.json.gz").read_bytes()))
    assert rows["schema"] == "dropforge.rows/1"
    runtime = Runtime((folder / "model.onnx").read_bytes(), card)
    labels, probabilities = runtime.answer(feed(runtime, rows["columns"]))
    truth = np.array([card.classes.index(each) if card.classes else each for each in rows["target"]])
    found = metrics.scores(card.task, truth, labels if probabilities is None else probabilities)
    assert found == pytest.approx(reported.holdout, rel=1e-5)


def test_the_model_is_better_than_the_baseline_and_the_best_was_chosen(folder: Path) -> None:
    found = Metrics.from_json(read(folder, "metrics.json"))
    assert metrics.better(found.direction, found.holdout[found.metric], found.baseline[found.metric])
    by_name = {each.name: each.validation[found.metric] for each in found.candidates}
    best = (max if found.direction == "higher" else min)(by_name.values())
    assert by_name[found.chosen] == best
    assert {"ensemble", "linear", "lightgbm", "catboost", "neural"} <= set(by_name)


def test_everything_stands_beside_the_scores(folder: Path) -> None:
    found, card = Metrics.from_json(read(folder, "metrics.json")), manifest(folder).card
    assert set(found.intervals) == set(found.holdout)
    assert all(
        found.intervals[name].low <= value <= found.intervals[name].high for name, value in found.holdout.items()
    )
    assert set(found.gains) == set(found.holdout)
    assert {each.column for each in found.importances} == {column.name for column in card.columns}
    assert (found.calibration is None) is (found.task == "regression")
    (grouped,) = found.groups
    assert sum(each.rows for each in grouped.groups) == found.rows["holdout"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"By {grouped.column}" in page
    assert all(f"<td>{each.name}</td>" in page for each in grouped.groups)
    assert all(html.escape(note, quote=False) in html.unescape(page) for note in found.notes)


def test_tensorboard_has_settings_scores_and_intervals(folder: Path) -> None:
    found = Metrics.from_json(read(folder, "metrics.json"))
    runs = folder / "tensorboard"
    assert {path.name for path in runs.iterdir()} == {*(each.name for each in found.candidates), "holdout"}
    scores = tags(runs / "holdout")
    expected = {f"holdout/{name}{end}" for name in found.holdout for end in ("", "/low", "/high")}
    assert expected | {f"importance/{each.column}" for each in found.importances} <= scores
    for each in found.candidates:
        seen = tags(runs / each.name)
        assert {f"validation/{name}" for name in each.validation} <= seen
        assert "_hparams_/session_start_info" in seen


def tags(folder: Path) -> set[str]:
    """Every tag in the event files of one run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
        from tensorboard.compat.proto.event_pb2 import Event
    made = [Event.FromString(raw) for path in folder.iterdir() for raw in RawEventFileLoader(str(path)).Load()]
    return {value.tag for event in made for value in event.summary.value}


class Tags(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.references += [
            value or "" for key, value in attrs if key in ("src", "href", "xlink:href", "srcset", "action")
        ]


def test_the_report_needs_nothing_from_outside(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.scripts == 0
    assert all(each.startswith(("#", "data:")) for each in tags.references)
    assert not re.search(r"@import|url\((?!#)", page)
    assert page.count("<svg") >= 4
    assert manifest(folder).run in page


def test_no_file_tells_where_it_was_made(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".gz":
            assert str(folder.parent).encode() not in path.read_bytes()


def test_the_file_explains_its_answers(folder: Path) -> None:
    """By the serving runtime: what it adds up to, and a base that is the mean answer on rows never learned from."""
    predictor = (folder / "model.onnx").read_bytes()
    served = ServedModel.from_bytes(predictor, hashlib.sha256(predictor).hexdigest())
    golden = [json.loads(line)["row"] for line in (folder / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [*golden[:2], *golden[-2:]]  # the last are of nothing at all, and of categories never seen
    inputs = to_arrays(from_json(json.dumps(rows).encode()), served.card)
    answers = served.predict(inputs)
    found = explanations({"explain": "true"}, served, inputs, answers)["explanations"]
    said = answers.predictions if answers.probabilities is None else answers.probabilities.max(axis=1)
    for each, answer in zip(found, said, strict=True):
        total = each["base"] + sum(each["contributions"].values())
        assert difference(total, float(answer), scale_of([float(answer)])) < 1e-6
        assert max(each["errors"].values()) < max(map(abs, each["contributions"].values()))
    holdout = json.loads(gzip.decompress((folder / "holdout.json.gz").read_bytes()))["columns"]
    unseen = answers_of(served, to_arrays(from_json(json.dumps({"columns": holdout}).encode()), served.card))
    compared = compared_with(served).answers
    far = np.abs(compared.mean(axis=0) - unseen.mean(axis=0)) / unseen.std(axis=0)
    assert (far < 3 / np.sqrt(len(compared))).all()
