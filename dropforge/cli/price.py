"""`price`: what a deployment costs at list prices, idle and used, beside endpoints of SageMaker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from dropforge.cli.shell import Home, Json, Shell
from dropforge.client import costs
from dropforge.client.faults import Fault
from dropforge.contract.prices import LIST, Prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTINGS, SETTING = "cdk.json", "dropforge:prices"
"""The file of settings, and the setting in it that holds prices."""


def register(app: typer.Typer) -> None:
    """Adds the command to the program."""
    app.command()(price)


def price(
    context: typer.Context,
    models: Annotated[int | None, typer.Option("--models", metavar="N", min=0, help="Models that are live.")] = None,
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=0, help="Runs a month.")] = 4,
    minutes: Annotated[float, typer.Option("--minutes", metavar="N", min=0, help="Minutes of training a run.")] = 20,
    instance: Annotated[
        str, typer.Option("--instance", metavar="TYPE", help="The instance that trains, on demand.")
    ] = "ml.g6.xlarge",
    predictions: Annotated[
        int | None, typer.Option("--predictions", metavar="N", min=0, help="Calls a month, with one row each.")
    ] = None,
    prices: Annotated[
        str | None,
        typer.Option(
            "--prices", metavar="PAIRS|FILE", help="Your own prices, as the setting dropforge:prices has them."
        ),
    ] = None,
    image_gigabytes: Annotated[
        float, typer.Option("--image-gigabytes", metavar="GB", min=0, help="Training images in ECR, compressed.")
    ] = costs.IMAGE_GIGABYTES,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Show what a deployment costs, beside endpoints of SageMaker.

    Works out an idle month, a run, a million predictions, and small, medium and large use. With --models or
    --predictions, works out that use instead. Prices are AWS's list for us-east-1; no account is asked. --prices gives
    others, as pairs or as a cdk.json that has them; the one in the current folder is read by default.

    Example: dropforge price
    Example: dropforge price --models 3 --runs 10 --predictions 200000
    Example: dropforge price --prices ml.m5.xlarge=0.276,object_bytes=0.0245
    """
    shell = Shell.of(context, as_json, home)
    use = None
    if models is not None or predictions is not None:
        use = costs.Use("yours", 1 if models is None else models, runs, minutes, instance, predictions or 0)
    try:
        own = own_prices(prices)
    except ValueError as wrong:
        raise Fault(f"--prices: {wrong}", "prices", "prices") from wrong
    try:
        found = costs.sheet(use, own, image_gigabytes)
    except ValueError as wrong:
        raise Fault(f"--{wrong}", "instance", "instance") from wrong
    shell.result(found, *_shown(found))


def own_prices(given: str | None) -> Prices:
    """The prices of `name=dollars` pairs, or of the settings in a file such as `cdk.json`.

    Raises:
        ValueError: a name without a price, a value that is none, or a file that holds no settings.
    """
    path = Path(SETTINGS if given is None else given)
    if given is not None and "=" in given:
        pairs = [pair.partition("=") for pair in given.split(",") if pair.strip()]
        return Prices.of({name.strip(): value.strip() for name, _, value in pairs})
    if not path.is_file():
        if given is None:
            return LIST
        raise ValueError(f"{given!r}: expected name=dollars pairs with commas between them, or a file of settings")
    try:
        found = json.loads(path.read_text())["context"].get(SETTING, {})
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        raise ValueError(f"{path}: expected a JSON file with settings under 'context', as cdk.json has them") from fault
    return own_prices(found) if isinstance(found, str) else Prices.of(found)


def _shown(sheet: Mapping[str, Any]) -> Iterator[Table | Text]:
    own = sheet["own_prices"]
    others = f" This deployment has prices of its own: {', '.join(f'{name} {plain(own[name])}' for name in own)}."
    list_prices = f"List prices of {sheet['region']}, noted on {sheet['date']}, in US dollars."
    yield Text(list_prices + (others if own else ""))
    yield _lines("An idle month", sheet["idle"])
    yield _lines("More, by settings that are off", {"lines": sheet["options"]})
    yield _lines("A run, without its training", sheet["run"])
    hourly = ", ".join(f"{name} {dollars}" for name, dollars in sheet["run"]["training"].items())
    yield Text(f"Training by the hour, on demand (spot is usually about a third): {hourly}\n")
    yield _lines("A million predictions", sheet["million_predictions"])
    yield _lines("Captures of a million predictions, one a second", sheet["captures"])
    yield _uses(sheet["uses"])
    calls = f"{sheet['break_even'] / 1e6:.0f} million"
    yield Text(f"From about {calls} calls a month, two instances that are always up cost less than paying by call.")


def _lines(title: str, section: Mapping[str, Any]) -> Table:
    table = _table(title, ("", False), ("quantity", True), ("price", True), ("$", True), ("", False))
    for line in section["lines"]:
        free = f"{line['free']:,.0f} free. " if line["free"] else ""
        row = (line["unit"], plain(line["quantity"]), plain(line["price"]), money(line["dollars"]))
        table.add_row(*row, f"{free}{line['why']}")
    if "dollars" in section:
        free = f"{money(section['after_free'])} after the free allowances"
        table.add_row("together", "", "", money(section["dollars"]), free, style="bold")
    return table


def _uses(uses: list[Mapping[str, Any]]) -> Table:
    columns = [(f"{use['name']}", True) for use in uses]
    table = _table("A month of use", ("", False), *columns)
    facts = {
        "models": [f"{use['models']:,}" for use in uses],
        "predictions": [f"{use['predictions']:,}" for use in uses],
        "runs": [f"{use['runs']:,} × {use['minutes']:g} min on {use['instance']}" for use in uses],
        "training, the same everywhere": [money(use["training_dollars"]) for use in uses],
    }
    for name, cells in facts.items():
        table.add_row(name, *cells)
    for way in uses[0]["serving"]:
        table.add_row(f"serving: {way}", *(money(use["serving"][way]) for use in uses))
    return table


def _table(title: str, *columns: tuple[str, bool]) -> Table:
    table = Table(title=Text(title, style="bold"), title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name, right in columns:
        table.add_column(Text(name), justify="right" if right else "left", overflow="fold")
    return table


def money(dollars: float) -> str:
    """Dollars for people: cents, and as many decimals as less than a cent needs."""
    return f"{dollars:,.2f}" if dollars >= 0.01 or not dollars else plain(round(dollars, 6))


def plain(value: float) -> str:
    """A quantity or a price with all of its decimals: prices of a request are small."""
    return f"{value:,.10f}".rstrip("0").rstrip(".")
