"""The fast form of large models: the same answers, only from the very bytes that were judged, nothing left behind."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest

from dropforge.inference import fast
from dropforge.inference.fast import FastFiles
from dropforge.inference.faults import ModelFault
from dropforge.inference.model import ServedModel
from dropforge.inference.rows import Rows, to_arrays
from tests.serving.large import large
from tests.serving.little import little

if TYPE_CHECKING:
    from collections.abc import Iterator

MADE = little("regression")
BODY = large(MADE)


@pytest.fixture(scope="module")
def files() -> FastFiles:
    made = FastFiles.of(BODY)
    assert made is not None
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The temporary folder of each test, which must be empty in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_fast_form_answers_as_the_file_does_and_leaves_nothing(files: FastFiles) -> None:
    assert len(files.graph) < 20_000 < 8 * 2**20 < len(files.weights)
    plain = ServedModel.from_bytes(BODY, hashlib.sha256(BODY).hexdigest())
    quick = ServedModel.of(files.session(files.form), 1)
    assert quick.card == plain.card == MADE.card
    rows = to_arrays(Rows({name: MADE.columns[name][:50] for name in MADE.columns}, 50), MADE.card)
    expected = plain.predict(rows).predictions
    assert quick.predict(rows).predictions == pytest.approx(expected, rel=1e-6)
    assert expected == pytest.approx(MADE.expected({k: v[:50] for k, v in MADE.columns.items()}).tolist(), rel=1e-5)


def test_small_models_and_those_without_weights_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FastFiles.of(MADE.body) is None
    monkeypatch.setattr(fast, "LARGE", 10)
    assert FastFiles.of(MADE.body) is None


@pytest.mark.parametrize("part", ["graph", "weights"])
def test_other_bytes_are_refused_before_anything_is_opened(files: FastFiles, part: str) -> None:
    body = bytearray(getattr(files, part))
    body[len(body) // 2] ^= 1
    with pytest.raises(ModelFault, match="expected SHA-256"):
        replace(files, **{part: bytes(body)}).session(files.form)


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "other.bin"])
def test_a_graph_that_names_other_files_gets_none(files: FastFiles, folder: Path, target: str) -> None:
    """Even a graph whose hash is right reads nothing but the weights in the private folder."""
    outside = folder / "secret"
    outside.write_bytes(files.weights)
    graph = onnx.load_from_string(files.graph)
    for tensor in graph.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = target
    hostile = FastFiles(graph.SerializeToString(), files.weights)
    with pytest.raises(ModelFault, match="onnxruntime refuses it"):
        hostile.session(hostile.form)
    outside.unlink()


def test_the_weights_lie_where_nobody_else_can_reach_them(files: FastFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    real = fast.opened

    def looking(body: bytes, asked: Any) -> Any:
        (place,) = Path(tempfile.gettempdir()).iterdir()
        seen.append((stat.S_IMODE(place.stat().st_mode), place.stat().st_uid, [each.name for each in place.iterdir()]))
        return real(body, asked)

    monkeypatch.setattr(fast, "opened", looking)
    session = files.session(files.form)
    assert seen == [(0o700, os.getuid(), ["weights.bin"])]
    row = to_arrays(Rows({name: MADE.columns[name][:1] for name in MADE.columns}, 1), MADE.card)
    assert np.isfinite(session.run(["prediction"], row)[0]).all()  # the file is gone, its pages are mapped
