"""The recommender: its arithmetic against plain matrices, and what a whole run leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
import torch

from dropforge.contract.results import Manifest, Metrics
from dropforge.contract.schema import ModelCard
from dropforge.contract.tasks import ITEMS, PREDICTION, SCORES
from dropforge.datasets.dataset import Options
from dropforge.datasets.prepare import prepare_table
from dropforge.metrics.lists import list_scores
from training_container import trainer
from training_container.budget import Budget
from training_container.checkpoints import Checkpoints
from training_container.encoding import MISSING, UNKNOWN
from training_container.export.runtime import Runtime
from training_container.faults import ParityFault
from training_container.tasks.recommendation import factors, parts
from training_container.tasks.recommendation.blend import weigh
from training_container.tasks.recommendation.evaluation import measure
from training_container.tasks.recommendation.factors import Chain, sample_factors
from training_container.tasks.recommendation.golden import golden_rows
from training_container.tasks.recommendation.graph import build
from training_container.tasks.recommendation.pairs import Pair, nearest, stacked
from training_container.tasks.recommendation.proof import prove
from training_container.tasks.recommendation.ranking import best_items
from training_container.tasks.recommendation.ratings import Ratings
from training_container.tasks.recommendation.recommender import RecommenderModel, fit_recommender
from training_container.tasks.recommendation.tables import list_requests, vocabulary

from .opinions import EACH, USERS, opinions
from .opinions import ITEMS as ITEM_COUNT

if TYPE_CHECKING:
    from pathlib import Path

    from training_container.progress import Progress


@pytest.fixture(scope="module")
def known() -> Ratings:
    frame = opinions()
    users = torch.tensor([int(text[1:]) for text in frame["user_id"]])
    items = torch.from_numpy(frame["item_id"].to_numpy() - 100)
    return Ratings(users, items, torch.from_numpy(frame["rating"].to_numpy().astype(float)), USERS, ITEM_COUNT)


@pytest.fixture(scope="module")
def learned(quiet: Progress) -> RecommenderModel:
    texts = opinions().cast(dict.fromkeys(("user_id", "item_id", "rating", "timestamp"), str))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "SAMPLING_ROUNDS", 40)
        return fit_recommender(prepare_table(texts, Options()), Budget(5), 0, quiet, Checkpoints())


def card(done: RecommenderModel) -> ModelCard:
    columns = done.dataset.columns
    return ModelCard("m", "run-0", "recommendation", "rating", "integer", (), columns, done.dataset.ignored)


@pytest.fixture(scope="module")
def runtime(learned: RecommenderModel) -> Runtime:
    return Runtime(build(card(learned), learned.tables).SerializeToString(), card(learned))


def chain(known: Ratings) -> Chain:
    return Chain.start(known, parts.implicit(known, 8, 0), 4, 0)


def dense(known: Ratings, values: torch.Tensor) -> torch.Tensor:
    found = torch.zeros(known.user_count, known.item_count, dtype=torch.float64)
    found[known.users, known.items] = values
    return found


def test_a_truncated_pair_is_the_nearest_of_its_rank() -> None:
    generator = torch.Generator().manual_seed(0)
    users, items = (torch.randn(count, 9, dtype=torch.float64, generator=generator) for count in (30, 20))
    whole = Pair(users, items)
    exact = torch.linalg.svd(users @ items.T)
    assert stacked([whole] * 4).truncated(25).users.shape[1] == 20
    for rank in (3, 9):
        small = stacked([whole.scaled(0.5), whole.scaled(0.5)]).truncated(rank)
        assert small.users.shape[1] == rank
        wanted = exact.U[:, :rank] * exact.S[:rank] @ exact.Vh[:rank]
        assert torch.allclose(small.users @ small.items.T, wanted)
        found = nearest(lambda x: users @ (items.T @ x), lambda x: items @ (users.T @ x), (30, 20), rank, 0)
        assert torch.allclose(found.users @ found.items.T, wanted)


def test_neighbours_are_ridge_without_oneself(known: Ratings) -> None:
    base = parts.biases(known)
    errors = dense(known, known.values - known.mean - base.scores(known.users, known.items))
    found = parts.neighbours(known, base, 20.0, 0)
    for item in (0, 7):
        others = [at for at in range(ITEM_COUNT) if at != item]
        squares = errors[:, others].T @ errors[:, others] + 20 * torch.eye(ITEM_COUNT - 1, dtype=torch.float64)
        weights = torch.linalg.solve(squares, errors[:, others].T @ errors[:, item])
        assert torch.allclose(found.users @ found.items[item], errors[:, others] @ weights, atol=1e-8)


def test_biases_leave_no_mean_error(known: Ratings) -> None:
    left = known.values - known.mean - parts.biases(known).scores(known.users, known.items)
    assert abs(float(left.mean())) < 0.02
    assert float(left.square().mean()) < 0.8 * float(known.values.var())


def test_sampled_factors_beat_biases_on_unseen_ratings(known: Ratings) -> None:
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(1))
    seen, held = known.take(order[130:]), known.take(order[:130])
    sampled, again = (sample_factors(chain(seen), Budget(1), lambda _: None) for _ in range(2))
    assert torch.equal(sampled.users, again.users)
    errors = {
        name: float((held.values - seen.mean - pair.scores(held.users, held.items)).square().mean().sqrt())
        for name, pair in (("biases", parts.biases(seen)), ("factors", sampled))
    }
    assert errors["factors"] < 0.85 * errors["biases"]


def test_a_chain_without_time_still_gives_a_model(known: Ratings) -> None:
    rounds: list[float] = []
    found = sample_factors(chain(known), Budget(0), rounds.append)
    assert len(rounds) == factors.FEWEST_ROUNDS and rounds[-1] == 1.0
    assert torch.isfinite(found.users).all()


def test_the_squares_are_the_same_in_blocks(known: Ratings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factors, "USERS_AT_ONCE", 17)
    monkeypatch.setattr(factors, "ITEMS_AT_ONCE", 11)
    blocked = list(factors._slabs(known))
    assert len(blocked) == 4 and len(blocked[0][2]) == 4
    design = torch.randn(ITEM_COUNT, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = torch.cat([factors._squares(blocks, design) for _, _, blocks in blocked])
    seen = dense(known, torch.ones(len(known), dtype=torch.float64))
    assert torch.allclose(found, torch.einsum("ui,ia,ib->uab", seen, design, design).reshape(USERS, 9))


def test_weights_are_least_squares(known: Ratings) -> None:
    right = Pair(torch.zeros(USERS, 2, dtype=torch.float64), torch.zeros(ITEM_COUNT, 2, dtype=torch.float64))
    right = Pair(right.users + 1, right.items + torch.linspace(-1, 1, ITEM_COUNT, dtype=torch.float64)[:, None])
    held = Ratings(
        known.users, known.items, known.mean + 0.5 * right.scores(known.users, known.items), USERS, ITEM_COUNT
    )
    assert weigh({"right": right}, known, held)["right"] == pytest.approx(0.5, abs=0.01)


def test_lists_hold_the_best_unseen(known: Ratings) -> None:
    pair = parts.implicit(known, 8, 0)
    users = torch.arange(0, USERS, 7)
    found = best_items(pair, known, users, 5)
    scores = dense(known, torch.full((len(known),), -torch.inf, dtype=torch.float64)) + pair.users @ pair.items.T
    assert torch.equal(found, scores[users].topk(5).indices)


def test_list_scores_by_hand() -> None:
    found = list_scores([["a", "b"], ["c", "x"]], [{"b"}, {"c", "d"}])
    best = 1 + 1 / np.log2(3)
    assert found["recall@10"] == pytest.approx((1 + 0.5) / 2)
    assert found["ndcg@10"] == pytest.approx((1 / np.log2(3) + 1 / best) / 2)


def test_the_file_answers_as_torch(learned: RecommenderModel, runtime: Runtime) -> None:
    proof = prove(learned.tables, runtime, learned.dataset.holdout)
    assert proof.largest <= 1e-5
    assert proof.rows > len(learned.dataset.holdout) + USERS


def test_what_strangers_and_readers_of_everything_get(learned: RecommenderModel, runtime: Runtime) -> None:
    made, values = learned.tables, list_requests(["u0", "nobody", "", "NA"], learned.tables)
    predictions, items, scores = runtime.run([PREDICTION, ITEMS, SCORES], values)
    assert items[1].tolist() == items[2].tolist() == items[3].tolist() != items[0].tolist()
    counts = learned.blended.model.known.per_item
    assert counts[int(made.item.codes[items[1, 0]]) - 2] == counts.max()
    rated = {each for part in (learned.dataset.train, learned.dataset.validation)
             for user, each in zip(*part.columns.values(), strict=True) if user == "u0"}  # fmt: skip
    assert len(rated) == EACH - 4 and not rated & set(items[0])
    assert predictions[:, 0].tolist() == scores[:, 0].tolist()
    pair = {"user_id": np.array(["u0", "nobody", "u0"], object), "item_id": np.array(["100", "100", "new"], object)}
    ratings, none, zeros = runtime.run([PREDICTION, ITEMS, SCORES], pair)
    assert set(none.ravel()) == {""} and not zeros.any()
    assert len(set(ratings.ravel().tolist())) == 3 and ((ratings >= 1) & (ratings <= 5)).all()


def test_who_has_rated_all_is_shown_nothing(learned: RecommenderModel) -> None:
    made = learned.tables
    full = torch.arange(len(made.item_ranks)).repeat(made.user.size)
    starts = torch.arange(made.user.size + 1) * len(made.item_ranks)
    every = type(made)(**{**made.__dict__, "seen": full, "starts": starts})
    runtime = Runtime(build(card(learned), every).SerializeToString(), card(learned))
    values = list_requests(["u0", "u1"], every)
    assert (every.answer(values).items == MISSING).all()
    assert set(runtime.run([ITEMS], values)[0].ravel()) == {""}
    assert prove(every, runtime, learned.dataset.holdout).largest <= 1e-5


@pytest.mark.parametrize(("table", "reason"), [("items", "rating .* apart"), ("item_ranks", "another item at place")])
def test_a_wrong_file_is_caught(learned: RecommenderModel, table: str, reason: str) -> None:
    made = learned.tables
    wrong = type(made)(**{**made.__dict__, table: getattr(made, table).flip(0)})
    runtime = Runtime(build(card(learned), wrong).SerializeToString(), card(learned))
    with pytest.raises(ParityFault, match=reason):
        prove(made, runtime, learned.dataset.holdout)


def test_it_beats_the_mean_and_the_most_popular(learned: RecommenderModel) -> None:
    found = measure(learned, "rmse", 0)
    assert found.holdout["rmse"] < 0.8 * found.baseline["rmse"]
    assert found.holdout["ndcg@10"] > found.baseline["ndcg@10"]
    assert {"biases", "neighbours", "factors-1", "blend"} <= {each.name for each in found.candidates}
    assert set(found.intervals) == set(found.baseline_intervals) == set(found.gains) == set(found.holdout)
    assert all(
        found.intervals[name].low <= score <= found.intervals[name].high for name, score in found.holdout.items()
    )
    assert found.gains["rmse"].is_sure
    assert [note for note in found.notes if f"Only {USERS} users" in note]


def test_golden_rows_hold_ratings_lists_and_strangers(learned: RecommenderModel) -> None:
    rows = golden_rows(learned.tables, learned.dataset.holdout)
    lists = [each for each in rows if each["recommendations"] is not None]
    assert len(lists) >= 10 and all(each["row"]["item_id"] is None for each in lists)
    assert any(each["row"]["user_id"] == "a value never seen" for each in rows)
    assert all(each["prediction"] == each["recommendations"][0]["score"] for each in lists)


@pytest.mark.long
def test_a_whole_run_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factors, "SAMPLING_ROUNDS", 20)
    opinions().write_csv(tmp_path / "opinions.csv")
    out = tmp_path / "model"
    assert trainer.main(["--data", str(tmp_path / "opinions.csv"), "--out", str(out)]) == 0
    manifest = Manifest.from_json(json.loads((out / "manifest.json").read_text()))
    assert (manifest.card.task, manifest.card.target, manifest.card.label_type) == (
        "recommendation",
        "rating",
        "integer",
    )
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert there == {*manifest.files, "manifest.json"}
    assert {"golden.jsonl", "holdout.json.gz", "metrics.json", "profile.json", "report.html"} <= there
    assert any(name.startswith("tensorboard/factors-1/events") for name in there)
    measured = Metrics.from_json(json.loads((out / "metrics.json").read_text()))
    assert set(measured.holdout) == {"rmse", "mae", "ndcg@10", "recall@10"}
    page = (out / "report.html").read_text()
    assert "What it is made of" in page and "average error" in page and page.count("<svg") >= 5
    assert "95 % interval" in page and "users have ratings in the hold-out" in page
    model = onnx.load_from_string((out / "model.onnx").read_bytes())
    assert [each.name for each in model.graph.input] == ["user_id", "item_id"]
    assert [each.name for each in model.graph.output] == [PREDICTION, ITEMS, SCORES]


@pytest.mark.parametrize("written", [["17.0", "4.0", "170.0"], ["17", "4", "170"], ["17.0", "4", "170"]])
def test_an_id_is_known_in_every_spelling_and_named_once(written: list[str]) -> None:
    made = vocabulary("item", np.array([*written, "a b", ""], dtype=object))
    sent = np.array(["17", "17.0", "4", "4.0", "170", "a b", "18"], dtype=object)
    assert made.encode(sent).tolist() == [3, 3, 2, 2, 4, 5, UNKNOWN] and made.size == 6
