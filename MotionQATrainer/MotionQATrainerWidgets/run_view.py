"""What a training is doing now, in words and on a bar, and what came of it."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MotionQALib.scale import Grade
from MotionQATrainerLib.runs.run_folder import BEFORE_AFTER, FIGURES, REPORT
from MotionQAWidgets.confusion_picture import confusion_picture
from MotionQAWidgets.wording import grade_name

from . import chart_pictures, training_outcome
from .publishing import is_listed, listed_as, publish
from .trainings import Training

PICTURE = 190
"""Pixels of a picture's side: two fit beside each other in Slicer's module panel."""


class RunView:
    """Progress and result of one training, on the panel's widgets."""

    def __init__(self, ui) -> None:
        self._ui = ui
        self._training: Training | None = None
        self._pictured: tuple[Path, int] | None = None
        ui.reportButton.clicked.connect(lambda *_: self._open(REPORT))
        ui.listButton.clicked.connect(self._on_list)
        ui.openFolderButton.clicked.connect(lambda *_: self._open(""))

    def show(self, training: Training | None) -> None:
        self._training = training
        self._show_progress()
        self._show_result()

    def _show_progress(self) -> None:
        training, bar, label = self._training, self._ui.progressBar, self._ui.progressLabel
        running = training is not None and training.running
        bar.visible = running
        text = "" if training is None else in_words(training)
        label.text = text
        label.visible = bool(text)
        if running:
            bar.maximum = training.status.total
            bar.value = training.status.done

    def _show_result(self) -> None:
        ui, training = self._ui, self._training
        finished = training is not None and training.state == "finished"
        trained = finished and training.run.checkpoint is not None
        ui.resultLabel.text = result_sentence(training) if trained else ""
        left_out = trained and not is_listed(training.run.checkpoint)
        ui.listButton.visible = left_out
        if left_out:
            ui.resultButton.collapsed = False
        ui.resultButton.enabled = training is not None
        ui.reportButton.enabled = finished and (training.folder / REPORT).is_file()
        ui.openFolderButton.enabled = training is not None
        self._show_table(training.folder / BEFORE_AFTER if finished else None)
        self._show_pictures(training.folder / FIGURES if finished else None)

    def _show_table(self, path: Path | None) -> None:
        there = path is not None and path.is_file()
        self._ui.tableLabel.text = table_html(path.read_text("utf-8")) if there else ""
        self._ui.tableLabel.visible = there
        if there:
            self._ui.resultButton.collapsed = False

    def _show_pictures(self, path: Path | None) -> None:
        labels = (self._ui.confusionLabel, self._ui.reliabilityLabel)
        try:
            seen = None if path is None else (path, path.stat().st_mtime_ns)
            if seen == self._pictured and seen is not None:
                return
            figures = None if path is None else json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):  # a run of another version has no figures
            seen = figures = None
        self._pictured = seen
        for label in labels:
            label.visible = figures is not None
        if figures is not None:
            on_test = figures["part"] == "test"
            rows = _("Slices of test subjects") if on_test else _("Slices of validation subjects")
            names = [grade_name(grade) for grade in Grade]
            labels[0].pixmap = confusion_picture(
                figures["confusion"], names, rows, _("graded as"), width=PICTURE, of_rows=True
            )
            labels[1].pixmap = chart_pictures.reliability(figures["reliability"], PICTURE)
            self._ui.resultButton.collapsed = False

    def _on_list(self, *_args) -> None:
        publish(self._training.run.checkpoint)
        self._show_result()

    def _open(self, name: str) -> None:
        if self._training is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self._training.folder / name)))


def in_words(training: Training) -> str:
    """Where a training stands: a sentence."""
    status = training.status
    if training.state in ("failed", "killed"):
        return training.run.error
    if training.state == "stopped":
        text = _("Stopped in epoch {epoch}; Resume goes on from there.")
        return text.format(epoch=status.epoch + 1)
    if training.state == "finished":
        return _("Finished.")
    if status.stage == "data" and status.total:
        text = _("Reading image {done} of {total} …")
        return text.format(done=status.done, total=status.total)
    if status.stage in ("train", "validate") and status.total:
        text = _("Epoch {epoch} of {epochs}, step {done} of {total}")
        if status.seconds_left is not None:
            text = _("Epoch {epoch} of {epochs}, step {done} of {total}: about {left} left")
        return text.format(
            epoch=min(status.epoch + 1, status.epochs or status.epoch + 1),
            epochs=status.epochs or "…",
            done=status.done,
            total=status.total,
            left=duration(status.seconds_left or 0),
        )
    return status.text or _("Starting …")


def duration(seconds: float) -> str:
    """Such as "4 minutes"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes == 1:
        return _("a minute")
    if minutes < 120:
        return _("{minutes} minutes").format(minutes=minutes)
    return _("{hours} hours").format(hours=round(minutes / 60))


def table_html(markdown: str) -> str:
    """A Markdown table as rich text."""
    rows = [line.strip().strip("|").split("|") for line in markdown.splitlines() if "|" in line]
    rows = [row for row in rows if not set("".join(row)) <= set("-: ")]
    lines = ["".join(f"<td>{escape(cell.strip())}</td>" for cell in row) for row in rows]
    return "<table cellspacing='4'>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def result_sentence(training: Training) -> str:
    """What the best epoch reached, and whether the checkpoint is in MotionQA's list."""
    checkpoint = Path(training.status.checkpoint)
    if is_listed(checkpoint):
        name = listed_as(checkpoint).stem
        where = _("{name} is in MotionQA's list of checkpoints.").format(name=name)
    else:
        where = _("{name} is not in MotionQA's list.").format(name=checkpoint.stem)
    if training_outcome.learned_nothing(training):
        kappa = training_outcome.validation_kappa(training)
        text = _(
            "It has learned nothing: it agrees with the labels of the validation subjects no "
            "better than chance (κ {kappa:.2f}), as if it gave all of them one grade. Train it on "
            "more subjects, for more epochs, or from other weights."
        )
        return f"{where} {text.format(kappa=kappa)}"
    best = [row for row in training.rows if row.get("best")]
    if not best:
        return where
    text = _(
        "On the validation subjects: accuracy of the grade {accuracy:.2f}, κ {kappa:.2f} "
        "(epoch {epoch})."
    )
    row = best[-1]
    text = text.format(
        accuracy=row["valid_accuracy"], kappa=row["valid_kappa"], epoch=int(row["epoch"])
    )
    return f"{where} {text}"
