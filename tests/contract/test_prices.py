"""A deployment's own prices: read strictly, passed on as one text, and used wherever a price is."""

from __future__ import annotations

from typing import Any

import pytest

from dropforge.contract.instances import PRICES as TRAINING
from dropforge.contract.instances import Place, has_gpu, has_own_disk, parse_place
from dropforge.contract.prices import LIST, PRICES, Prices

OWN = Prices.of({"ml.m5.xlarge": "0.5", "ml.g7.xlarge": 2, "spot_share": 0.25, "function_seconds": 0.00002})


def test_what_is_not_given_is_at_list_price() -> None:
    assert OWN.training == {**TRAINING, "ml.m5.xlarge": 0.5, "ml.g7.xlarge": 2.0}
    assert OWN.unit("function_seconds") == PRICES["function_seconds"]._replace(dollars=0.00002)
    assert OWN.unit("alarm") == PRICES["alarm"]
    assert OWN.endpoints == LIST.endpoints, "ml.m5.xlarge alone trains"
    assert LIST.cost("ml.g6.xlarge", 1800) == pytest.approx(1.127 / 2)


def test_spot_is_cheaper_by_the_share_before_and_by_its_seconds_after() -> None:
    """The billable seconds that SageMaker reports of a job on spot hold the discount already."""
    spot, on_demand = Place("ml.m5.xlarge", spot=True), Place("ml.m5.xlarge", spot=False)
    assert (OWN.expected(spot, 3600), OWN.expected(on_demand, 3600)) == (0.125, 0.5)
    assert LIST.expected(spot, 3600) == LIST.expected(on_demand, 3600) == 0.23
    assert OWN.cost("ml.m5.xlarge", 3600) == 0.5


def test_functions_get_the_prices_that_they_read() -> None:
    assert OWN.text == '{"ml.g7.xlarge":2.0,"ml.m5.xlarge":0.5,"spot_share":0.25}'
    assert (Prices.from_text(OWN.text).training, Prices.from_text(OWN.text).text) == (OWN.training, OWN.text)
    assert (LIST.text, Prices.of({"alarm": 1}).text, Prices.from_text("")) == ("", "", LIST)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            {"functoin_seconds": 1},
            r"'functoin_seconds': no such price; did you mean 'function_seconds'\? expected an inst",
        ),
        ({"ml.g6.xlage": 1}, r"'ml.g6.xlage': no such price; did you mean 'ml.g6.xlarge'"),
        ({"endpoint:ml.m5.larg": 1}, r"did you mean 'endpoint:ml.m5.large'"),
        ({"alarm": "-1"}, r"alarm: expected US dollars, 0 or more, got '-1'"),
        ({"alarm": "nan"}, r"alarm: expected US dollars, 0 or more, got 'nan'"),
        ({"alarm": "inf"}, r"alarm: expected US dollars"),
        ({"alarm": True}, r"alarm: expected US dollars, 0 or more, got True"),
        ({"spot_share": 1.5}, r"spot_share: expected a share from 0 to 1, got 1.5"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_no_price_is_refused(pairs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Prices.of(pairs)


def test_a_type_with_a_price_is_a_place() -> None:
    assert parse_place("ml.g7.xlarge:spot", OWN.training) == Place("ml.g7.xlarge", spot=True)
    with pytest.raises(ValueError, match=r"'ml.g7.xlarge': expected one of .*dropforge:prices gives the price of anot"):
        parse_place("ml.g7.xlarge")


def test_families_with_a_disk_of_their_own() -> None:
    """As EC2 has instance stores; SageMaker refuses a volume key for these types."""
    disks = "g4dn.xlarge g5.xlarge g6.xlarge g6e.2xlarge g7.xlarge p3dn.24xlarge p4d.24xlarge p4de.24xlarge p5.48xlarge"
    disks += (
        " p5en.48xlarge p6-b200.48xlarge trn1.2xlarge m5d.large m6id.xlarge c5d.xlarge c6gd.large r5dn.xlarge i3.large"
    )
    volumes = (
        "m5.xlarge m6i.4xlarge c5.xlarge c5n.xlarge c7i.large r5.4xlarge p2.xlarge p3.2xlarge t3.medium inf1.xlarge"
    )
    assert [name for name in disks.split() if not has_own_disk(f"ml.{name}")] == []
    assert [name for name in volumes.split() if has_own_disk(f"ml.{name}")] == []
    assert [name for name in TRAINING if has_own_disk(name)] == [name for name in TRAINING if has_gpu(name)]
