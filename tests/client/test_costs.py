"""The price sheet: its arithmetic done again by hand, and compared with figures worked out elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdk_app.reconciler import MINUTES
from dropforge.client import costs
from dropforge.client.costs import Line, Use
from dropforge.contract.prices import ENDPOINTS, HOURS, PRICES, Prices


def dollars(lines: list[Line], *names: str) -> float:
    return sum(line.dollars() for line in lines if line.what in names)


def test_an_idle_month_by_hand() -> None:
    lines = costs.idle(image_gigabytes=9, gigabytes=100)
    lists, table = 2 * 2_920 * 0.005e-3, 2_920 * (3 * 0.125e-6 + 0.625e-6)
    function = 2_920 * (0.20e-6 + 0.512 * 0.0000166667)
    stored = 9 * 0.10 + 100 * 0.023 + 0.01 * 0.45
    assert costs.total(lines) == pytest.approx(1.00 + 15 * 0.10 + 3.00 + stored + lists + table + function)
    # five alarms above the ten that are free, no dashboard and function, and the table within its free 25 GB
    assert costs.to_pay(lines) == pytest.approx(1.00 + 5 * 0.10 + stored - 0.01 * 0.25 + lists + table)
    assert dollars(lines, "object_puts") == pytest.approx(0.0292)


def test_the_sheet_counts_the_reconciler_as_it_is() -> None:
    assert costs.LOOK_MINUTES == MINUTES
    assert costs.LOOK_LISTS + costs.LOOK_READS + 1 == 6, "as many calls as tests/steps/test_reconcile.py counts"


def test_a_sheet_at_ones_own_prices() -> None:
    own = Prices.of({"ml.m5.xlarge": 1, "endpoint:ml.m5.large": 0.2, "image_bytes": 0.5, "alarm": 0})
    listed, ours = costs.sheet(), costs.sheet(prices=own, image_gigabytes=10)
    assert ours["idle"]["dollars"] == pytest.approx(listed["idle"]["dollars"] + 10 * 0.5 - 8 * 0.10 - 15 * 0.10)
    assert (ours["run"]["training"]["ml.m5.xlarge"], ours["uses"][0]["training_dollars"]) == (1.0, round(40 / 60, 2))
    way = "a real-time endpoint a model (ml.m5.large)"
    assert [sheet["uses"][0]["serving"][way] for sheet in (listed, ours)] == [83.95, 146.0]
    assert ours["break_even"] < listed["break_even"]
    assert (listed["own_prices"], ours["own_prices"]) == ({}, own.own)


def test_a_million_predictions_by_hand() -> None:
    lines = costs.predictions(1_000_000)
    served = dollars(lines, "api_requests", "function_requests", "function_seconds")
    assert served == pytest.approx(3.50 + 0.20 + 1_000_000 * 0.005 * 1.769 * 0.0000166667)
    assert round(served, 2) == 3.85
    assert costs.total(lines) == pytest.approx(served + 0.8 * 0.50 + 20_000 * 0.125e-6)
    assert costs.to_pay(lines) == pytest.approx(3.50 + 20_000 * 0.125e-6), "a million calls are free to Lambda"


def test_traces_cost_more_than_the_calls_unless_there_are_many() -> None:
    few = costs.predictions(1_000_000, traced=True)
    assert dollars(few, "traces") == pytest.approx(5.00)
    assert dollars(few, "traces") > dollars(few, "api_requests")
    seconds = HOURS * 3600
    assert costs.traces(100_000_000) == pytest.approx(seconds + 0.05 * (100_000_000 - seconds))


def test_detailed_metrics_are_counted_by_route() -> None:
    (line,) = costs.options()
    assert line.dollars() == pytest.approx(len(costs.ROUTES) * 5 * 0.30)


def test_training_is_minutes_of_the_instance() -> None:
    assert costs.training("ml.g6.xlarge", 30) == pytest.approx(1.127 / 2)
    with pytest.raises(ValueError, match=r"instance: expected one of ml\.g6\.xlarge, .*, got 'ml\.x1'"):
        costs.training("ml.x1", 1)


def test_endpoints_by_hand() -> None:
    ways = costs.beside_endpoints(Use("mine", 3, 0, 0, "ml.m5.xlarge", 1_000_000))
    assert ways["a real-time endpoint a model (ml.m5.large)"] == pytest.approx(3 * 0.115 * 730)
    assert ways["one endpoint for all models, two instances (ml.m5.xlarge)"] == pytest.approx(2 * 0.23 * 730)
    assert ways["serverless endpoints (4 GB, 50 ms)"] == pytest.approx(4.00)


def test_at_the_break_even_both_ways_cost_the_same() -> None:
    calls = costs.break_even()
    by_call = costs.total(costs.idle()) + costs.total(costs.predictions(calls))
    assert by_call == pytest.approx(2 * ENDPOINTS["ml.m5.xlarge"] * HOURS, rel=1e-4)


@pytest.mark.parametrize("use", costs.USES, ids=lambda use: use.name)
@pytest.mark.parametrize("more", ["models", "runs", "predictions"])
def test_more_use_never_costs_less(use: Use, more: str) -> None:
    larger = replace(use, **{more: getattr(use, more) * 2})
    assert costs.total(costs.served(larger)) >= costs.total(costs.served(use))
    assert costs.to_pay(costs.served(larger)) >= costs.to_pay(costs.served(use)) > 0


def test_free_allowances_are_given_once_however_many_lines() -> None:
    twice = [Line("traces", 80_000), Line("traces", 80_000)]
    assert costs.to_pay(twice) == pytest.approx(60_000 * PRICES["traces"].dollars)


def test_every_price_is_used() -> None:
    """A price that no line names is one that nobody would keep up to date."""
    everything = [*costs.idle(), *costs.options(), *costs.a_run(), *costs.predictions(1, traced=True)]
    assert {line.what for line in everything} | {"serverless_seconds"} == set(PRICES)
