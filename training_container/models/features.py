"""Blocks that turn encoded tables into dense features, all learned on training rows and all exported with the model.

Every block is a module whose `forward` takes the groups of a `Table` by name and gives float32 [N, width].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from training_container.encoding import Table

Groups = dict[str, torch.Tensor]

OUTLIERS = (0.001, 0.999)
"""A number beyond these quantiles of the training rows counts as the quantile."""

DATE_FEATURES = ("year", "month", "weekday", "day of year", "hour", "days")


class RawNumbers(nn.Module):
    """Numbers, and the components of dates as numbers: [N, numbers + 6 · dates], NaN for missing."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.reference = 0
        if "dates" in table.groups:
            present = table.dates[table.dates[:, :, 6] > 0]
            self.reference = int(days_since_epoch(present).median()) if len(present) else 0

    def forward(self, groups: Groups) -> torch.Tensor:
        """The numbers first, then each component of all dates."""
        parts = [groups["numbers"]] if "numbers" in groups else []
        if "dates" in groups:
            parts.append(self.components(groups["dates"]))
        if not parts:
            return torch.zeros((groups["codes"].shape[0], 0), device=groups["codes"].device)
        return torch.cat(parts, dim=1)

    def components(self, dates: torch.Tensor) -> torch.Tensor:
        """`DATE_FEATURES` of [N, dates, 7] as [N, 6 · dates]."""
        days = days_since_epoch(dates)
        first = dates.clone()
        year = first[:, :, 0]
        new_year = torch.stack([year, torch.ones_like(year), torch.ones_like(year)], dim=2)
        seconds = dates[:, :, 3] * 3600 + dates[:, :, 4] * 60 + dates[:, :, 5]
        features = [
            year.float(),
            dates[:, :, 1].float(),
            ((days + 3) % 7).float(),  # 1970-01-01 was a Thursday, Monday is 0
            (days - days_since_epoch(new_year) + 1).float(),
            dates[:, :, 3].float(),
            (days - self.reference).float() + seconds.float() / 86400,
        ]
        present = torch.cat([dates[:, :, 6] > 0] * len(features), dim=1)
        return torch.where(present, torch.cat(features, dim=1), torch.nan)


def days_since_epoch(dates: torch.Tensor) -> torch.Tensor:
    """Days from 1970-01-01 of proleptic Gregorian dates [..., year month day …], by Hinnant's days_from_civil."""
    year, month, day = dates[..., 0], dates[..., 1], dates[..., 2]
    shifted = year - (month <= 2).long()
    era = torch.div(shifted, 400, rounding_mode="floor")
    of_era = shifted - era * 400
    of_year = torch.div(153 * ((month + 9) % 12) + 2, 5, rounding_mode="floor") + day - 1
    leaps = torch.div(of_era, 4, rounding_mode="floor") - torch.div(of_era, 100, rounding_mode="floor")
    return era * 146097 + of_era * 365 + leaps + of_year - 719468


class Standardised(nn.Module):
    """Numbers imputed by the median, clipped, standardised; then 0/1 for those that had missing values in training."""

    median: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    gaps: torch.Tensor
    """Places of the columns that had missing values."""

    def __init__(self, raw: RawNumbers, table: Table) -> None:
        super().__init__()
        self.raw = raw
        values = raw(table.groups).double()
        low, median, high = quantiles(values, [OUTLIERS[0], 0.5, OUTLIERS[1]])
        low, high = _open(values, low, high)
        missing = values.isnan()
        filled = torch.where(missing, median, values).clamp(low, high)
        spread = filled.std(dim=0, correction=0) if filled.shape[1] else filled[:0].sum(dim=0)
        for name, value in (("median", median), ("low", low), ("high", high), ("mean", filled.mean(dim=0))):
            self.register_buffer(name, value.float())
        self.register_buffer("spread", torch.where(spread > 1e-12, spread, 1.0).float())
        self.register_buffer("gaps", missing.any(dim=0).nonzero().flatten())
        self.width = values.shape[1] + len(self.gaps)

    def forward(self, groups: Groups) -> torch.Tensor:
        """[N, numbers + numbers with gaps]."""
        values = self.raw(groups)
        missing = values.isnan()
        filled = torch.where(missing, self.median, values).clamp(self.low, self.high)
        scaled = (filled - self.mean) / self.spread
        return torch.cat([scaled, missing[:, self.gaps].float()], dim=1) if len(self.gaps) else scaled


