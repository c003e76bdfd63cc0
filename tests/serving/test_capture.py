"""What is kept of requests: whole and readable, without sensitive values, and what is missing is known by number."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dropforge.contract.captures import KEEP_TAG, Captured, Paired, part_of
from dropforge.contract.personal import PersonalColumn
from dropforge.inference.after import Refused
from dropforge.inference.capture import buffer as buffers
from dropforge.inference.capture.buffer import CALM, FREE, MOST_ROWS, PROMPT, Buffer
from dropforge.inference.capture.ends import left
from dropforge.inference.capture.lines import hidden_columns
from dropforge.inference.capture.thread import ThreadCarrier
from dropforge.inference.capture.writer import Writer, hour
from dropforge.inference.model import ServedModel
from tests.serving.little import little
from tests.serving.test_after import ROW, Noting, ask, tensors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dropforge.inference.after import Answered
    from tests.serving.little import Little

SIMPLE = "/models/{model}/predict"
SALT = "artifacts-bucket"


@dataclass
class Bucket:
    """Objects by key, each with its tags; it fails as often as it is told."""

    objects: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    fault: Exception | None = None

    def put(self, key: str, body: bytes, tags: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.objects[key], self.tags[key] = body, tags

    def records(self) -> list[dict[str, Any]]:
        bodies = [gzip.decompress(body) for key, body in sorted(self.objects.items()) if body]
        return [json.loads(line) for body in bodies for line in body.splitlines()]


class Keeping(Noting):
    """A store that captures."""

    def __init__(self, model: ServedModel, folder: Path) -> None:
        super().__init__(model)
        self.bucket = Bucket()
        self.buffer = Buffer(str(folder))
        self.writer = Writer(self.buffer, self.bucket.put, SALT)

    def answered(self, answered: Answered) -> None:
        self.buffer.answered(answered)

    def refused(self, refused: Refused) -> None:
        self.buffer.refused(refused, ROW)


def rounded(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its numbers as float32."""
    return {name: np.float32(value) if isinstance(value, float | int) else value for name, value in row.items()}


def opened(made: Little, **card: Any) -> ServedModel:
    model = ServedModel.from_bytes(made.body, made.sha256)
    model.card = replace(model.card, **card)
    return model


@pytest.fixture
def binary() -> Little:
    return little("binary")


def test_a_record_is_what_was_read_and_answered(made: Little, served: ServedModel, tmp_path: Path) -> None:
    store = Keeping(served, tmp_path)
    simple = ask(store, SIMPLE, made.rows(4))
    ask(store, "/v2/models/{model}/infer", {"inputs": tensors(made.columns, made.card)})
    ask(store, SIMPLE, [{"nobody": 1}])
    store.writer.write()
    found = [Captured.from_json(each) for each in store.bucket.records()]
    assert [each.sequence for each in found] == [*range(1, 10)]
    assert len({each.sandbox for each in found}) == 1
    for at, each in enumerate(found[:8]):
        assert each.inputs is not None and rounded(each.inputs) == rounded(made.row(at % 4))
        assert each.prediction == simple["predictions"][at % 4]
        if simple["probabilities"] is not None:
            assert each.probabilities == pytest.approx(simple["probabilities"][at % 4], abs=1e-7)
        assert (each.model, each.version, each.rows, each.code) == ("flowers", "3", 4, "")
        assert each.milliseconds > 0
    assert [each.id for each in found[:4]] == simple["ids"]
    assert (found[8].code, found[8].inputs, found[8].id) == ("missing_column", None, "")
    (unit,) = {each.unit for each in found}
    assert len(unit) == 16 and "someone" not in json.dumps(store.bucket.records())
    ((key, tags),) = store.bucket.tags.items()
    assert tags == f"{KEEP_TAG}=30d" and key.startswith("captures/flowers/3/20")


def test_every_written_field_is_one_of_the_contract(made: Little, served: ServedModel, tmp_path: Path) -> None:
    store = Keeping(served, tmp_path)
    ask(store, SIMPLE, made.rows(1))
    store.writer.write()
    (record,) = store.bucket.records()
    assert set(record) <= set(Captured.from_json(record).to_json())


def test_a_missing_value_is_none_and_a_number_has_the_digits_that_float32_has(binary: Little, tmp_path: Path) -> None:
    store = Keeping(opened(binary), tmp_path)
    ask(store, SIMPLE, [{**binary.row(0), "x0": None, "x1": 0.1, "colour": None}])
    store.writer.write()
    (record,) = store.bucket.records()
    assert [record["inputs"][name] for name in ("x0", "x1", "colour")] == [None, 0.1, None]


