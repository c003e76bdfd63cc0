"""What a model can learn: the tasks, and the outputs of a model file.

`TASKS` says once what all parts must know of each task. A table that is typed `ByTask` has an entry for every one of
them: mypy names the tables and the `match` statements that lack one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from typing import Generic, TypedDict, TypeVar

    T = TypeVar("T")

    class ByTask(TypedDict, Generic[T]):
        """A table with one entry for each `Task`."""

        regression: T
        binary: T
        multiclass: T
        recommendation: T
        clustering: T


Task = Literal["regression", "binary", "multiclass", "recommendation", "clustering"]
"""What a model can learn: `TASKS` describes them."""

Direction = Literal["higher", "lower"]
"""Whether more or less of a metric is better."""

PREDICTION = "prediction"
"""ONNX output: float32 [N, 1] for regression and recommendation (the rating), string [N, 1] (the class, or the cluster)
otherwise."""

PROBABILITIES = "probabilities"
"""ONNX output of classifiers: float32 [N, classes], in the card's order of classes; memberships of clusters so too."""

ITEMS = "items"
"""ONNX output of recommenders: string [N, K], the items to show a row's user, best first; empty texts in a row that
names an item."""

SCORES = "scores"
"""ONNX output of recommenders: float32 [N, K], the rating that each of `items` is expected to get."""

FEATURES = "features"
"""ONNX output of clusterings: float32 [N, F], the point that a row is, in the space that distances are measured in."""

TASK_NAMES: tuple[Task, ...] = get_args(Task)


class TaskFacts:
    """What all parts know of a task.

    Args:
        metrics: every metric and its better direction; `f1` is macro-averaged for multiclass, `@10` is of ten items.
        primary: the metric that a run is judged by, unless the spec names another.
        outputs: the outputs of the ONNX graph.
        classes: whether an answer is a number, a class among the target's labels, or a cluster that training finds.
        baseline: the trivial baseline: the targets' mean or median, the classes' shares, that constant with the most
            rated items, or clusters dealt to the rows at random.
        also_judged: metrics besides the deciding one in which a model must not fall behind the baseline, nor surely
            behind the champion.
    """

    __slots__ = ("also_judged", "baseline", "classes", "metrics", "outputs", "primary")

    def __init__(
        self,
        *,
        metrics: dict[str, Direction],
        primary: str,
        outputs: tuple[str, ...],
        classes: Literal["none", "labels", "clusters"],
        baseline: Literal["constant", "shares", "popular", "dealt"],
        also_judged: tuple[str, ...] = (),
    ) -> None:
        self.metrics = metrics
        self.primary = primary
        self.outputs = outputs
        self.classes = classes
        self.baseline = baseline
        self.also_judged = also_judged


TASKS: ByTask[TaskFacts] = {
    "regression": TaskFacts(
        metrics={"rmse": "lower", "mae": "lower", "r2": "higher"},
        primary="rmse",
        outputs=(PREDICTION,),
        classes="none",
        baseline="constant",
    ),
    "binary": TaskFacts(
        metrics={"auc": "higher", "logloss": "lower", "accuracy": "higher", "f1": "higher"},
        primary="auc",
        outputs=(PREDICTION, PROBABILITIES),
        classes="labels",
        baseline="shares",
    ),
    "multiclass": TaskFacts(
        metrics={"logloss": "lower", "accuracy": "higher", "f1": "higher"},
        primary="logloss",
        outputs=(PREDICTION, PROBABILITIES),
        classes="labels",
        baseline="shares",
    ),
    "recommendation": TaskFacts(
        metrics={"rmse": "lower", "mae": "lower", "ndcg@10": "higher", "recall@10": "higher"},
        primary="rmse",
        outputs=(PREDICTION, ITEMS, SCORES),
        classes="none",
        baseline="popular",
        # A recommender that predicts ratings well and shows worse lists than everybody's favourites is no recommender.
        also_judged=("rmse", "ndcg@10"),
    ),
    "clustering": TaskFacts(
        metrics={"silhouette": "higher", "davies_bouldin": "lower", "calinski_harabasz": "higher"},
        primary="silhouette",
        outputs=(PREDICTION, PROBABILITIES, FEATURES),
        classes="clusters",
        baseline="dealt",
    ),
}
"""The tasks. A model of pictures is `binary` or `multiclass` too; that it reads pictures follows from its data."""