def quantiles(values: torch.Tensor, shares: Sequence[float]) -> torch.Tensor:
    """Quantiles of each column without its NaNs, [shares, columns]; 0 for a column of NaNs. Sorts, so any N works."""
    ordered = values.sort(dim=0).values  # NaN sorts last
    known = (~values.isnan()).sum(dim=0)
    places = (
        (torch.tensor(shares, dtype=values.dtype, device=values.device)[:, None] * (known - 1).clamp(min=0))
        .round()
        .long()
    )
    return torch.where(known > 0, ordered.gather(0, places), 0.0)


def _open(values: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bounds for clipping: a column that is almost constant keeps its whole range, or clipping would empty it."""
    least, most = quantiles(values, [0.0, 1.0])
    closed = low == high
    return torch.where(closed, least, low), torch.where(closed, most, high)


class Piecewise(nn.Module):
    """Piecewise linear encoding: a number becomes how far it has filled each of its quantile bins, 0 to 1.

    Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning" (2022). A missing number counts
    as the median; `Standardised`, which always stands beside, says that it was missing.
    """

    column: torch.Tensor
    median: torch.Tensor
    left: torch.Tensor
    size: torch.Tensor

    def __init__(self, raw: RawNumbers, table: Table, bins: int) -> None:
        super().__init__()
        self.raw = raw
        values = raw(table.groups).double()
        edges = quantiles(values, [number / bins for number in range(bins + 1)]).T
        column, left, right = [], [], []
        for at, row in enumerate(edges):
            steps = row.unique()
            column += [at] * (len(steps) - 1)
            left += steps[:-1].tolist()
            right += steps[1:].tolist()
        self.register_buffer("column", torch.tensor(column, dtype=torch.long))
        self.register_buffer("median", quantiles(values, [0.5])[0].float())
        self.register_buffer("left", torch.tensor(left))
        self.register_buffer("size", torch.tensor(right) - torch.tensor(left))
        self.width = len(column)

    def forward(self, groups: Groups) -> torch.Tensor:
        """[N, bins of all numbers]."""
        values = self.raw(groups)
        filled = torch.where(values.isnan(), self.median, values)
        return ((filled[:, self.column] - self.left) / self.size).clamp(0, 1)


class OneHot(nn.Module):
    """0/1 for every code of every coded column, all at once: a node of the graph a step, not a column."""

    column: torch.Tensor
    code: torch.Tensor

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.width = sum(sizes)
        self.register_buffer("column", torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes).long()))
        self.register_buffer("code", torch.cat([torch.arange(size, dtype=torch.int32) for size in (*sizes, 0)]))

    def forward(self, groups: Groups) -> torch.Tensor:
        """[N, codes of all columns]."""
        codes = groups["codes"].int().index_select(1, self.column)
        return (codes == self.code).float()


class Block(Protocol):
    """What `Features` puts side by side: a module that knows its width."""

    width: int


class Features(nn.Module):
    """Blocks side by side: [N, sum of their widths]; empty blocks are left out."""

    def __init__(self, *blocks: Block) -> None:
        super().__init__()
        kept = [block for block in blocks if block.width]
        self.blocks = nn.ModuleList(cast("list[nn.Module]", kept))
        self.width = sum(block.width for block in kept)

    def forward(self, groups: Groups) -> torch.Tensor:
        """All features."""
        return torch.cat([block(groups) for block in self.blocks], dim=1)


def plain_features(table: Table, sizes: Sequence[int]) -> Features:
    """What a linear model reads: standardised numbers and one-hot codes."""
    return Features(Standardised(RawNumbers(table), table), OneHot(sizes))