def test_twenty_planted_values_are_in_no_object_and_no_log(
    binary: Little, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts, numbers = [f"planted-{at}-text" for at in range(10)], [987_654_25 + 1000 * at for at in range(10)]
    kept = PersonalColumn("colour", "keep", "values", "name")
    model = opened(binary, masked=("x0",), personal=(kept,))
    store = Keeping(model, tmp_path)
    for text, number in zip(texts, numbers, strict=True):
        row = {**binary.row(0), "x0": number, "colour": text}
        for query in ({}, {"strict": "true"}, {"errors": "skip"}):
            ask(store, SIMPLE, [row], query)
        ask(store, SIMPLE, [{**row, "x0": f"{number}?"}])
        columns = {name: [value] * 4 for name, value in row.items()}
        ask(store, "/v2/models/{model}/infer", {"inputs": tensors(columns, binary.card)})
    store.writer.write()
    store.bucket.fault = ValueError(texts[0])
    ask(store, SIMPLE, [row])
    store.writer.write()
    everything = b"".join(gzip.decompress(body) for body in store.bucket.objects.values()).decode()
    everything += "".join(store.bucket.objects) + capsys.readouterr().out
    assert len(store.bucket.records()) == 10 * (2 + 4) + 20 and "captures lost" in everything
    for planted in (*texts, *map(str, numbers), *(str(float(np.float32(number))) for number in numbers)):
        assert planted not in everything
    assert all(set(each["inputs"]) == {"x1", "x2", "x3"} for each in store.bucket.records() if "inputs" in each)


def test_a_sensitive_target_is_not_answered_into_a_capture(binary: Little, tmp_path: Path) -> None:
    store = Keeping(opened(binary, masked=(binary.card.target,)), tmp_path)
    ask(store, SIMPLE, binary.rows(1))
    store.writer.write()
    (record,) = store.bucket.records()
    assert "prediction" not in record and "probabilities" not in record and record["inputs"]


class Second:
    """The other version of a rollout."""

    arm, stage, unit = "candidate", "canary", "patient-7"

    def pairs(self, _told: Answered, rows: Sequence[int]) -> list[Paired]:
        return [Paired("4", milliseconds=0.2, difference=0.0, same=True, prediction=row) for row in rows]


def test_what_the_other_version_did_stands_beside_the_answer(binary: Little, tmp_path: Path) -> None:
    store = Keeping(opened(binary), tmp_path)
    ask(store, SIMPLE, binary.rows(2))
    ((_, (pending,)),) = store.buffer.take()
    assert not isinstance(pending.told, Refused)
    for target, kept in ((binary.card.target, [0, 1]), ("another", [None, None])):
        store.model.card = replace(store.model.card, masked=() if kept == [0, 1] else (binary.card.target,))
        store.buffer.answered(pending.told._replace(beside=Second()))
        store.writer.write()
        found = [Captured.from_json(each) for each in store.bucket.records()][-2:]
        assert [(each.arm, each.stage) for each in found] == [("candidate", "canary")] * 2, target
        assert [each.paired and each.paired.prediction for each in found] == kept
    assert "patient-7" not in json.dumps(store.bucket.records()) and found[0].unit


def test_a_coarser_form_of_personal_data_is_what_the_model_reads(binary: Little) -> None:
    columns = (
        PersonalColumn("x0", "generalise", "values", "birth"),
        PersonalColumn("x1", "keep", "name", "sex"),
        PersonalColumn("x2", "keep", "spec", "email"),
    )
    assert hidden_columns(replace(binary.card, personal=columns)) == {"x2"}


def test_the_rate_is_a_share_of_the_requests(binary: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chances = iter([round(at / 10 * buffers.WHOLE) for at in range(10)] * 2)
    monkeypatch.setattr(buffers, "_chance", lambda: next(chances))
    for rate, kept in ((0.0, 0), (0.3, 3), (1.0, 10)):
        store = Keeping(opened(binary, capture_rate=rate, capture_days=7), tmp_path)
        for _ in range(10):
            ask(store, SIMPLE, binary.rows(1))
        store.writer.write()
        assert len(store.bucket.records()) == kept
        assert set(store.bucket.tags.values()) <= {f"{KEEP_TAG}=7d"}


@pytest.mark.parametrize(
    ("pace", "tried", "seconds", "quiet"), [(CALM, False, 120, 60), (PROMPT, True, 10, 5), (FREE, False, 10, 1)]
)
def test_when_what_waits_is_due(
    binary: Little,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pace: Any,
    tried: bool,
    seconds: float,
    quiet: float,
) -> None:
    now = [1_790_000_000.0]
    monkeypatch.setattr(buffers.time, "time", lambda: now[0])
    store = Keeping(opened(binary), tmp_path)
    store.buffer = buffer = Buffer(str(tmp_path), CALM if pace is PROMPT else pace, PROMPT)
    row: Any = replace(ROW, candidate="one") if tried else ROW
    monkeypatch.setattr(store, "answered", lambda told: store.buffer.answered(told._replace(row=row)))
    assert not buffer.due()
    ask(store, SIMPLE, binary.rows(1))
    assert not buffer.due() and not buffer.due(now[0] + quiet - 0.1) and buffer.due(now[0] + quiet)
    for _ in range(round(seconds / quiet * 2)):
        now[0] += quiet / 2
        assert not buffer.due() or buffer.due(now[0])
        ask(store, SIMPLE, binary.rows(1))
    assert buffer.due(now[0])
    buffer.take()
    ask(store, SIMPLE, binary.rows(99))
    assert not buffer.due()
    ask(store, SIMPLE, binary.rows(1))
    assert buffer.due()


def test_what_does_not_fit_is_missing_by_number(
    binary: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffers, "MOST_VALUES", 4 * len(binary.card.columns))
    store = Keeping(opened(binary), tmp_path)
    for _ in range(6):
        ask(store, SIMPLE, binary.rows(1))
    store.writer.write()
    ask(store, SIMPLE, binary.rows(1))
    store.writer.write()
    parts = [part_of(key) for key in sorted(store.bucket.objects)]
    assert [(part.first, part.last) for part in parts if part is not None] == [(1, 4), (7, 7)]


def test_of_a_long_request_some_rows_are_kept_evenly_spread(binary: Little, tmp_path: Path) -> None:
    store = Keeping(opened(binary), tmp_path)
    rows = [{**binary.row(0), "x0": float(at)} for at in range(MOST_ROWS * 2)]
    ids = ask(store, SIMPLE, rows)["ids"]
    store.writer.write()
    found = store.bucket.records()
    assert [each["inputs"]["x0"] for each in found] == [2.0 * at for at in range(MOST_ROWS)]
    assert [each["id"] for each in found] == ids[::2] and {each["rows"] for each in found} == {2 * MOST_ROWS}


def test_an_object_is_of_one_hour(binary: Little, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_790_000_000.0 // 3600 * 3600 - 1]
    store = Keeping(opened(binary), tmp_path)
    monkeypatch.setattr(buffers.time, "time", lambda: now[0])
    ask(store, SIMPLE, binary.rows(2))
    now[0] += 2
    ask(store, SIMPLE, binary.rows(2))
    store.writer.write()
    hours = {key.split("/")[3]: part_of(key) for key in store.bucket.objects}
    assert [*hours] == [hour(now[0] - 2), hour(now[0])]
    assert [(part.first, part.last) for part in hours.values() if part is not None] == [(1, 2), (3, 4)]


def test_a_failed_write_is_counted_and_nobody_else_hears_of_it(
    binary: Little, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Keeping(opened(binary), tmp_path)
    store.bucket.fault = OSError("no such host")
    assert ask(store, SIMPLE, binary.rows(3))["predictions"]
    store.writer.write()
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines() if "captures lost" in each]
    assert (line["records"], line["reason"], store.writer.lost) == (3, "no such host", 3)
    store.bucket.fault = None
    ask(store, SIMPLE, binary.rows(1))
    store.writer.end()
    parts = [part_of(key) for key in sorted(store.bucket.objects)]
    assert [(part.first, part.last, part.is_end) for part in parts if part is not None] == [
        (4, 4, False), (5, 4, True),
    ]  # fmt: skip


KILLED = """
import os, signal, sys
from dropforge.inference.capture.ends import End
End.of(sys.argv[1], "flowers", "3", "0123456789abcdef").say(37)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_process_tells_where_a_killed_one_ended(binary: Little, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    store = Keeping(opened(binary), tmp_path)
    ask(store, SIMPLE, binary.rows(1))
    assert [(each.sandbox, each.last) for each in left(str(tmp_path))] == [("0123456789abcdef", 37)]
    store.writer.write()
    (key,) = [key for key, body in store.bucket.objects.items() if not body]
    assert key.endswith("/0123456789abcdef-0000000037.end")
    assert [*left(str(tmp_path))] == [] and len([*tmp_path.iterdir()]) == 1, "the living one's own file stays"
    store.writer.end()
    assert [*tmp_path.iterdir()] == []


def test_a_disk_that_nobody_may_write_to_costs_the_ends_alone(binary: Little, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Keeping(opened(binary), tmp_path / "file")
    ask(store, SIMPLE, binary.rows(1))
    store.writer.write()
    assert len(store.bucket.records()) == 1


def test_a_thread_writes_what_is_due_and_the_rest_at_the_end(binary: Little, tmp_path: Path) -> None:
    store = Keeping(opened(binary), tmp_path)
    carrier = ThreadCarrier(store.buffer, store.writer)
    ask(store, SIMPLE, binary.rows(100))
    carrier.done()
    for _ in range(100):
        if store.bucket.objects:
            break
        time.sleep(0.05)
    assert len(store.bucket.records()) == 100
    ask(store, SIMPLE, binary.rows(1))
    carrier.end()
    by_kind: dict[bool, int] = defaultdict(int)
    for key in store.bucket.objects:
        by_kind[key.endswith(".end")] += 1
    assert by_kind == {False: 2, True: 1} and len(store.bucket.records()) == 101


ENDING = """
import os, signal
from dropforge.inference.capture.endings import on_end
on_end(lambda: print("written", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
print("went on")
"""


def test_a_process_that_is_told_to_end_writes_first_and_ends_as_before() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-15, "written\n")
