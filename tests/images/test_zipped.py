"""Zips of pictures: what is read, what is set aside, and what is rejected with words."""

from __future__ import annotations

import io
import zipfile

import pytest

from dropforge.contract.spec import Spec, SpecFault
from dropforge.datasets import zipped as rules
from dropforge.datasets.faults import DataFault
from dropforge.datasets.picturewishes import task_of
from dropforge.datasets.zipped import open_zip, read_member, sniff_pictures, survey


def look(path):
    with open_zip(path) as archive:
        found = survey(archive)
        sniff_pictures(archive, found)
    return found


def test_one_folder_a_class(some, zipped):
    found = look(zipped(some))
    assert found.classes == ("one", "zero")
    assert len(found.members) == 120
    assert found.size == sum(map(len, some.values()))
    assert found.aside == ()


def test_folders_above_the_classes_and_below_them_change_nothing(some, zipped):
    deep = {f"data/digits/{name.replace('/', '/scans/')}": body for name, body in some.items()}
    assert look(zipped(deep)).classes == ("one", "zero")


def test_what_systems_leave_in_zips_is_ignored(some, zipped):
    junk = {"__MACOSX/one/._3.png": b"x", "one/.DS_Store": b"x", "zero/Thumbs.db": b"x", ".git/HEAD": b"x"}
    assert look(zipped({**some, **junk})).aside == ()


def test_names_of_classes_are_the_same_however_accents_were_written(some, zipped):
    mixed = {name.replace("one/", "e\u0301/" if at % 2 else "\u00e9/"): body
             for at, (name, body) in enumerate(some.items())}  # fmt: skip
    assert look(zipped(mixed)).classes == ("zero", "\u00e9")


def test_names_in_utf_8_that_do_not_say_so_are_read_as_it(some, zipped):
    path = zipped({name.replace("one/", "Äpfel/"): body for name, body in some.items()})
    body = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 7), (b"PK\x01\x02", 9)):
        at = body.find(mark)
        while at >= 0:
            body[at + flags] &= ~8  # the bit that says UTF-8
            at = body.find(mark, at + 1)
    path.write_bytes(bytes(body))
    found = look(path)
    assert found.classes == ("zero", "Äpfel")
    with open_zip(path) as archive:
        assert all(read_member(archive, each) for each in found.members)


def test_names_that_begin_with_a_dot_and_a_stroke_are_names(some, zipped):
    assert look(zipped({f"./{name}": body for name, body in some.items()})).classes == ("one", "zero")


def test_a_few_files_that_are_no_pictures_are_set_aside_by_name(some, zipped):
    found = look(zipped({**some, "README.md": b"hello", "cover.png": next(iter(some.values())), "one/empty.png": b""}))
    assert found.aside == (
        "README.md: no ending of a picture (.jpg, .jpeg, .jpe, .jfif, .png, .webp, .bmp, .gif)",
        "cover.png: in no class's folder",
        "one/empty.png: an empty file",
    )


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"../one/a.png": b"x"}, r"'\.\./one/a.png': a name that leads out"),
        ({"/etc/a.png": b"x"}, "'/etc/a.png': a name that leads out"),
        ({"one\\a.png": b"x"}, "a name that leads out"),
        ({f"one/{at}.txt": b"x" for at in range(9000, 9020)}, "20 of 140 files are no pictures .* more than 5%"),
        ({f"one/{at}.png": b"text" for at in range(9000, 9020)}, r"begins with b'text'"),
        ({"rare/a.png": b"\x89PNG\r\n\x1a\nx"}, "class 'rare' has 1 different picture; expected at least 5"),
        ({f"copies/{at}.png": b"\x89PNG\r\n\x1a\nx" for at in range(9)}, "class 'copies' has 1 different picture;"),
        ({f"{'x' * 201}/{at}.png": b"\x89PNG\r\n\x1a\n%d" % at for at in range(9)}, "at most 200 characters"),
    ],
)
def test_what_is_rejected(some, zipped, more, words):
    with pytest.raises(DataFault, match=words):
        look(zipped({**some, **more}))


