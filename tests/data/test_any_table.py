"""Whatever stands in a table's cells, the answer is a data set or a reason."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dropforge.contract.spec import SpecFault
from dropforge.datasets.dataset import Options
from dropforge.datasets.faults import DataFault
from dropforge.datasets.prepare import prepare_table

POOLS = st.lists(
    st.one_of(
        st.sampled_from(
            ["", "NA", "None", "?", "yes", "no", "true", "0", "1", "007", "1e400", "-0", "inf", "12,5", "1,234", "$"]
        ),
        st.sampled_from(["2024-02-30", "2024-13-01", "1/2/2024", "31/12/2024", "31.12.2024", "2024-01-01T25:00", "٣"]),
        st.floats(allow_nan=False).map(str),
        st.integers().map(str),
        st.text(max_size=6),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pools=st.lists(POOLS, min_size=2, max_size=4), rows=st.integers(50, 130), step=st.integers(1, 40))
def test_any_cells_give_a_data_set_or_a_reason(pools, rows, step):
    columns = {
        f"c{place}": [pool[at * (step + place) // 3 % len(pool)] for at in range(rows)]
        for place, pool in enumerate(pools)
    }
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    try:
        data = prepare_table(table, Options())
    except (DataFault, SpecFault) as fault:
        assert str(fault)
        return
    json.dumps(data.profile, allow_nan=False)
    assert sum(len(part) for part in (data.train, data.validation, data.holdout)) > 0
    for column in data.columns:
        values = data.train.columns[column.name]
        assert not np.isinf(values).any() if column.kind == "number" else all(type(value) is str for value in values)
    assert np.isfinite(data.train.target).all()


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=9),
    whole=st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=9),
)
def test_any_typed_cells_give_a_data_set_or_a_reason(numbers, whole):
    table = pl.DataFrame(
        {
            "f": pl.Series([numbers[at % len(numbers)] for at in range(90)], dtype=pl.Float64),
            "i": pl.Series([whole[at % len(whole)] for at in range(90)], dtype=pl.Int64),
            "n": [at * 37 % 89 / 3 for at in range(90)],
            "target": [at % 3 for at in range(90)],
        }
    )
    try:
        data = prepare_table(table, Options())
    except DataFault as fault:
        assert str(fault)
    else:
        json.dumps(data.profile, allow_nan=False)
