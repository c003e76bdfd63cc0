"""The standing options of a model: checked before they are uploaded, and taken back with a rejected drop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dropforge.client import Fault, drops, specs
from dropforge.client.sdk import Dropforge
from dropforge.contract.names import spec_key
from tests.client.server import run_row

if TYPE_CHECKING:
    from dropforge.client import Connection


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    path = tmp_path / "houses.csv"
    path.write_text("rooms,price\n3,100\n")
    return path


def wishes(text: str) -> Path:
    path = Path("wishes.yaml")
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("targt: price", "unknown key 'targt'; did you mean 'target'"),
        ("budget: 0", "budget: expected minutes"),
        ("metric: rsme", "did you mean 'rmse'"),
        ("task: binary\nmetric: mae", "metric: 'mae' is none of binary"),
        ("target: a\ndrop: [a]", "drop: holds the target 'a'"),
        ("kinds: {when: dat}", "kinds.when: expected one of"),
        ("encoding: klingon", "encoding: 'klingon'"),
        ("a: b: c", "expected YAML"),
        ("a: &x 1\nb: *x", "line 2 has an alias"),
    ],
)
def test_what_no_data_can_satisfy_is_refused_before_anything_is_uploaded(
    connection: Connection, bucket: Any, houses: Path, text: str, words: str
) -> None:
    with pytest.raises(Fault, match=words) as refused:
        drops.upload(connection, houses, spec=wishes(text))
    assert (refused.value.code, refused.value.message.split(":")[0]) == ("spec", "wishes.yaml")
    with pytest.raises(Fault, match=words):
        specs.place(connection, "houses", specs.checked(wishes(text)))
    assert "Contents" not in bucket.list_objects_v2(Bucket="drops")


@pytest.mark.parametrize("before", [None, "target: rooms\n"])
def test_a_drop_that_is_taken_back_leaves_the_options_as_they_were(
    connection: Connection, bucket: Any, houses: Path, before: str | None
) -> None:
    if before is not None:
        bucket.put_object(Bucket="drops", Key=spec_key("houses"), Body=before)
    dropped = drops.upload(connection, houses, spec=wishes("target: prize\n"))
    assert specs.stored(connection, "houses") == "target: prize\n"
    assert specs.take_back(connection, "houses", dropped.spec)
    assert specs.stored(connection, "houses") == before
    assert not specs.take_back(connection, "houses", dropped.spec), "it is not there any more"


def test_options_that_came_meanwhile_stay(connection: Connection, bucket: Any, houses: Path) -> None:
    dropped = drops.upload(connection, houses, spec=wishes("target: prize\n"))
    bucket.put_object(Bucket="drops", Key=spec_key("houses"), Body="target: price\n")
    assert not specs.take_back(connection, "houses", dropped.spec)
    assert specs.stored(connection, "houses") == "target: price\n"
    assert not specs.take_back(connection, "houses", drops.upload(connection, houses).spec)


def test_data_that_never_came_leaves_no_options(
    connection: Connection, bucket: Any, houses: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(drops, "_send", fail)
    with pytest.raises(KeyboardInterrupt):
        drops.upload(connection, houses, spec=wishes("target: price\n"))
    assert specs.stored(connection, "houses") is None and bucket is not None


@pytest.mark.parametrize(
    ("status", "left"), [("rejected", None), ("refused", "target: price\n"), ("failed", "target: price\n")]
)
def test_a_waited_drop_takes_its_options_back_only_when_it_is_rejected(
    connection: Connection,
    bucket: Any,
    houses: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: str,
    left: str,
) -> None:
    assert bucket is not None
    forge = object.__new__(Dropforge)
    forge.connection = connection
    row = run_row(status=status, report=None)
    monkeypatch.setattr(forge, "wait", lambda run, _timeout: forge_row(row, run))
    monkeypatch.setattr(forge, "still_at_it", lambda _row: None)
    monkeypatch.setattr(forge, "outcome", lambda row: row)
    forge.drop(houses, spec=wishes("target: price\n"), wait=True)
    assert forge.spec("houses") == left


def forge_row(row: dict[str, Any], run: str) -> Any:
    from dropforge.client.runs import decoded

    return decoded({**row, "run": run})


def test_options_are_shown_set_and_cleared(connection: Connection, bucket: Any) -> None:
    assert bucket is not None
    forge = object.__new__(Dropforge)
    forge.connection = connection
    assert forge.spec("houses") is None
    forge.set_spec("houses", wishes("budget: 2\n"))
    assert forge.spec("houses") == "budget: 2\n"
    assert specs.budget_of(connection, "houses", None) == 2
    forge.set_spec("houses", None)
    forge.set_spec("houses", None)
    assert forge.spec("houses") is None and specs.budget_of(connection, "houses", None) == 5


def test_standing_options_that_would_reject_every_drop_are_said_with_the_way_out(
    connection: Connection, bucket: Any
) -> None:
    bucket.put_object(Bucket="drops", Key=spec_key("houses"), Body="budgte: 1\n")
    with pytest.raises(
        Fault, match=r"datasets/houses/spec.yaml: unknown key 'budgte'.*`dropforge spec houses --clear`"
    ):
        specs.standing(connection, "houses")