def test_classes_there_must_be(some, zipped):
    with pytest.raises(DataFault, match="needs at least 2 classes, got .*'one'"):
        look(zipped({name: body for name, body in some.items() if name.startswith("one/")}))
    with pytest.raises(DataFault, match="are parts of a data set"):
        look(zipped({name.replace("one/", "train/").replace("zero/", "test/"): body for name, body in some.items()}))
    with pytest.raises(DataFault, match="needs at least 50 different pictures, got 20"):
        look(zipped(dict(list(some.items())[:20])))
    with pytest.raises(DataFault, match="holds no file"):
        look(zipped({}))


def test_no_zip_at_all(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    with pytest.raises(DataFault, match="cannot be read as a zip"):
        look(path)


def changed(path, old: bytes, new: bytes):
    """The zip with some bytes of all its headers replaced."""
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


def test_encrypted_members_are_refused(some, zipped):
    path = zipped(some)
    body = bytearray(path.read_bytes())
    at = body.index(b"PK\x01\x02")
    body[at + 8] |= 1  # the flag of the first entry of the directory
    path.write_bytes(bytes(body))
    with pytest.raises(DataFault, match="is encrypted; expected a zip without a password"):
        look(path)


def test_bombs_are_refused_by_what_they_declare(some, zipped, monkeypatch):
    path = zipped({**some, "one/bomb.png": bytes(2_000_000)})
    monkeypatch.setattr(rules, "MOST_PICTURE_BYTES", 1_000_000)
    with pytest.raises(DataFault, match="'one/bomb.png' is 2,000,000 bytes unpacked; expected at most 1,000,000"):
        look(path)
    monkeypatch.undo()
    monkeypatch.setattr(rules, "MOST_BYTES", 1_000_000)
    with pytest.raises(DataFault, match="bytes unpacked; expected at most 1,000,000: drop fewer"):
        look(path)
    monkeypatch.undo()
    monkeypatch.setattr(rules, "MOST_MEMBERS", 100)
    with pytest.raises(DataFault, match="holds 121 files; expected at most 100"):
        look(path)


def test_a_member_that_is_more_than_it_declares_is_not_read(some, zipped):
    path = zipped({**some, "one/liar.png": bytes(50_000)})
    changed(path, (50_000).to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    with open_zip(path) as archive:
        liar = next(each for each in survey(archive).members if each.info.filename == "one/liar.png")
        assert liar.info.file_size == 1_000
        with pytest.raises(ValueError, match="cannot be unpacked"):
            read_member(archive, liar)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(some, tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in [*some.items(), next(iter(some.items()))]:
            archive.writestr(name, body)
    (tmp_path / "a.zip").write_bytes(out.getvalue())
    with pytest.raises(DataFault, match="stands 2 times"):
        look(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"target": "price"}, "target: 'price': pictures have no columns"),
        ({"task": "regression"}, "task: 'regression': pictures of 2 classes are binary"),
        ({"task": "multiclass"}, "pictures of 2 classes are binary"),
        ({"drop": ("a",)}, "drop: .* pictures have no columns"),
        ({"split": "part"}, "split: 'part'"),
        ({"sensitive": ("a",)}, "sensitive: "),
        ({"groups": ("a",)}, "groups: "),
        ({"kinds": {"a": "number"}}, "kinds: "),
        ({"trusted": ("a",)}, "trusted: "),
        ({"search": "grid"}, "search: 'grid'"),
        ({"metric": "rmse"}, "metric: 'rmse' is none of binary; expected one of"),
    ],
)
def test_wishes_that_pictures_cannot_have_are_refused(wish, words):
    with pytest.raises(SpecFault, match=words):
        task_of(("a", "b"), Spec(**wish))


def test_wishes_that_pictures_can_have():
    assert (
        task_of(("a", "b"), Spec(target="class", task="binary", metric="accuracy", budget=1, search="none")) == "binary"
    )
    assert task_of(("a", "b", "c"), Spec()) == "multiclass"
