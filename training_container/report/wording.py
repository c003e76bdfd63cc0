"""Numbers and metrics in words for readers who are no statisticians."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dropforge.contract.results import Metrics
    from dropforge.contract.scores import Calibration, Interval

MEANING = {
    "rmse": "typical error, large errors counting more; in the target's unit, lower is better",
    "mae": "average error; in the target's unit, lower is better",
    "r2": "share of the differences between rows that is explained; 1 is perfect, 0 is no better than the average",
    "auc": "chance that a positive row gets a higher probability than a negative one; 0.5 is guessing, 1 is perfect",
    "logloss": "how surprised the model is by the truth; 0 is never, lower is better",
    "accuracy": "share of rows with the right class; 1 is all",
    "ndcg@10": "how well ten items shown match what the user went on to rate, first places counting more; 1 is perfect",
    "recall@10": "share of what the user went on to rate that is among the ten items shown; 1 is all",
    "silhouette": "how much nearer rows are to their own cluster than to the next; 1 is far apart, 0 is none at all",
    "davies_bouldin": "width of the clusters against the space between them; lower is better",
    "calinski_harabasz": "spread between the clusters against the spread inside; higher is better",
    "f1": "balance of finding the class and not raising false alarms; 1 is perfect",
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
    "neural-periodic": "neural networks that read numbers as waves",
}
TREES_CURVE = "Loss of the rows that the first fold's trees have not seen, tree after tree."
EPOCHS_CURVE = "Loss of every pass over the rows: cross-entropy, or squared error of the standardised target."

CURVE_MEANING = {
    "linear": "Cross-entropy and penalty at every evaluation of L-BFGS, penalty after penalty.",
    "gradient-descent": "The cost of the standardised target, step by step down its gradient.",
    "lightgbm": TREES_CURVE,
    "lightgbm-extra": TREES_CURVE,
    "lightgbm-oblique": TREES_CURVE,
    "catboost": TREES_CURVE,
    "catboost-oblique": TREES_CURVE,
    "neural": EPOCHS_CURVE,
    "neural-periodic": EPOCHS_CURVE,
}
TUNED_SUFFIX = "-tuned"


def model(name: str, task: str) -> str:
    """A family's name in words; the linear one is another for values than for classes."""
    if name == "linear":
        return "linear model in closed form" if task == "regression" else "logistic regression"
    if name.endswith(TUNED_SUFFIX):
        return f"{model(name.removesuffix(TUNED_SUFFIX), task)}, tuned"
    return MODEL_NAMES.get(name, name)


def number(value: float | None) -> str:
    """A number as a person writes it: thousands apart, four digits that count."""
    if value is None:
        return "–"
    size = abs(value)
    if size >= 1e15 or 0 < size < 1e-4:
        return f"{value:.3g}"
    if size >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def between(interval: Interval | None) -> str:
    """An interval as a person writes it."""
    return "–" if interval is None else f"{number(interval.low)} to {number(interval.high)}"


def percent(share: float) -> str:
    """A share as per cent; what is there but below 0.1 % is said to be so."""
    return "< 0.1 %" if 0 < share < 0.001 else f"{share * 100:.1f} %"


def summary(measured: Metrics, target: str) -> str:
    """One sentence: how good, on what, against what."""
    name, rows = model(measured.chosen, measured.task), measured.rows["holdout"]
    ours, trivial = measured.holdout, measured.baseline
    if measured.task == "regression":
        return (
            f"A {name} predicts “{target}” with an average error of {number(ours['mae'])} on {rows:,} rows it "
            f"had never seen; always answering the average would be {number(trivial['mae'])} off."
        )
    return (
        f"A {name} names the right “{target}” in {percent(ours['accuracy'])} of {rows:,} rows it had never seen; "
        f"always naming the most frequent class would be right in {percent(trivial['accuracy'])}."
    )


def gain(measured: Metrics) -> str:
    """The deciding metric against the baseline, in words; a model that is not better is said to be so."""
    ours, trivial = measured.holdout.get(measured.metric), measured.baseline.get(measured.metric)
    if ours is None or trivial is None:
        return "no comparison: the hold-out rows hold one class alone"
    if (ours > trivial) != (measured.direction == "higher") or ours == trivial:
        return "not better than the trivial baseline"
    if measured.direction == "lower" and trivial > 0:
        return f"{percent(1 - ours / trivial)} below the trivial baseline"
    return f"{number(ours - trivial)} above the trivial baseline"


def sureness(measured: Metrics) -> str:
    """Whether the gain over the baseline is beyond chance."""
    found = measured.gains.get(measured.metric)
    if found is None:
        return ""
    return "" if found.is_sure else "the difference may be chance"


def calibration(found: Calibration) -> str:
    """Whether to trust the probabilities, in one sentence."""
    off = f"On average the probabilities are {number(found.error)} off (95 % interval {between(found.error_interval)})"
    chance = f"a perfectly calibrated model would stay below {number(found.by_chance)} on as many rows"
    brier = f"Brier score {number(found.brier)} ({between(found.brier_interval)})."
    if found.calibrated is None:
        return f"{off}; there are too few rows to say whether that is chance. {brier}"
    if found.calibrated:
        return f"{off}; {chance}: nothing speaks against taking them at their word. {brier}"
    return f"{off}; {chance}: they are not calibrated, so rank by them rather than read 0.7 as 70 of 100. {brier}"


FAIRNESS = {
    "demographic_parity_difference": "largest difference between groups in how often the answer is given; 0 is alike",
    "demographic_parity_ratio": "smallest such share by the largest; 1 is alike, below 0.8 is often called unfair",
    "equalized_odds_difference": "largest difference between groups in how often the class is found, or is claimed "
    "wrongly; 0 is alike",
    "mean_error_difference": "largest difference between groups in how far answers are too high on average; 0 is alike",
    "mean_answer_difference": "largest difference between groups in the average answer; what is true may differ too",
}


def fairness(name: str) -> str:
    """The figure's name in words."""
    return name.replace("equalized", "equalised").replace("_", " ")


def typical(column: dict[str, Any]) -> str:
    """What a column of the profile usually holds."""
    if column.get("top") is not None:
        shown = ", ".join(f"{value} ({count:,})" for value, count in column["top"][:4])
        others = column["distinct"] - 4
        return f"{shown}, and {others:,} more" if others > 0 else shown
    quantiles = column.get("quantiles")
    if not quantiles:
        return "–"
    say = _day if column["kind"] == "date" else number
    return f"{say(quantiles['q05'])} to {say(quantiles['q95'])}, in the middle {say(quantiles['q50'])}"


def _day(days: float) -> str:
    return (date(1970, 1, 1) + timedelta(days=int(days))).isoformat()
