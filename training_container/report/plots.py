"""The report's plots, each as inline SVG. matplotlib's figures are used directly: no display, no global state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from dropforge.contract.figures import figure, spread_of
from dropforge.metrics import scores as metrics
from training_container.tensorboard import thinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

    from dropforge.contract.scores import Calibration, GroupedBy

INK, MODEL, OTHER, SOFT = "#1f2933", "#2563eb", "#e07a1f", "#9aa5b1"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10, "text.color": INK, "axes.edgecolor": SOFT,
    "axes.labelcolor": INK, "axes.spines.top": False, "axes.spines.right": False, "xtick.color": INK,
    "ytick.color": INK, "axes.grid": True, "grid.color": "#e4e7eb", "axes.axisbelow": True, "legend.frameon": False,
}  # fmt: skip
MOST_POINTS = 3000
"""Points of the scatter plot at most: more only make it darker."""
EAST_NAMES = ("lon", "lng", "x", "east")
"""What names of columns begin with that a map has across."""


def _draw(name: str, paint: Callable[[Axes], None], width: float = 4.6, height: float = 3.4) -> str:
    """An `<svg>` element of what `paint(axes)` draws; `name` keeps its inner ids apart from other plots' ids."""
    style: Any = {**STYLE, "svg.hashsalt": name}  # Any: matplotlib types every key of its settings by name
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure.subplots())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, dpi=140, metadata={"Date": None, "Creator": None})
    text = out.getvalue()
    return text[text.index("<svg") :]


draw = _draw
"""For figures of other modules."""


def _few_ticks(axes: Axes, *which: Literal["x", "y"]) -> None:
    """At most five marks, written as the rest of the page writes numbers, so that large ones do not touch."""
    for side in which:
        axes.locator_params(side, nbins=5)
        axis = getattr(axes, f"{side}axis")
        spread = spread_of(axis.get_view_interval().tolist())
        axis.set_major_formatter(lambda value, _, spread=spread: figure(value, spread=spread))


def learning_curve(model: str, curves: dict[str, list[float]]) -> str:
    """A model's losses by iteration, on a logarithmic scale where they fall far."""

    def paint(axes: Axes) -> None:
        for (name, values), colour in zip(curves.items(), (MODEL, OTHER), strict=False):
            pairs = thinned(values)
            axes.plot(
                [epoch for epoch, _ in pairs], [value for _, value in pairs], color=colour, label=_curve_label(name)
            )
        every = np.concatenate([np.array(values) for values in curves.values()])
        if every.min() > 0 and every.max() > 20 * every.min():
            axes.set_yscale("log")
        axes.set_xlabel("epoch" if "validation_loss" in curves else "iteration")
        axes.legend()

    return _draw(f"curve-{model}", paint)


def _curve_label(curve: str) -> str:
    return "J(θ) = 1/2m Σ (h(x) − y)²" if curve == "J" else curve.replace("_", " ")


def predicted_and_true(truth: np.ndarray, answers: np.ndarray, target: str) -> str:
    """Every hold-out row (or a sample) as a point; right answers lie on the diagonal."""

    def paint(axes: Axes) -> None:
        rows = np.random.default_rng(0).permutation(len(truth))[:MOST_POINTS]
        axes.scatter(truth[rows], answers[rows], s=7, alpha=0.35, color=MODEL, linewidths=0, rasterized=True)
        ends = [min(truth.min(), answers.min()), max(truth.max(), answers.max())]
        axes.plot(ends, ends, color=OTHER, linewidth=1)
        _few_ticks(axes, "x", "y")
        axes.set_xlabel(f"true {_short(target)}")
        axes.set_ylabel("predicted")

    return _draw("scatter", paint)


def neighbourhood(points: np.ndarray, target: np.ndarray, names: tuple[str, str], of: str) -> str:
    """Rows at their places [N, 2] in two columns (or a sample of them), the darker the larger the target [N].

    The first column goes across, unless the second is called as what maps have across.
    """
    if names[1].lower().startswith(EAST_NAMES) and not names[0].lower().startswith(EAST_NAMES):
        points, names = points[:, ::-1], (names[1], names[0])

    def paint(axes: Axes) -> None:
        rows = np.random.default_rng(0).permutation(len(target))[:MOST_POINTS]
        shade = np.clip(target[rows], *np.quantile(target, [0.02, 0.98]))
        first, second = points[rows].T
        drawn = axes.scatter(first, second, c=shade, s=7, cmap="viridis_r", linewidths=0, rasterized=True)
        axes.figure.colorbar(drawn, ax=axes, label=_short(of), format=lambda value, _: figure(value))
        _few_ticks(axes, "x", "y")
        axes.set_xlabel(_short(names[0]))
        axes.set_ylabel(_short(names[1]))

    return _draw("neighbourhood", paint)


