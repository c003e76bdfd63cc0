"""A second model beside the one that is served: asked the same rows after the answer, and counted in `/metrics`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dropforge.serve.faults import ServeFault
from dropforge.serve.server import loaded
from dropforge.serve.settings import Settings
from tests.serve.conftest import place_run, until
from tests.serve.running import ask, running
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.serve.app import App

MADE = little("multiclass")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with the model `flowers`."""
    return place_run(tmp_path / "run", "multiclass")


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A model with other answers to the same rows."""
    path = tmp_path / "other.onnx"
    path.write_bytes(replace(MADE, bias=MADE.bias[::-1].copy()).body)
    return path


def application(run: Path, shadow: Path) -> App:
    return loaded([str(run)], None, Settings(shadow=str(shadow)))


def figures(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    """The samples of the shadow's metrics, by name and labels."""
    page = ask(port, "GET", "/metrics").body.decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if family.name.startswith("dropforge_shadow") and sample.name.endswith(("_total", "_count")):
                found.setdefault(family.name, {})[tuple(sorted(sample.labels.values()))] = sample.value
    return found


def asked(app: App, bodies: list[Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """Asks a server, each body once, and gives the figures once everything is compared."""
    with running(app) as port:
        for body in bodies:
            assert ask(port, "POST", "/models/flowers/predict", json.dumps(body).encode()).status == 200
        assert app.files.shadow is not None
        until(lambda: app.files.shadow is not None and app.files.shadow._waiting.unfinished_tasks == 0)
        return figures(port)


def test_the_same_model_answers_the_same(run: Path) -> None:
    found = asked(application(run, run), [MADE.rows(3), MADE.rows(1)])
    assert found["dropforge_shadow_rows"] == {("flowers", "same"): 4}
    seconds = found["dropforge_shadow_graph_seconds"]
    assert seconds == {("flowers", "served"): 2, ("flowers", "shadow"): 2}


def test_another_model_differs_and_the_callers_see_nothing_of_it(run: Path, other: Path) -> None:
    rows = MADE.rows(40)
    expected = loaded([str(run)], None).files.served["flowers"].model
    app = application(run, other)
    assert app.files.shadow is not None
    with running(app) as port:
        answer = ask(port, "POST", "/models/flowers/predict", json.dumps(rows).encode()).body
    assert answer["version"] == app.files.served["flowers"].row.version
    plain = MADE.expected({name: values[:40] for name, values in MADE.columns.items()}).argmax(axis=1).tolist()
    assert answer["predictions"] == plain and expected.card.task == "multiclass"
    theirs = replace(MADE, bias=MADE.bias[::-1].copy())
    differs = sum(
        one != two
        for one, two in zip(plain, theirs.expected(
            {name: values[:40] for name, values in MADE.columns.items()}).argmax(axis=1).tolist(), strict=True)
    )  # fmt: skip
    found = asked(application(run, other), [rows])
    wanted = {("differs", "flowers"): differs, ("flowers", "same"): 40 - differs}
    assert found["dropforge_shadow_rows"] == {key: value for key, value in wanted.items() if value}


def test_what_the_second_model_alone_fails_on_is_counted(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(replace(MADE, weights=MADE.weights * float("nan")).body)
    found = asked(application(run, path), [MADE.rows(2)])
    assert found["dropforge_shadow_rows"] == {("failed", "flowers"): 2}
    assert found["dropforge_shadow_failures"] == {("flowers", "out_of_range", "true"): 1}


def test_a_file_that_is_no_model_ends_the_start_with_its_name(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("no model")
    with pytest.raises(ServeFault, match=r"--shadow .*text.onnx: "):
        application(run, path)
    with pytest.raises(ServeFault, match="no such file"):
        application(run, tmp_path / "nowhere.onnx")
