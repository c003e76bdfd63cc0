"""The report of a network of pictures: its scores, which classes it mixes up, and the pictures that it got wrong."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from training_container.devices import device_name
from training_container.report import plots, wording
from training_container.report.plain import ReportContent, Section, write_plain_report

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from dropforge.contract.results import Metrics
    from dropforge.contract.schema import ModelCard
    from training_container.export.parity import Proof
    from training_container.tasks.images.model import ImageModel
    from training_container.tasks.images.sets import ImageSet

MISTAKES_SHOWN = 24
"""Pictures that were answered wrong."""
PICTURES_A_ROW = 6
LEFT_OUT_LISTED = 50
LONGEST_CLASS_NAME = 14
"""Characters of a class's name under a picture."""


def write_report(path: Path, model: ImageModel, card: ModelCard, metrics: Metrics, proof: Proof) -> None:
    """Writes the report as one HTML file."""
    content = ReportContent(
        summary=summary(metrics),
        baseline="The trivial baseline answers every picture with the shares of the classes.",
        split="split by the pictures' pixels, so that the same picture is always on the same side",
        sections=[
            sureness(metrics),
            mixed_up(model, metrics),
            mistakes(model),
            learned(model),
            *left_out(model.images),
        ],
        packages={"pillow": version("pillow")},
        device=device_name(),
    )
    write_plain_report(path, content, card, metrics, proof, model.images.profile)


def summary(metrics: Metrics) -> str:
    """One sentence: how good, on what, against what."""
    ours, trivial = metrics.holdout["accuracy"], metrics.baseline["accuracy"]
    return (
        f"A residual network names the right class of {wording.percent(ours)} of {metrics.rows['holdout']:,} pictures "
        f"that it had never seen; always answering the most frequent class is right in {wording.percent(trivial)}."
    )


def sureness(metrics: Metrics) -> Section:
    """The intervals of the scores, and what they cannot say."""
    rows = [(name, wording.number(value), wording.between(metrics.intervals.get(name)))
            for name, value in metrics.holdout.items()]  # fmt: skip
    note = " ".join(metrics.notes)
    return Section("Confidence intervals", note, headers=("metric", "hold-out", "95 % interval"), rows=rows)


def mixed_up(model: ImageModel, metrics: Metrics) -> Section:
    """Counts by true and predicted class, calibration, and the training pictures by class."""
    truth, images = model.images.holdout.codes, model.images
    figures = [("Right and wrong", "Pictures by true and predicted class; right ones are on the diagonal.",
                plots.confusion(truth, model.answers, images.classes))]  # fmt: skip
    if metrics.calibration is not None:
        figures.append(
            ("Calibration", wording.calibration(metrics.calibration), plots.reliability(metrics.calibration))
        )
    figures.append(
        (
            "Classes",
            "The number of training pictures of each class.",
            plots.class_shares(images.train.codes, images.classes),
        )
    )
    return Section("Which classes are confused", figures=figures)


def mistakes(model: ImageModel) -> Section:
    """The wrong pictures that the network was surest of: often wrong labels."""
    holdout, answers = model.images.holdout, model.answers
    wrong = np.flatnonzero(answers.argmax(axis=1) != holdout.codes)
    if not len(wrong):
        return Section("Mistakes", f"Not one of {len(holdout):,} hold-out pictures was answered wrong.")
    surest = wrong[np.argsort(-answers[wrong].max(axis=1), kind="stable")][:MISTAKES_SHOWN]
    classes = model.images.classes
    rows = [
        (holdout.names[number], classes[holdout.codes[number]], classes[int(answers[number].argmax())],
         wording.percent(float(answers[number].max())))
        for number in surest
    ]  # fmt: skip
    how = "The pictures as the network reads them; below each, its answer and, in brackets, the folder."
    note = (f"The most confident of {len(wrong):,} wrong answers. Check them first: a picture in the wrong folder "
            "looks just like a wrong answer.")  # fmt: skip
    return Section("Mistakes", note, figures=[("Most confident mistakes", how, drawn(model, surest))],
                   headers=("picture", "folder", "answer", "probability"), rows=rows)  # fmt: skip


def drawn(model: ImageModel, which: np.ndarray) -> str:
    """These hold-out pictures in rows of `PICTURES_A_ROW`."""
    holdout, classes = model.images.holdout, model.images.classes

    def paint(axes: Axes) -> None:
        for place, number in enumerate(which.tolist()):
            x, y = place % PICTURES_A_ROW, place // PICTURES_A_ROW * 1.4
            pixels = holdout.pixels[number]
            shown = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
            axes.imshow(shown, cmap="gray", vmin=0, vmax=255, extent=(x, x + 0.9, y + 0.9, y), interpolation="nearest")
            answer, folder = classes[int(model.answers[number].argmax())], classes[holdout.codes[number]]
            axes.text(x + 0.45, y + 1.05, short(answer), ha="center", va="center", fontsize=6)
            axes.text(x + 0.45, y + 1.2, f"({short(folder)})", ha="center", va="center", fontsize=6)
        axes.set_xlim(-0.05, PICTURES_A_ROW)
        axes.set_ylim((len(which) - 1) // PICTURES_A_ROW * 1.4 + 1.35, -0.05)
        axes.set_axis_off()

    return plots.draw("mistakes", paint, width=7.0, height=0.2 + 1.6 * ((len(which) - 1) // PICTURES_A_ROW + 1))


def short(name: str) -> str:
    """A class's name that fits under a picture; `$` would start a formula."""
    return (name if len(name) <= LONGEST_CLASS_NAME else f"{name[: LONGEST_CLASS_NAME - 1]}…").replace("$", r"\$")


def learned(model: ImageModel) -> Section:
    """Losses over the epochs, and the settings that were chosen on the way."""
    curves = model.fitted.curves

    def paint(axes: Axes) -> None:
        for name in ("train/loss", "validation/logloss"):
            axes.plot(np.arange(1, len(curves[name]) + 1), curves[name], "o-", markersize=3, label=name)
        axes.set_xlabel("epoch")
        axes.legend(fontsize=8)

    rule, recipe = model.images.rule, model.fitted.recipe
    colours = "grey" if rule.channels == 1 else "colour"
    note = (
        f"Pictures of {rule.height} × {rule.width} pixels, {colours}; {model.fitted.epochs} epochs; {recipe.width} "
        f"channels in the first stage; {'with' if recipe.flip else 'without'} mirrored pictures, as the validation "
        "pictures had it. The training loss is of changed pictures and softened labels, and so lies higher."
    )
    return Section("Learning", note, figures=[("Loss", "Lower is better.", plots.draw("learning", paint))])


def left_out(images: ImageSet) -> list[Section]:
    """The files that could not be read, and pictures that lie in two classes."""
    rows = [line.partition(": ")[::2] for line in images.unreadable[:LEFT_OUT_LISTED]]
    rows += [
        (name, "the same pixels lie in another class too") for name in images.profile["contradicting"][:LEFT_OUT_LISTED]
    ]
    if not rows:
        return []
    return [Section("Left out", "These files were not learned from.", headers=("file", "why"), rows=rows)]
