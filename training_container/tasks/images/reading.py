"""A zip of pictures read into three parts: decoded as they will be when served, alike ones once, split by content.

Broken pictures are set aside by name up to a share (`zipped.MOST_BROKEN`). Pictures with the same pixels count once;
with the same pixels in two classes they count not at all, for one of the two is wrong. The split goes by a hash of the
pixels that the network sees, so that no picture of the hold-out was learned from under another name or in another
format.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from dropforge.contract.remarks import remark
from dropforge.datasets.picturewishes import TARGET, task_of
from dropforge.datasets.splitting import split
from dropforge.datasets.zipped import check_aside, check_counts, open_zip, read_member, survey
from dropforge.pictures import PictureFault, decoded
from training_container.tasks.images.sets import ImageSet, Pictures
from training_container.tasks.images.sizes import rule_for
from training_container.threads import cores

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dropforge.contract.remarks import Remark
    from dropforge.contract.schema import ImageInput
    from dropforge.contract.spec import Spec
    from dropforge.datasets.zipped import Member
    from training_container.progress import Progress

PICTURES_AT_ONCE = 256
"""Pictures whose files lie in memory together."""
PROFILE_NAMES = 100
"""Names of each kind that the profile lists."""


@dataclass(frozen=True)
class Decoded:
    """The pictures that could be read, and `<name>: <why>` of those that could not."""

    pictures: Pictures
    broken: tuple[str, ...]


def read_set(path: Path, spec: Spec, progress: Progress) -> ImageSet:
    """The zip at `path`, ready to learn from.

    Raises:
        DataFault: it breaks a rule of `docs/images.md`; the message says which and where.
        SpecFault: a wish that pictures cannot have.
    """
    progress.update(0.0, files=1)
    with open_zip(path) as archive:
        surveyed = survey(archive)
        task_of(surveyed.classes, spec)
        rule = rule_for(archive, surveyed.members)
        read = decode_all(archive, surveyed.members, surveyed.classes, rule, progress.within(0.1, 1.0))
    unreadable = (*surveyed.aside, *read.broken)
    check_aside(unreadable, len(surveyed.members) + len(surveyed.aside))
    hashes = pixel_hashes(read.pictures.pixels)
    kept, contradicting = distinct(hashes, read.pictures.codes)
    pictures = read.pictures.take(kept)
    check_counts(Counter(surveyed.classes[code] for code in pictures.codes.tolist()))
    parts = split(hashes[kept], pictures.codes)
    counts = {
        "read": len(surveyed.members) + len(surveyed.aside),
        "duplicates": len(hashes) - len(kept) - len(contradicting),
        "contradicting": len(contradicting),
        "unreadable": len(unreadable),
        **{name: len(part) for name, part in parts.items()},
    }
    said = [read.pictures.names[place] for place in contradicting[:PROFILE_NAMES].tolist()]
    progress.update(1.0, pictures=counts["read"], classes=len(surveyed.classes), train=counts["train"])
    return ImageSet(
        classes=surveyed.classes,
        rule=rule,
        **{name: pictures.take(part) for name, part in parts.items()},
        counts=counts,
        unreadable=unreadable,
        profile=profile_of(surveyed.classes, rule, pictures.take(parts["train"]), counts, unreadable, said),
    )


def decode_all(archive: zipfile.ZipFile, members: Sequence[Member], classes: Sequence[str], rule: ImageInput,
               progress: Progress) -> Decoded:  # fmt: skip
    """Every picture by the rule, on all cores: Pillow lets go of Python's lock while it decodes."""
    codes = {name: code for code, name in enumerate(classes)}
    pixels = np.empty((len(members), rule.height, rule.width, rule.channels), np.uint8)
    kept: list[int] = []
    broken: list[str] = []
    with ThreadPoolExecutor(min(4, cores())) as pool:
        for first in range(0, len(members), PICTURES_AT_ONCE):
            some = members[first : first + PICTURES_AT_ONCE]
            for place, decoded in enumerate(pool.map(lambda body: _try(body, rule), _bodies(archive, some)), first):
                if isinstance(decoded, str):
                    broken.append(f"{members[place].info.filename}: {decoded}")
                else:
                    pixels[len(kept)] = decoded
                    kept.append(place)
            progress.update((first + len(some)) / len(members))
    labels = np.array([codes[members[place].label] for place in kept], np.int64)
    names = tuple(members[place].info.filename for place in kept)
    return Decoded(Pictures(pixels[: len(kept)], labels, names), tuple(broken))


def _bodies(archive: zipfile.ZipFile, members: Sequence[Member]) -> Iterator[bytes | str]:
    """The file of each, or why it cannot be unpacked."""
    for member in members:
        try:
            yield read_member(archive, member)
        except ValueError as fault:
            yield str(fault)


def _try(content: bytes | str, rule: ImageInput) -> np.ndarray | str:
    if isinstance(content, str):
        return content
    try:
        return decoded(content, rule)
    except PictureFault as error:
        return str(error)


def pixel_hashes(pixels: np.ndarray) -> np.ndarray:
    """One uint64 a picture, [N], of uint8 [N, H, W, C]."""
    digests = (blake2b(picture.tobytes(), digest_size=8).digest() for picture in pixels)
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def distinct(hashes: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the first of each picture, and of all that stand in two classes."""
    _, first, group = np.unique(hashes, return_index=True, return_inverse=True)
    wrong = np.zeros(len(first), bool)
    wrong[group[codes != codes[first][group]]] = True
    return np.sort(first[~wrong]), np.flatnonzero(wrong[group])


def remarks_on_pictures(counts: dict[str, int]) -> tuple[Remark, ...]:
    """Which pictures were not learned from, the worst first."""
    reasons = {
        "contradicting": "lie in two classes with the same pixels and were left out: put each into one folder.",
        "unreadable": "could not be read and were set aside: the report names them.",
        "duplicates": "repeat another picture's pixels and count once.",
    }
    codes = {"duplicates": "repeated_rows"}
    return tuple(
        remark(codes.get(name, name), f"{counts[name]:,} of {counts['read']:,} pictures {reason}")
        for name, reason in reasons.items()
        if counts[name]
    )


def profile_of(classes: Sequence[str], rule: ImageInput, train: Pictures, counts: dict[str, int],
               unreadable: Sequence[str], contradicting: Sequence[str]) -> dict[str, Any]:  # fmt: skip
    """`profile.json`, over the training pictures alone but for what was left out."""
    sizes = np.bincount(train.codes, minlength=len(classes)).tolist()
    brightness = train.pixels.reshape(len(train), -1).mean(axis=1)
    deciles = np.quantile(brightness, np.linspace(0.1, 0.9, 9)).tolist()
    return {
        "schema": "dropforge.profile/1",
        "rows": counts,
        "target": {"name": TARGET, "kind": "class", "classes": list(classes),
                   "counts": dict(zip(classes, sizes, strict=True))},
        "image": rule.to_json(),
        "brightness": {"mean": float(brightness.mean()), "deciles": deciles},
        "unreadable": list(unreadable[:PROFILE_NAMES]),
        "contradicting": list(contradicting),
        "columns": {},
        "dropped": {},
        "suspects": [],
        "remarks": [remark.to_json() for remark in remarks_on_pictures(counts)],
        "personal": [],
    }  # fmt: skip
