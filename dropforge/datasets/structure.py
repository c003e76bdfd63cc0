"""Rows that are no independent draws: a column whose values are patients, customers or machines with several rows each.

A model that has learned from some rows of a patient knows the others, so that a hold-out of single rows flatters it.
The rule, over every column but the target:

1. at least `splitgroups.FEWEST_GROUPS` different values, and two rows of each on average; dates and columns with a
   value in fewer than `LEAST_KNOWN` of the rows are none;
2. rows of one value are alike in the target: the share of its variance that lies between the values is beyond what
   `SHUFFLES` permutations of the target reach, by `SURE` of their standard deviations, and at least `LEAST_SHARE` above
   their mean;
3. the name is that of an entity (patient, customer, machine number …), or an id's (`visit_id`, `id`) that does not
   name what later rows will hold again (`KINDS_OF_THINGS`: `store_id`, `city_id`, `product_id`), and numbers in the
   column are whole.

A column that meets all three with at least `ENOUGH_GROUPS` values splits the rows. One with fewer values, and one whose
name says nothing but whose values are written as codes are (`P039`), is only proposed: a category such as a city or an
airline also repeats and tells the target, and its values will be seen again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dropforge.datasets.columns import is_id_name
from dropforge.datasets.hashing import mix
from dropforge.datasets.splitgroups import FEWEST_GROUPS, grouped
from dropforge.datasets.typed import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from dropforge.datasets.columns import Described
    from dropforge.datasets.hashing import Hashes
    from dropforge.datasets.splitgroups import Grouped
    from dropforge.datasets.table import Table

PERSONS = frozenset(
    "patient subject subj participant respondent person individual member customer client user buyer shopper "
    "subscriber visitor guest household account student pupil employee worker driver player athlete donor "
    "animal mouse rat cow pig".split()
)  # fmt: skip
MACHINES = frozenset("machine device sensor engine turbine vehicle session specimen unit".split())
"""Words that name who or what was observed; later rows are mostly of others. Without `id` or `number` beside it, a
machine's word may as well name a model of it, or its size."""

NUMBERED = frozenset("id ids uid uuid guid no nr num number ref hash serial".split())
OF_NAMES = NUMBERED | {"key", "code", "name", "the"}
"""Words that may stand beside one of them."""

KINDS_OF_THINGS = frozenset(
    "index idx key row year month week weekday day date time hour minute quarter season period age city town "
    "state county country nation region zip zipcode postal postcode area zone district neighborhood neighbourhood "
    "location loc place station airport route road street store shop branch warehouse hospital clinic school site "
    "center centre product item sku brand make model category cat type kind class genre grade group dept "
    "department team league lg club carrier airline vendor supplier seller merchant manufacturer company industry "
    "sector job occupation role language currency color colour status reason code campaign channel source plan "
    "tier course movie film book song artist".split()
)  # fmt: skip
"""Words that name what a later row will hold again."""

ENOUGH_GROUPS = 20
LEAST_KNOWN = 0.95
SURE, LEAST_SHARE = 5.0, 0.1
SHUFFLES = 99
MOST_ROWS = 20_000
"""Rows that are looked at: those of the first groups in the order of their hashes."""

DIGITS = r"\d"
CODES = 0.9
"""Share of the values of a category that hold a digit, where they are codes."""


@dataclass(frozen=True)
class GroupColumn:
    """A column by which rows are grouped."""

    column: str
    count: int
    """Different values."""
    share: float
    """Of the target's variance, what lies between the values, beyond chance."""
    is_sure: bool
    """Whether rows are split by it unless the owner says otherwise."""


def find_groups(
    table: Table, described: Mapping[str, Described], target: NDArray[np.float64], rows: Hashes
) -> list[GroupColumn]:
    """Every column by which rows are grouped, the surest first.

    Args:
        table: the rows.
        described: its columns.
        target: numbers, or a column of 0 and 1 for each class: float64 [N, outputs].
        rows: the rows' hashes.
    """
    columns = []
    for name, column in described.items():
        is_entity = is_entity_name(name)
        if not (is_entity or _may_be_entity(table, column)) or not _repeats(table, column):
            continue
        groups = grouped(table[name], rows)
        count, share = len(groups.hashes), likeness(groups, target)
        if share >= LEAST_SHARE and (is_entity or count >= ENOUGH_GROUPS):
            columns.append(GroupColumn(name, count, share, is_entity and count >= ENOUGH_GROUPS))
    known = PERSONS | MACHINES
    return sorted(columns, key=lambda one: (not one.is_sure, _words(one.column).isdisjoint(known), -one.share))


