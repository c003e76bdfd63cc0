"""The report's sentences: numbers and metrics for readers who are not statisticians."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from dropforge.contract.figures import figure
from dropforge.contract.tasks import TASKS

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.contract.scores import Calibration, Interval
    from dropforge.contract.tasks import Task

MEANING = {
    "rmse": "typical error, large errors counting more; in the target's unit, lower is better",
    "mae": "average error; in the target's unit, lower is better",
    "r2": "share of the target's variance that the model explains; 1 is perfect, 0 is no better than the average",
    "auc": "chance that a positive row gets a higher probability than a negative one; 0.5 is guessing, 1 is perfect",
    "logloss": "penalty for low probabilities of the true class; 0 is perfect, lower is better",
    "accuracy": "share of rows with the right class; 1 is perfect",
    "ndcg@10": "how well the ten items shown match what the user rated next, first places counting more; 1 is perfect",
    "recall@10": "share of the items that the user rated next that are among the ten shown; 1 is all of them",
    "silhouette": "how much nearer rows are to their own cluster than to the next; 1 is far apart, 0 is no clusters",
    "davies_bouldin": "ratio of the width of clusters to the distance between them; lower is better",
    "calinski_harabasz": "ratio of the variance between clusters to the variance within; higher is better",
    "f1": "balance of precision and recall of the class; 1 is perfect",
}

MODEL_NAMES = {
    "ensemble": "weighted mean of several models",
    "gradient-descent": "linear model by gradient descent",
    "lightgbm": "boosted trees (LightGBM)",
    "lightgbm-extra": "boosted trees with random thresholds (LightGBM)",
    "lightgbm-oblique": "boosted trees with pairs of columns (LightGBM)",
    "catboost": "boosted oblivious trees (CatBoost)",
    "catboost-oblique": "boosted oblivious trees with pairs of columns (CatBoost)",
    "neural": "neural networks",
    "neural-periodic": "neural networks with periodic embeddings of numbers",
}
TREES_CURVE = "Loss on the rows held out of the first fold, after each tree."
EPOCHS_CURVE = "Loss after each pass over the rows: cross-entropy, or the squared error of the standardised target."

CURVE_MEANING = {
    "linear": "Cross-entropy plus penalty at every evaluation of L-BFGS, one penalty after the other.",
    "gradient-descent": "The cost on the standardised target after each step of gradient descent.",
    "lightgbm": TREES_CURVE,
    "lightgbm-extra": TREES_CURVE,
    "lightgbm-oblique": TREES_CURVE,
    "catboost": TREES_CURVE,
    "catboost-oblique": TREES_CURVE,
    "neural": EPOCHS_CURVE,
    "neural-periodic": EPOCHS_CURVE,
}
TUNED_SUFFIX = "-tuned"


def model(name: str, task: Task) -> str:
    """A family's name in words; the linear family has one name for regression and one for classes."""
    if name == "linear":
        return "linear model in closed form" if TASKS[task].classes == "none" else "logistic regression"
    if name.endswith(TUNED_SUFFIX):
        return f"{model(name.removesuffix(TUNED_SUFFIX), task)}, tuned"
    return MODEL_NAMES.get(name, name)


def number(value: float | None) -> str:
    """A number for people; a dash for none."""
    return "–" if value is None else figure(value)


def between(interval: Interval | None) -> str:
    """An interval for people."""
    if interval is None:
        return "–"
    low, high = (figure(end, spread=interval.high - interval.low) for end in (interval.low, interval.high))
    return f"{low} to {high}"


def percent(share: float) -> str:
    """A share in per cent; a share above 0 but below 0.1 % is written as `< 0.1 %`."""
    return "< 0.1 %" if 0 < share < 0.001 else f"{share * 100:.1f} %"


def summary(measured: Metrics, target: str) -> str:
    """One sentence: how good the model is, on which rows, and compared with what."""
    name, rows = model(measured.chosen, measured.task), measured.rows["holdout"]
    ours, trivial = measured.holdout, measured.baseline
    if TASKS[measured.task].classes == "none":
        return (
            f"A {name} predicts “{target}” with an average error of {number(ours['mae'])} on {rows:,} rows that it had "
            f"never seen; always answering the average has an average error of {number(trivial['mae'])}."
        )
    return (
        f"A {name} predicts the right “{target}” in {percent(ours['accuracy'])} of {rows:,} rows that it had never "
        f"seen; always answering the most frequent class is right in {percent(trivial['accuracy'])}."
    )


def gain(measured: Metrics) -> str:
    """The deciding metric compared with the baseline; it also says so when the model is not better."""
    ours, trivial = measured.holdout.get(measured.metric), measured.baseline.get(measured.metric)
    if ours is None or trivial is None:
        return "no comparison is possible: the hold-out rows have a single class"
    if (ours > trivial) != (measured.direction == "higher") or ours == trivial:
        return "not better than the trivial baseline"
    if measured.direction == "lower" and trivial > 0:
        return f"{percent(1 - ours / trivial)} below the trivial baseline"
    return f"{number(ours - trivial)} above the trivial baseline"


def sureness(measured: Metrics) -> str:
    """A warning where the gain over the baseline may be chance, else nothing."""
    gain = measured.gains.get(measured.metric)
    if gain is None:
        return ""
    return "" if gain.is_sure else "the difference may be chance"


def calibration(curve: Calibration) -> str:
    """Whether the probabilities can be trusted."""
    off = f"On average the probabilities are {number(curve.error)} off (95 % interval {between(curve.error_interval)})"
    chance = f"a perfectly calibrated model would stay below {number(curve.by_chance)} on as many rows"
    brier = f"Brier score {number(curve.brier)} ({between(curve.brier_interval)})."
    if curve.calibrated is None:
        return f"{off}; there are too few rows to say whether that is chance. {brier}"
    if curve.calibrated:
        return f"{off}; {chance}: there is no sign that they are wrong. {brier}"
    return (
        f"{off}; {chance}: they are not calibrated, so use them to rank rows and do not read 0.7 as 70 of 100. {brier}"
    )


FAIRNESS = {
    "demographic_parity_difference": "largest difference between groups in how often the class is answered; 0 is equal",
    "demographic_parity_ratio": "smallest such share by the largest; 1 is equal, under 0.8 is often called unfair",
    "equalized_odds_difference": "largest difference between groups in the true positive rate or the false positive "
    "rate; 0 is equal",
    "mean_error_difference": "largest difference between groups in the mean error (predicted less true); 0 is equal",
    "mean_answer_difference": "largest difference between groups in the mean answer; the true means may differ too",
}


def fairness(name: str) -> str:
    """The name of a fairness figure in words."""
    return name.replace("equalized", "equalised").replace("_", " ")


def typical(column: dict[str, Any]) -> str:
    """The typical values of a column of the profile."""
    if column.get("top") is not None:
        shown = ", ".join(f"{value} ({count:,})" for value, count in column["top"][:4])
        others = column["distinct"] - 4
        return f"{shown}, and {others:,} more" if others > 0 else shown
    quantiles = column.get("quantiles")
    if not quantiles:
        return "–"
    low, middle, high = (quantiles[name] for name in ("q05", "q50", "q95"))
    if column["kind"] == "date":
        return f"{_day(low)} to {_day(high)}, median {_day(middle)}"
    low, middle, high = (figure(value, spread=high - low) for value in (low, middle, high))
    return f"{low} to {high}, median {middle}"


def _day(days: float) -> str:
    return (date(1970, 1, 1) + timedelta(days=int(days))).isoformat()
