"""What `dropforge serve` may be given, and what it says of the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dropforge.inference.faults import ModelFault
from dropforge.serve import store
from dropforge.serve.faults import ServeFault
from dropforge.serve.sources import find
from dropforge.serve.store import Files
from tests.serve.conftest import place_run
from tests.serving.little import little

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder with the model `flowers`."""
    return place_run(tmp_path / "run", "multiclass")


def names(*given: str | Path, name: str | None = None) -> list[str]:
    return sorted(Files.of(find([str(each) for each in given], name)).served)


def test_every_way_to_name_a_model(run: Path, tmp_path: Path) -> None:
    file = run / "model.onnx"
    (tmp_path / "houses.onnx").write_bytes(little("regression", model="houses").body)
    (tmp_path / "notes.txt").write_text("no model")
    assert names(file) == names(run) == ["flowers"]
    assert names(f"a={file}", f"b={run}") == ["a", "b"]
    assert names(run, name="c") == ["c"]
    assert names(tmp_path) == ["flowers", "houses"]


def test_refusals_say_what_and_what_else(run: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.onnx").write_text("no model")
    odd = tmp_path / "odd" / "model.onnx"
    odd.parent.mkdir()
    odd.write_bytes(little("multiclass", model="Not A Name").body)
    cases = [
        ([tmp_path / "none"], None, "no_such_file", "none: no such file or folder"),
        ([f"a={tmp_path / 'none'}"], None, "no_such_file", "none: no such file; expected a model file"),
        ([tmp_path / "empty"], None, "no_such_file", "empty: expected model.onnx, or a folder of models"),
        ([tmp_path / "text.onnx"], None, "not_a_model", "onnxruntime refuses it"),
        ([odd], None, "model_name", "name it yourself: NAME="),
        ([f"A={run}"], None, "model_name", "model name 'A'"),
        ([run, run / "model.onnx"], None, "model_name", "expected one file"),
        ([run, f"b={run}"], "c", "model_name", "expected one model, got 2"),
    ]
    for given, name, code, words in cases:
        with pytest.raises(ServeFault) as caught:
            names(*given, name=name)
        assert (caught.value.code, words in str(caught.value)) == (code, True), caught.value


def test_a_manifest_of_other_content_is_refused(run: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["files"]["model.onnx"]["sha256"] = "0" * 64
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ServeFault, match="expected SHA-256 0000"):
        names(run)
    (run / "manifest.json").write_text("{}")
    with pytest.raises(ServeFault, match=r"manifest\.json: expected the SHA-256"):
        names(run)


def test_an_answer_under_way_keeps_its_model_over_one_change(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOOK_SECONDS", -1.0)
    files = Files.of(find([str(run)]))
    first = files.live("flowers")
    assert first is not None
    model = files.load(first)
    for at, run_of in enumerate(("run-1111111111111111", "run-2222222222222222")):
        place_run(run, "multiclass", run_of)
        row = files.live("flowers")
        assert row is not None
        assert (row.run, row.generation) == (run_of, at + 2)
        if at == 0:
            assert files.load(first) is model
    with pytest.raises(ModelFault, match="changed twice"):
        files.load(first)


def test_a_folder_that_is_replaced_piece_by_piece_comes_in_whole(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOOK_SECONDS", -1.0)
    files = Files.of(find([str(run)]))
    fresh = place_run(run.parent / "fresh", "multiclass", "run-1111111111111111")
    for name, expected in (("model.onnx", "run-0123456789abcdef"), ("manifest.json", "run-1111111111111111")):
        (fresh / name).replace(run / name)
        row = files.live("flowers")
        assert row is not None
        assert row.run == expected
    (run / "model.onnx").unlink()
    still = files.live("flowers")
    assert still == row
