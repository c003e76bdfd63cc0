"""Files of pictures to pixels: every rule of `docs/images.md`, and that training and serving see the same."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from dropforge import pictures
from dropforge.contract.schema import Column, ImageInput, ModelCard
from dropforge.inference import pictures as serving
from dropforge.inference.faults import InputFault
from dropforge.inference.protocols.refusals import Refusal, refusal_of
from dropforge.inference.rows import from_json, from_picture, to_arrays
from dropforge.pictures import PictureFault, decoded, opened, png_of
from training_container.progress import SilentProgress
from training_container.tasks.images.reading import decode_all, read_set
from training_container.tasks.images.sizes import rule_for, side_for

from .conftest import file_of

RGB, GREY = ImageInput(12, 16, 3), ImageInput(12, 16, 1)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A real photograph, 427 x 640."""
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg")


def card(rule: ImageInput) -> ModelCard:
    return ModelCard("m", "r", "binary", "class", "text", ("a", "b"), (Column("image", "image"),), image=rule)


@pytest.mark.parametrize("rule", [RGB, GREY])
def test_training_and_serving_see_the_same_pixels(photo, zipped, rule):
    """Real files of every format, with EXIF, alpha, palette and 16 bits, through both ways in whole."""
    turned = Image.Exif()
    turned[0x0112] = 6
    clear = np.dstack([photo, np.linspace(0, 255, photo[..., 0].size).reshape(photo.shape[:2]).astype(np.uint8)])
    palette, grey16 = io.BytesIO(), io.BytesIO()
    Image.fromarray(photo).quantize(64).save(palette, "PNG")
    Image.fromarray(photo[..., 0].astype(np.uint16) * 257).save(grey16, "PNG")
    cmyk = io.BytesIO()
    Image.fromarray(photo).convert("CMYK").save(cmyk, "JPEG")
    files = {
        "photo.jpg": file_of(photo, "JPEG", exif=turned),
        "plain.jpg": file_of(photo, "JPEG", quality=80),
        "cmyk.jpg": cmyk.getvalue(),
        "photo.png": file_of(photo),
        "clear.png": file_of(clear),
        "palette.png": palette.getvalue(),
        "grey16.png": grey16.getvalue(),
        "photo.webp": file_of(photo, "WEBP"),
        "clear.webp": file_of(clear, "WEBP", lossless=True),
        "photo.bmp": file_of(photo, "BMP"),
        "photo.gif": file_of(photo, "GIF"),
    }
    path = zipped({f"{'ab'[at % 2]}/{repeat}{name}": body for repeat in range(5)
                   for at, (name, body) in enumerate(files.items())})  # fmt: skip
    from dropforge.datasets.zipped import Member, open_zip

    with open_zip(path) as archive:
        members = [Member(archive.getinfo(f"{'ab'[at % 2]}/0{name}"), "ab"[at % 2]) for at, name in enumerate(files)]
        trained = decode_all(archive, members, ("a", "b"), rule, SilentProgress())
    assert trained.broken == ()
    rows = from_json(f'{{"rows": [{",".join(_row(body) for body in files.values())}]}}'.encode())
    served = to_arrays(rows, card(rule))["image"]
    assert (served == trained.pictures.pixels).all()
    alone = [to_arrays(from_picture(body), card(rule))["image"][0] for body in files.values()]
    assert (np.stack(alone) == served).all()
    assert served.std() > 20


def _row(body: bytes) -> str:
    return f'{{"image": "{base64.b64encode(body).decode()}"}}'


def test_exif_says_what_is_up():
    pixels = np.zeros((10, 20, 3), np.uint8)
    pixels[:, :10] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: white comes up
    seen = decoded(file_of(pixels, "PNG", exif=exif), ImageInput(20, 10, 1))
    assert seen[:9].min() == 255
    assert seen[11:].max() == 0


def test_transparency_shows_white_and_16_bits_become_8():
    clear = np.zeros((8, 8, 4), np.uint8)
    clear[4:, :, 3] = 255
    seen = decoded(file_of(clear), ImageInput(8, 8, 1))
    assert seen[:4].min() == 255
    assert seen[4:].max() == 0
    deep = (np.arange(64, dtype=np.uint16) * 1000).reshape(8, 8)
    assert (decoded(file_of(deep), ImageInput(8, 8, 1))[..., 0] == deep >> 8).all()


def test_a_gif_shows_its_first_frame():
    frames = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 200)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert (decoded(out.getvalue(), ImageInput(8, 8, 1)) == 10).all()


def test_a_png_of_the_pixels_is_the_pixels(photo):
    for rule in (RGB, GREY):
        pixels = decoded(file_of(photo), rule)
        assert (decoded(png_of(pixels), rule) == pixels).all()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JPEG, PNG, WebP, BMP or GIF: an empty file"),
        (b"II*\x00 a tiff", "no JPEG, PNG, WebP, BMP or GIF: 11 bytes that begin with"),
        (b"\x89PNG\r\n\x1a\n", "PNG|picture"),
    ],
)
def test_what_is_no_picture_is_told(body, words):
    with pytest.raises(PictureFault, match=words):
        opened(body)


