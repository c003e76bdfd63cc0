"""The trainer by hand on a zip: what is wrong with data or wishes is one line, and nothing is left behind."""

from __future__ import annotations

import pytest

from training_container import trainer


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (["--target", "price"], "target: 'price': pictures have no columns"),
        (["--task", "regression"], "task: 'regression': pictures of 2 classes are binary"),
        (["--split", "part"], "split: 'part': pictures have no columns"),
        (["--search", "grid"], "search: 'grid'"),
    ],
)
def test_wishes_are_refused(some, zipped, tmp_path, capsys, wishes, words):
    out = tmp_path / "model"
    assert trainer.main(["--data", str(zipped(some)), "--out", str(out), *wishes]) == 1
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_too_many_broken_pictures_are_refused_with_names(some, zipped, tmp_path, capsys):
    broken = {f"one/cut-{at}.png": next(iter(some.values()))[:60] for at in range(9)}
    assert trainer.main(["--data", str(zipped({**some, **broken})), "--out", str(tmp_path / "model")]) == 1
    said = capsys.readouterr().err
    assert "9 of 129 files are no pictures that can be read, more than 5%: one/cut-0.png: a broken picture" in said