def is_entity_name(name: str) -> bool:
    """Whether a column is called as one is whose values are patients, customers, machines …, or other ids."""
    words = _words(name)
    if words & PERSONS and words <= PERSONS | OF_NAMES:
        return True
    if words & MACHINES and words & NUMBERED and words <= MACHINES | NUMBERED:
        return True
    return is_id_name(name) and bool(words & {"id", "ids", "uuid", "guid"}) and not words & KINDS_OF_THINGS


def _words(name: str) -> set[str]:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"(?<=ID)(?=[A-Z][a-z])", " ", name)).lower()
    return {_bare(word) for word in re.split(r"[\W_\d]+", words) if word}


def _bare(word: str) -> str:
    """A word without the `id` at its end (`customerid`), where that makes it one of those known here."""
    bare = word.removesuffix("id")
    return bare if bare in PERSONS | MACHINES | KINDS_OF_THINGS else word


def _may_be_entity(table: Table, column: Described) -> bool:
    """Whether a column whose name says nothing holds codes, as `P039` is one."""
    if column.kind != "category" or column.left_out is not None or _words(column.name) & KINDS_OF_THINGS:
        return False
    distinct = table.facts(column.name).distinct
    return not distinct.dtype.is_numeric() and bool(distinct.str.contains(DIGITS).mean() >= CODES)  # type: ignore[operator]


def _repeats(table: Table, column: Described) -> bool:
    facts = table.facts(column.name)
    if column.kind in ("date", "boolean") or facts.known < LEAST_KNOWN * facts.rows:
        return False
    if column.kind == "number":
        numbers = numbers_of(facts.distinct, column.numbers)
        if not (numbers == numbers.floor()).all():
            return False
    return FEWEST_GROUPS <= facts.count <= facts.known / 2


def likeness(groups: Grouped, target: NDArray[np.float64]) -> float:
    """Share of the target's variance between the groups beyond that of permutations; 0 where it may be chance."""
    codes, values = _some(groups, target)
    values = values - values.mean(axis=0)
    total = float((values**2).sum())
    if total <= 0 or len(values) <= codes.max() + 1:
        return 0.0
    seen = between(codes, values) / total
    chance = np.array([between(codes, values[order]) / total for order in _orders(len(codes))])
    if seen <= chance.max() or seen < chance.mean() + SURE * chance.std():
        return 0.0
    return float((seen - chance.mean()) / (1 - chance.mean()))


def _some(groups: Grouped, target: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The rows of the first groups, and their targets as ranks where these are numbers, which tame heavy tails."""
    last = int(np.searchsorted(np.cumsum(groups.sizes), MOST_ROWS)) + 1
    mask = groups.codes < last  # groups are in the order of their hashes
    values = target[mask]
    if values.shape[1] == 1:
        _, places, counts = np.unique(values[:, 0], return_inverse=True, return_counts=True)
        values = (np.cumsum(counts) - counts / 2)[places][:, None]
    return groups.codes[mask], values


def between(codes: NDArray[np.int64], values: NDArray[np.float64]) -> float:
    """The sum of squares of centred values [N, outputs] that lies between the groups."""
    sizes = np.maximum(np.bincount(codes), 1)
    return sum(float((np.bincount(codes, column) ** 2 / sizes).sum()) for column in values.T)


def _orders(rows: int) -> Iterator[NDArray[np.int64]]:
    """Permutations that are the same on every machine; functions do without `numpy.random`."""
    for number in range(1, SHUFFLES + 1):
        yield np.argsort(mix(np.arange(rows, dtype=np.uint64) + np.uint64(number * rows)), kind="stable")
