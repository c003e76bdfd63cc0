"""A zip of pictures, one folder a class: what its directory says, checked before anything is unpacked.

Nothing is ever written to disk, so that no name can lead out of a folder; still a zip with such names, with encrypted
members, or with more in it than a machine can hold is rejected whole. What operating systems leave in zips
(`__MACOSX`, `.DS_Store`, `Thumbs.db`, names that begin with a dot) is ignored. Needs the standard library alone.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dropforge.datasets.faults import DataFault

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_MEMBERS = 500_000
MOST_BYTES = 16 * 2**30
"""Unpacked, all members together, as the zip declares them."""
MOST_PICTURE_BYTES = 64 * 2**20
"""Of one picture's file."""
MOST_CLASSES = 1_000
LONGEST_CLASS = 200
"""Characters of a class's name."""
FEWEST_PICTURES, FEWEST_OF_CLASS = 50, 5
"""Different pictures, as with the rows of a table."""
MOST_BROKEN = 0.05
"""Share of the files that may be no pictures and are set aside; beyond it the whole data set is doubtful."""
NAMED = 5
"""Files that a message names."""
SNIFFED = 500
"""Files, spread evenly, whose first bytes are looked at before a machine is paid for."""

ENDINGS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif")
PARTS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval", "holdout"))
JUNK = frozenset(("__MACOSX", "Thumbs.db", "thumbs.db", "desktop.ini", "Desktop.ini"))
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
"""What Python's zip reader raises on broken members."""


@dataclass(frozen=True)
class Member:
    """One picture of the zip."""

    info: zipfile.ZipInfo
    label: str
    """Its class."""


@dataclass(frozen=True)
class Survey:
    """What the directory of a zip says."""

    classes: tuple[str, ...]
    """Sorted."""
    members: tuple[Member, ...]
    """In the order of their names."""
    aside: tuple[str, ...]
    """`<name>: <why>` of every file that is no picture of a class."""
    size: int
    """Bytes, unpacked."""


def open_zip(path: Path) -> zipfile.ZipFile:
    """The zip, its directory read.

    Raises:
        DataFault: it is none, or has more members than are read.
    """
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE as fault:
        raise DataFault(f"{path.name!r} cannot be read as a zip ({fault}); expected one folder a class: "
                        "zip it anew") from fault  # fmt: skip
    if len(archive.infolist()) > MOST_MEMBERS:
        raise DataFault(f"{path.name!r} holds {len(archive.infolist()):,} files; expected at most {MOST_MEMBERS:,}: "
                        "drop fewer pictures")  # fmt: skip
    return archive


def survey(archive: zipfile.ZipFile) -> Survey:
    """Classes and pictures by the names in the zip.

    Raises:
        DataFault: names, sizes or classes break a rule; the message names the first.
    """
    files = [member for member in archive.infolist() if not member.is_dir() and not _is_junk(member.filename)]
    check_members(files)
    inside = sorted(((_folders(member), member) for member in files), key=lambda pair: pair[1].filename)
    reasons = {member.filename: _why_not(folders, member) for folders, member in inside}
    pictures = [(folders, member) for folders, member in inside if not reasons[member.filename]]
    aside = tuple(f"{name}: {why}" for name, why in reasons.items() if why)
    check_aside(aside, len(files))
    bare = without_top([folders for folders, _ in pictures])
    members = tuple(Member(member, folders[0]) for folders, (_, member) in zip(bare, pictures, strict=True))
    classes = tuple(sorted({member.label for member in members}))
    check_classes(classes, members)
    return Survey(classes, members, aside, sum(member.file_size for member in files))


def read_member(archive: zipfile.ZipFile, member: Member) -> bytes:
    """The picture's bytes: never more than its directory entry declared, whatever lies there.

    Raises:
        ValueError: it cannot be unpacked, or is not what was declared.
    """
    try:
        with archive.open(member.info) as file:
            body = file.read(member.info.file_size + 1)
    except UNREADABLE as fault:
        raise ValueError(f"cannot be unpacked ({fault})") from fault
    if len(body) != member.info.file_size:
        raise ValueError(f"{len(body)} bytes, {member.info.file_size} declared")
    return body


