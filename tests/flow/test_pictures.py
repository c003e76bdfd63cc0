"""Pictures the whole way on the embedded cloud: a folder of real digits is dropped, trained on, and answers files."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from dropforge.client.faults import ApiFault
from dropforge.contract import names

if TYPE_CHECKING:
    from pathlib import Path

    from dropforge.client import Dropforge
    from dropforge.contract.registry import RunRow

pytestmark = pytest.mark.long

HELD_BACK = 60


@dataclass(frozen=True)
class Digits:
    """The run of the dropped digits, and files that were never dropped: (file, class)."""

    run: RunRow
    folder: Path
    unseen: list[tuple[Path, str]]


@pytest.fixture(scope="module")
def digits(forge: Dropforge, tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """1,737 digits in a folder a class, dropped as a folder; the last 60 held back."""
    place = tmp_path_factory.mktemp("pictures")
    data = load_digits()
    unseen = []
    for at, (pixels, label) in enumerate(zip(data.images, data.target.tolist(), strict=True)):
        held = at >= len(data.target) - HELD_BACK
        folder = place / ("unseen" if held else f"digits/digit-{label}")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{at}.png"
        Image.fromarray((pixels * 15.9).astype(np.uint8)).save(path)
        if held:
            unseen.append((path, f"digit-{label}"))
    (place / "digits" / "Thumbs.db").write_bytes(b"junk")
    wishes = place / "wishes.yaml"
    wishes.write_text("budget: 0.15\n")
    dropped = forge.drop(place / "digits", spec=wishes)
    return Digits(forge.wait(dropped.run), place / "digits", unseen)


def test_a_folder_of_pictures_becomes_a_served_model(forge: Dropforge, digits: Digits) -> None:
    run = digits.run
    assert run.status == "promoted", run.reason
    assert (run.task, run.target, run.metric) == ("multiclass", "class", "logloss")
    assert run.metrics["accuracy"] > 0.5 > run.baseline["accuracy"]
    assert run.intervals["accuracy"].low <= run.metrics["accuracy"] <= run.intervals["accuracy"].high
    card = forge.model("digits")["card"]
    assert card["image"] == {"height": 8, "width": 8, "channels": 1, "resize": "stretch-bilinear"}


def test_it_answers_files_it_never_saw(forge: Dropforge, digits: Digits) -> None:
    """As base64 in one request, and as the raw bytes of a picture: the same answers."""
    answer = forge.predict("digits", [path for path, _ in digits.unseen])
    right = sum(given == label for given, (_, label) in zip(answer.predictions, digits.unseen, strict=True))
    assert right > HELD_BACK / 2
    assert answer.probabilities is not None
    for (path, _), prediction, shares in zip(digits.unseen[:3], answer.predictions, answer.probabilities, strict=False):
        alone = forge.predict("digits", path)
        assert alone.predictions == [prediction]
        assert alone.probabilities is not None
        assert alone.probabilities[0] == pytest.approx(shares, abs=1e-5)


def test_it_answers_as_torch_did_on_the_golden_pictures(forge: Dropforge, digits: Digits) -> None:
    bucket, key = forge.connection.outputs["ArtifactBucket"], names.RunFiles(digits.run.run).key(names.GOLDEN_FILE)
    body = forge.connection.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    golden = [json.loads(line) for line in body.splitlines()]
    answer = forge.predict("digits", [line["row"] for line in golden])
    assert answer.predictions == [line["prediction"] for line in golden]
    assert answer.probabilities is not None
    for given, line in zip(answer.probabilities, golden, strict=True):
        assert given == pytest.approx(line["probabilities"], rel=1e-5, abs=1e-6)


def test_what_is_no_picture_is_told_with_its_place(forge: Dropforge, digits: Digits, tmp_path: Path) -> None:
    good = base64.b64encode(digits.unseen[0][0].read_bytes()).decode()
    with pytest.raises(ApiFault, match=r"rows\[1\].image: no JPEG"):
        forge.predict("digits", [{"image": good}, {"image": base64.b64encode(b"text").decode()}])
    broken = tmp_path / "broken.png"
    broken.write_bytes(digits.unseen[0][0].read_bytes()[:60])
    with pytest.raises(ApiFault, match=r"rows\[0\].image: a broken picture"):
        forge.predict("digits", broken)


def test_the_same_folder_again_trains_nothing(forge: Dropforge, digits: Digits) -> None:
    again = forge.wait(forge.drop(digits.folder).run)
    assert (again.status, again.duplicate_of) == ("duplicate", digits.run.run)