def residuals(truth: np.ndarray, answers: np.ndarray) -> str:
    """How far off the answers are: predicted minus true."""

    def paint(axes: Axes) -> None:
        apart = answers - truth
        low, high = np.quantile(apart, [0.005, 0.995])
        axes.hist(np.clip(apart, low, high), bins=50, color=MODEL)
        axes.axvline(0, color=OTHER, linewidth=1)
        _few_ticks(axes, "x")
        axes.set_xlabel("predicted − true")
        axes.set_ylabel("rows")

    return _draw("residuals", paint)


def target_values(target: np.ndarray, name: str) -> str:
    """Histogram of the training targets."""

    def paint(axes: Axes) -> None:
        axes.hist(target, bins=50, color=SOFT)
        _few_ticks(axes, "x")
        axes.set_xlabel(_short(name))
        axes.set_ylabel("training rows")

    return _draw("target", paint)


def class_shares(codes: np.ndarray, classes: tuple[str, ...]) -> str:
    """Bars of the classes' counts, the most frequent 20."""

    def paint(axes: Axes) -> None:
        counts = np.bincount(codes, minlength=len(classes))
        order = np.argsort(-counts, kind="stable")[:20][::-1]
        axes.barh([_short(classes[code]) for code in order], counts[order], color=SOFT)
        axes.set_xlabel("training rows")
        axes.grid(visible=False, axis="y")

    return _draw("target", paint)


def confusion(truth: np.ndarray, answers: np.ndarray, classes: tuple[str, ...]) -> str:
    """Counts by true and predicted class, shaded by the share of the true class."""

    def paint(axes: Axes) -> None:
        many = len(classes)
        counts = np.zeros((many, many), dtype=int)
        np.add.at(counts, (truth, answers.argmax(axis=1)), 1)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if many <= 12:
            for row, column in np.ndindex(many, many):
                colour = "white" if shares[row, column] > 0.6 else INK
                axes.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=colour)
        labels = [_short(name, 14) for name in classes] if many <= 25 else []
        axes.set_xticks(
            range(len(labels)), labels, rotation=35 if many > 3 else 0, ha="right" if many > 3 else "center"
        )
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.grid(visible=False)

    return _draw("confusion", paint)


def roc(truth: np.ndarray, answers: np.ndarray) -> str:
    """Share of the positives found against the share of false alarms, over every threshold."""

    def paint(axes: Axes) -> None:
        order = np.argsort(-answers[:, 1], kind="stable")
        hits = np.cumsum(truth[order] == 1)
        alarms = np.cumsum(truth[order] != 1)
        axes.plot(np.r_[0, alarms / max(alarms[-1], 1)], np.r_[0, hits / max(hits[-1], 1)], color=MODEL,
                  label=f"AUC {metrics.auc(truth, answers):.3f}")  # fmt: skip
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", label="chance")
        axes.set_xlabel("false positive rate")
        axes.set_ylabel("true positive rate")
        axes.legend(loc="lower right")

    return _draw("roc", paint)


def reliability(calibration: Calibration) -> str:
    """Whether '70 %' comes true in 70 of 100 rows: each point some rows, its whisker the interval of what came true."""

    def paint(axes: Axes) -> None:
        predicted, observed = [bin_.said for bin_ in calibration.table], [bin_.came for bin_ in calibration.table]
        whiskers = [[bin_.came - bin_.interval.low for bin_ in calibration.table],
                    [bin_.interval.high - bin_.came for bin_ in calibration.table]]  # fmt: skip
        axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", label="perfect")
        axes.errorbar(predicted, observed, yerr=whiskers, fmt="o-", color=MODEL, ecolor=MODEL, elinewidth=1, capsize=3,
                      markersize=4, label="model, with 95 % intervals")  # fmt: skip
        axes.set_xlabel("predicted probability")
        axes.set_ylabel("observed share")
        axes.legend(loc="upper left")

    return _draw("reliability", paint)


def groups(grouped: GroupedBy, metric: str, whole: float | None) -> str:
    """The deciding metric of every group with its interval, and of all rows as a line."""
    shown = [group for group in grouped.groups if metric in group.scores and metric in group.intervals][::-1]
    if not shown:
        return ""

    def paint(axes: Axes) -> None:
        values = [group.scores[metric] for group in shown]
        ends = [group.intervals[metric] for group in shown]
        whiskers = [[max(0.0, value - end.low) for value, end in zip(values, ends, strict=True)],
                    [max(0.0, end.high - value) for value, end in zip(values, ends, strict=True)]]  # fmt: skip
        if whole is not None:
            axes.axvline(whole, color=OTHER, linewidth=1, label="all rows")
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.errorbar(values, range(len(shown)), xerr=whiskers, fmt="o", color=MODEL, elinewidth=1, capsize=3)
        axes.set_yticks(range(len(shown)), [_short(group.name, 20) for group in shown])
        axes.set_ylim(-0.6, len(shown) - 0.4)
        _few_ticks(axes, "x")
        axes.set_xlabel(f"{metric}, 95 % interval")

    return _draw(f"groups-{metric}-{len(shown)}", paint, height=1.3 + 0.3 * len(shown))


def _short(text: str, longest: int = 28) -> str:
    """A name that fits beside an axis; `$` would start a formula."""
    text = text.replace("$", r"\$")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
