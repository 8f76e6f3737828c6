"""report.html of a training run: how it went, how good it became, and where it errs most."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path

import numpy as np
from torch import nn

from MotionQALib.checkpoints import Card
from MotionQALib.confusion_drawing import CONFUSION_STYLE, confusion_svg
from MotionQALib.devices import DeviceSetup
from MotionQALib.report_style import page_head
from MotionQALib.scale import GRADE_OF_SCORE, Grade, grade_of, median_score, softmax
from MotionQALib.whole_files import write_whole

from ..data.datasets import SliceStore
from ..data.splits import Split
from ..runs import training_log
from ..runs.run_folder import COMMAND, FIGURES, LOG
from . import metrics
from .charts import CHART_STYLE, lines, reliability
from .prediction import predict, spread
from .report_figures import confusion_matrix, reliability_points, write_figures

MOST_SLICES = 4000
"""Slices that are graded for the report; more change no figure that one could see."""

PICTURES = 12

_BODY = """<header>
<h1>{title}</h1>
<p class="meta">{meta}</p>
<p class="notice">{notice}.</p>
</header>
<main>
<section class="volume"><h2>Training</h2>
<div class="charts">
{curves}</div></section>
<section class="volume"><h2>On the {part} subjects</h2>
<p class="meta">{remark}</p>
<div class="charts">
{figures}</div>
{table}</section>
<section class="volume"><h2>Slices graded furthest from their labels</h2>
<div class="slices">
{pictures}</div></section>
</main>
<footer><dl>{facts}</dl></footer>
</body>
</html>
"""


def write_report(
    path: Path,
    card: Card,
    model: nn.Module,
    place: DeviceSetup,
    store: SliceStore,
    split: Split,
    folder: Path,
) -> None:
    """Write the report of the run in ``folder``.

    Parameters
    ----------
    model : the finished weights, settled in ``place``
    store : slices of the validation subjects, and of the test subjects where there are some
    """
    indices, part = split.indices(store.subjects, "test"), "test"
    remark = "None of them had a part in training or in choosing its best epoch."
    if not len(indices):
        indices, part = split.indices(store.subjects, "valid"), "validation"
        remark = "The best epoch was chosen on them, so that these figures are too good."
    indices = spread(indices, MOST_SLICES)
    probabilities = softmax(predict(model, place, store, indices), card.temperature)
    levels = store.levels[indices]
    found = metrics.evaluate(levels, probabilities, store.subjects[indices])
    body = _BODY.format(
        title=escape(card.title),
        meta=escape(_meta(card)),
        notice=escape(card.notice[:1].upper() + card.notice[1:]),
        curves=_curves(folder / LOG),
        part=part,
        remark=remark,
        figures=_figures(levels, probabilities),
        table=_table(found),
        pictures="".join(_pictures(store, indices, probabilities)),
        facts=_facts(card, folder),
    )
    write_whole(path, page_head(card.title, CHART_STYLE + CONFUSION_STYLE) + body)
    write_figures(folder / FIGURES, part, levels, probabilities)


def _meta(card: Card) -> str:
    subjects = card.training["subjects"]
    counts = ", ".join(f"{name} {count}" for name, count in subjects.items())
    source = "simulated motion" if card.motion == "simulated" else "readers' scores"
    return f"{card.backbone} · {source} · subjects: {counts} · {card.training['date']}"


def _curves(log: Path) -> str:
    rows = training_log.read(log)

    def points(column: str) -> list[tuple[float, float]]:
        return [(row["epoch"], row[column]) for row in rows if row[column] is not None]

    return lines(
        "Loss", {"training": points("train_loss"), "validation": points("valid_nll")}, "epoch"
    ) + lines(
        "Grades, validation",
        {"accuracy": points("valid_accuracy"), "quadratic κ": points("valid_kappa")},
        "epoch",
    )


def _figures(levels: np.ndarray, probabilities: np.ndarray) -> str:
    matrix = confusion_matrix(levels, probabilities)
    points = reliability_points(levels, probabilities)
    names = [grade.label for grade in Grade]
    drawn = confusion_svg(matrix, names, "slices labelled as", "graded as", of_rows=True)
    return drawn + reliability("Reliability", points)


def _table(found: dict[str, metrics.Interval]) -> str:
    rows = "".join(
        f"<tr><th>{escape(metrics.TITLES[name])}</th><td>{escape(str(value))}</td></tr>"
        for name, value in found.items()
    )
    return f'<table class="overview"><tbody>{rows}</tbody></table>'


def _pictures(store: SliceStore, indices: np.ndarray, probabilities: np.ndarray) -> Iterable[str]:
    """The slices whose labels were least likely, each with its label and its score."""
    likelihood = (probabilities * store.levels[indices]).sum(axis=1)
    for position in np.argsort(likelihood, kind="stable")[:PICTURES]:
        index = indices[position]
        levels = store.levels[index]
        label = " or ".join(str(score + 1) for score in np.flatnonzero(levels))
        score = int(median_score(probabilities[position]))
        grade = Grade(int(GRADE_OF_SCORE[levels.argmax()]))
        data = base64.b64encode(_png(store.crops[index])).decode()
        where = f"{store.images[index]}, slice {store.slices[index]}, frame {store.frames[index]}"
        yield (
            f'<figure class="{grade.label}"><div class="picture">'
            f'<img alt="" src="data:image/png;base64,{data}"></div><figcaption>'
            f'<span class="where">{escape(where)}</span>labelled {label}, graded '
            f'<span class="chip {grade_of(score).label}">{score}</span></figcaption></figure>\n'
        )


def _png(crop: np.ndarray) -> bytes:
    from PIL import Image

    values = np.asarray(crop, dtype=np.float32)
    low, high = np.percentile(values, [1, 99])
    grey = np.clip((values - low) * (255 / max(float(high - low), 1e-6)), 0, 255)
    stream = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _facts(card: Card, folder: Path) -> str:
    command = folder / COMMAND
    facts = {
        "Weights before": card.training.get("weights", ""),
        "Temperature": f"{card.temperature:.3f}",
        "Repeated by": command.read_text(encoding="utf-8").strip() if command.exists() else "",
        "Notes": " ".join(card.training.get("notes", [])),
    }
    return "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts.items() if text
    )