def sniff_pictures(archive: zipfile.ZipFile, surveyed: Survey) -> None:
    """Refuses, with `DataFault`, a zip whose files are not what their endings say, from the first bytes of some."""
    step = max(1, len(surveyed.members) // SNIFFED)
    some = surveyed.members[::step]
    wrong = [f"{member.info.filename}: {why}" for member in some if (why := _not_a_picture(archive, member))]
    check_aside((*surveyed.aside[: len(some)], *wrong), len(some) + len(surveyed.aside[: len(some)]))


def _not_a_picture(archive: zipfile.ZipFile, member: Member) -> str:
    try:
        with archive.open(member.info) as file:
            head = file.read(16)
    except UNREADABLE as fault:
        return f"cannot be unpacked ({fault})"
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    known = head.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM"))
    return "" if webp or known else f"begins with {head[:8]!r}, as no JPEG, PNG, WebP, BMP or GIF does"


def check_members(files: Sequence[zipfile.ZipInfo]) -> None:
    """Refuses names that lead out of a folder, encrypted and doubled members, and more bytes than are unpacked."""
    if not files:
        raise DataFault("the zip holds no file; expected pictures, one folder a class")
    for member in files:
        if "\\" in member.filename or member.filename.startswith("/") or ".." in member.filename.split("/"):
            raise DataFault(f"{member.filename!r}: a name that leads out of its folder; expected <class>/<picture>: "
                            "zip the folder itself")  # fmt: skip
        if member.flag_bits & 1:
            raise DataFault(f"{member.filename!r} is encrypted; expected a zip without a password: zip it anew")
        if member.compress_type not in READABLE:
            raise DataFault(f"{member.filename!r} is packed by method {member.compress_type}; expected deflate or "
                            "store: zip it anew")  # fmt: skip
        if member.file_size > MOST_PICTURE_BYTES:
            raise DataFault(f"{member.filename!r} is {member.file_size:,} bytes unpacked; expected at most "
                            f"{MOST_PICTURE_BYTES:,} a picture: shrink it")  # fmt: skip
    names = Counter(member.filename for member in files)
    name, times = names.most_common(1)[0]
    if times > 1:
        raise DataFault(f"{name!r} stands {times} times in the zip; expected each name once: zip it anew")
    size = sum(member.file_size for member in files)
    if size > MOST_BYTES:
        raise DataFault(f"{size:,} bytes unpacked; expected at most {MOST_BYTES:,}: drop fewer or smaller pictures")


def check_aside(aside: Sequence[str], files: int) -> None:
    """Refuses, with `DataFault`, when more files than `MOST_BROKEN` of all are set aside."""
    if len(aside) > MOST_BROKEN * files:
        raise DataFault(
            f"{len(aside)} of {files} files are no pictures that can be read, more than {MOST_BROKEN:.0%}: "
            f"{'; '.join(aside[:NAMED])}{' …' if len(aside) > NAMED else ''}; mend them or leave them out"
        )


def check_classes(classes: Sequence[str], members: Sequence[Member]) -> None:
    """Refuses, with `DataFault`, too few or too many classes, and classes with too few different pictures.

    Members of equal size and checksum count once.
    """
    if PARTS.issuperset(name.lower() for name in classes):
        raise DataFault(f"the folders {list(classes)} are parts of a data set; expected one folder a class: put the "
                        "pictures of a class into one folder, the hold-out is chosen by content")  # fmt: skip
    if len(classes) < 2:
        raise DataFault(f"needs at least 2 classes, got {list(classes)}; expected one folder a class: add a folder "
                        "with other pictures")  # fmt: skip
    if len(classes) > MOST_CLASSES:
        raise DataFault(f"{len(classes):,} classes; expected at most {MOST_CLASSES:,} folders: merge some")
    long = next((name for name in classes if len(name) > LONGEST_CLASS or not name.isprintable()), None)
    if long is not None:
        raise DataFault(f"folder {long[:60]!r}: expected a printable name of at most {LONGEST_CLASS} characters")
    check_counts(Counter(member.label for member in _different(members)))


def check_counts(counts: Counter[str]) -> None:
    """Refuses, with `DataFault`, classes and data sets with too few different pictures."""
    rare = sorted(name for name, count in counts.items() if count < FEWEST_OF_CLASS)
    if rare:
        count = counts[rare[0]]
        others = f" (and {len(rare) - 1} more classes)" if len(rare) > 1 else ""
        raise DataFault(f"class {rare[0]!r} has {count} different picture{'s' if count != 1 else ''}{others}; expected "
                        f"at least {FEWEST_OF_CLASS} of every class: add some, or leave the folder out")  # fmt: skip
    if counts.total() < FEWEST_PICTURES:
        raise DataFault(f"needs at least {FEWEST_PICTURES} different pictures, got {counts.total()}; expected more: "
                        "drop a larger data set")  # fmt: skip


def _different(members: Sequence[Member]) -> list[Member]:
    return list({(member.label, member.info.CRC, member.info.file_size): member for member in members}.values())


UTF_8 = 0x800
"""The flag of a member whose name is UTF-8."""


def _is_junk(name: str) -> bool:
    return any(part in JUNK or part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def _folders(info: zipfile.ZipInfo) -> tuple[str, ...]:
    """The folders of a member, spelled in one way whatever system zipped it."""
    parts = [part for part in _name(info).split("/")[:-1] if part not in ("", ".")]
    return tuple(unicodedata.normalize("NFC", part).strip() for part in parts)


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name; some systems write UTF-8 without saying so, which is then read as code page 437."""
    if info.flag_bits & UTF_8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode()
    except UnicodeError:
        return info.filename


def _why_not(folders: tuple[str, ...], info: zipfile.ZipInfo) -> str:
    """Why a member is no picture of a class, by its name alone."""
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link"
    if not info.filename.lower().endswith(ENDINGS):
        return f"no ending of a picture ({', '.join(ENDINGS)})"
    if not info.file_size:
        return "an empty file"
    return "" if any(folders) else "in no class's folder"


def without_top(folders: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The folders of each picture from its class on: what all have in common above it is taken off."""
    inner = list(folders)
    while inner and len({path[0] for path in inner}) == 1 and all(len(path) > 1 for path in inner):
        inner = [path[1:] for path in inner]
    return inner
