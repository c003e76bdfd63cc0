"""Who a canary answers: the same units at a share, evenly spread, and nobody twice."""

from __future__ import annotations

from dropforge.inference.sticky import is_candidates, place


def test_nobody_switches_back_as_the_share_grows() -> None:
    for unit in map(str, range(2000)):
        arms = [is_candidates(unit, "salt", share / 20) for share in range(21)]
        assert arms == sorted(arms) and not arms[0] and arms[-1]


def test_units_are_spread_evenly_and_anew_with_another_salt() -> None:
    units = [f"unit-{at}" for at in range(20_000)]
    for share in (0.05, 0.25, 0.5):
        assert abs(sum(is_candidates(unit, "a", share) for unit in units) / len(units) - share) < 0.01
    both = sum(is_candidates(unit, "a", 0.5) and is_candidates(unit, "b", 0.5) for unit in units)
    assert abs(both / len(units) - 0.25) < 0.01


def test_a_place_stays_what_it_was() -> None:
    """Stored salts outlive a release: another hash would have callers switch in the middle of a rollout."""
    assert place("customer-7", "5f1e") == 0.11602330907138991
    assert 0 <= place("\ud800", "") < 1
