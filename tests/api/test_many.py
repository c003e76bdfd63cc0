"""The SDK and the CLI over the real functions, for a model with 300 versions and 300 moves of its pointer."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from dropforge.cli.main import main
from dropforge.client import Connection, Dropforge, Fault
from dropforge.client.api import Api
from dropforge.contract import registry as rows
from lambdas.api.catalog.handler import handle as catalog
from lambdas.api.live_pointer.handler import handle as live
from lambdas.common.pointer import pointing, withdrawn
from tests.api.calls import proxy
from tests.steps.rows import fill, item, move_items, version_items

if TYPE_CHECKING:
    from dropforge.contract.registry import VersionRow
    from tests.steps.cloud import Cloud

MANY = 300
MODEL = "/models/{model}"
NAMED = {"/models/flowers": MODEL, "/models/flowers/live": f"{MODEL}/live"}
NAMED |= {f"/models/flowers/{name}": f"{MODEL}/{name}" for name in ("versions", "history")}


def sent(_api: Api, method: str, url: str, body: bytes, _content_type: str) -> Any:
    """What the functions answer to a request of the SDK, without API Gateway between the two."""
    place = urlsplit(url)
    event = proxy(method, NAMED[place.path], {"model": "flowers"})
    event |= {"queryStringParameters": dict(parse_qsl(place.query)) or None, "body": body.decode() or None}
    response = (catalog if method == "GET" else live)(event, None)
    return SimpleNamespace(status_code=response["statusCode"], content=response["body"].encode())


@pytest.fixture
def forge(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Dropforge:
    """The SDK before a model whose files are those of its first version."""
    cloud.serve("regression", "flowers")
    fill(version_items(first(cloud), range(2, MANY + 1), first(cloud).run))
    monkeypatch.setattr(Connection, "load", lambda *_: Connection("us-east-1", {}, "https://api.example"))
    monkeypatch.setattr(Api, "_send", sent)
    return Dropforge()


def first(cloud: Cloud) -> VersionRow:
    row = cloud.registry.version("flowers", "1")
    assert row is not None
    return row


def test_every_version_and_move_is_listed(forge: Dropforge, cloud: Cloud) -> None:
    fill(move_items(first(cloud), [str(number) for number in range(1, MANY + 1)]))
    down = list(range(MANY, 0, -1))
    assert [int(row["version"]) for row in forge.versions("flowers")] == down
    assert [move["generation"] for move in forge.history("flowers")] == down
    page = forge.model("flowers")
    assert (page["version"], len(page["versions"]), len(page["history"])) == (str(MANY), 20, 20)
    assert forge.rollback("flowers")["version"] == str(MANY - 1)


def test_rollback_finds_what_served_before_however_long_ago(forge: Dropforge, cloud: Cloud) -> None:
    """One version was removed and brought back all the time, and another one served before all that."""
    moves = [pointing(replace(first(cloud), version="7"), None)]
    while len(moves) < MANY:
        back = pointing(replace(first(cloud), version="8"), moves[-1])
        moves += [back, withdrawn(back)]
    moves.append(pointing(replace(first(cloud), version="8"), moves[-1]))
    fill([item(rows.history_key("flowers", move.generation), move) for move in moves])
    fill([item(rows.live_key("flowers"), moves[-1], (rows.MODELS, "flowers"))])
    assert forge.rollback("flowers")["version"] == "7"


def test_the_page_in_a_terminal_says_how_to_see_the_rest(
    forge: Dropforge, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(move_items(first(cloud), [str(number) for number in range(1, MANY + 1)]))
    assert len(forge.model("flowers")["versions"]) == 20 and main(["models", "flowers"]) == 0
    shown = capsys.readouterr().out
    assert "the newest 20 versions: dropforge models flowers --all lists every one" in shown
    assert main(["models", "flowers", "--all", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert (len(page["versions"]), len(page["history"]), page["versions_next"]) == (MANY, MANY, None)
    assert main(["models", "flowers", "--all"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("approved") == MANY and "--all" not in shown


def test_listings_of_a_model_that_nobody_has_are_a_fault(forge: Dropforge) -> None:
    with pytest.raises(Fault, match="model name 'No'"):
        forge.versions("No")