def test_cut_and_oversized_pictures_are_refused(photo, monkeypatch):
    whole = file_of(photo, "JPEG")
    with pytest.raises(PictureFault, match="a broken picture .*truncated"):
        decoded(whole[: len(whole) // 2], RGB)
    with pytest.raises(PictureFault, match="expected sides of at most 50 to 1"):
        opened(file_of(np.zeros((1, 60), np.uint8)))
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1000)
    with pytest.raises(PictureFault, match="640 x 427 pixels; expected at most 1,000 in all"):
        opened(whole)


def test_a_header_that_claims_gigapixels_costs_nothing():
    small = file_of(np.zeros((1, 1), np.uint8))
    header = b"IHDR" + struct.pack(">II", 30_000, 30_000) + small[24:29]
    claiming = small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:]
    with pytest.raises(PictureFault, match="expected at most 50,000,000 pixels: .*900000000 pixels"):
        opened(claiming)


def test_a_request_is_told_what_is_wrong_and_where(photo, monkeypatch):
    good = base64.b64encode(file_of(photo[:20, :20])).decode()

    def fault(*values: object) -> Refusal:
        with pytest.raises(InputFault) as found:
            serving.to_pixels(card(RGB), values)
        return refusal_of(found.value)

    assert (fault(good, None).status, fault(good, None).field) == (422, "rows[1].image")
    assert fault(good, 3).code == "wrong_type"
    assert fault("not base64!").code == "not_base64"
    assert fault(good, base64.b64encode(b"text").decode()).code == "not_a_picture"
    assert (fault(*[good] * 65).status, fault(*[good] * 65).code) == (413, "too_many_rows")
    monkeypatch.setattr(serving, "MOST_PIXELS", 500)
    assert (fault(good, good).status, fault(good, good).field) == (413, "rows[1].image")


def test_a_data_url_is_read_too(photo):
    body = file_of(photo[:20, :20])
    seen = serving.to_pixels(card(RGB), [f"data:image/png;base64,{base64.b64encode(body).decode()}", body])
    assert (seen[0] == seen[1]).all()


def test_sizes_come_from_the_data():
    assert side_for(np.array([[28, 28]] * 9), 60_000) == (28, 28)
    assert side_for(np.array([[20, 32]] * 9), 1000) == (20, 32)
    assert side_for(np.array([[20, 32], [22, 30]]), 1000) == (25, 25)
    assert side_for(np.array([[4, 4]] * 9), 1000) == (8, 8)
    assert side_for(np.array([[600, 800]] * 9), 1_000) == (128, 128)
    assert side_for(np.array([[600, 800]] * 9), 6_000) == (96, 96)
    assert side_for(np.array([[50, 60]] * 9), 6_000) == (48, 48)
    assert side_for(np.array([[600, 800]] * 9), 1_000_000) == (32, 32)


def test_colours_are_read_where_there_are_any(photo, some, zipped):
    from dropforge.datasets.zipped import open_zip, survey

    with open_zip(zipped(some)) as archive:
        assert rule_for(archive, survey(archive).members) == ImageInput(8, 8, 1)
    tiles = {f"{'ab'[at % 2]}/{at}.png": file_of(photo[at * 6 : at * 6 + 64, :64]) for at in range(60)}
    with open_zip(zipped(tiles)) as archive:
        assert rule_for(archive, survey(archive).members) == ImageInput(64, 64, 3)


def test_alike_pictures_never_cross_the_split(digit_files, zipped):
    from dropforge.contract.spec import Spec

    chosen = dict(list(digit_files.items())[:400])
    copies = {name.replace(".png", ".bmp"): file_of(np.asarray(Image.open(io.BytesIO(body))), "BMP")
              for name, body in list(chosen.items())[:50]}  # fmt: skip
    liar = next(name for name in chosen if name.startswith("zero/"))
    wrong = {"one/liar.png": chosen[liar]}
    broken = {"one/cut.png": chosen[liar][:60]}
    found = read_set(zipped({**chosen, **copies, **wrong, **broken}), Spec(), SilentProgress())
    inner = 3 if liar.replace(".png", ".bmp") in copies else 2
    assert found.counts["read"] == 452
    assert found.counts["contradicting"] == inner
    assert found.counts["unreadable"] == 1
    assert found.unreadable[0].startswith("one/cut.png: a broken picture")
    assert found.counts["duplicates"] == 50 - (inner - 2)
    parts = [{each.tobytes() for each in part.pixels} for part in (found.train, found.validation, found.holdout)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 399
    assert all(parts)
    again = read_set(
        zipped({f"other/{name}": body for name, body in reversed(chosen.items())}, "b.zip"), Spec(), SilentProgress()
    )
    assert {each.tobytes() for each in again.holdout.pixels} >= parts[2]
