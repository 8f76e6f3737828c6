"""What goes into a study and comes out of it: images, scores of others, tables for others."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.signals import Signal


class FilesView:
    """Buttons in a frame, each of which asks for a file or folder.

    Signals
    -------
    add_folder(path), add_list(path) : images to read, too
    import_labels(path) : scores from an IQA.csv or image,score table
    take_back(path) : scores that were saved elsewhere
    grade_all() : with the network
    network(path) : what motionqa assess wrote
    export_long(path), export_labels(path), export_grades(path)
    """

    def __init__(self, frame) -> None:
        self.add_folder, self.add_list, self.import_labels = Signal(), Signal(), Signal()
        self.take_back, self.network, self.grade_all = Signal(), Signal(), Signal()
        self.export_long, self.export_labels, self.export_grades = Signal(), Signal(), Signal()
        self._frame = frame
        table, log = _("Tables (*.csv)"), _("Scores (*.jsonl)")
        graded = _("Grades of motionqa assess (*.json *.csv)")
        column = qt.QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        buttons = (
            (_("Add a folder of images…"), "addFolderButton", self.add_folder, None, ""),
            (_("Add a list of images…"), "addListButton", self.add_list, table, ""),
            (_("Import labels…"), "importButton", self.import_labels, table, ""),
            (_("Take back saved scores…"), "takeBackButton", self.take_back, log, ""),
            (_("Use the network's grades…"), "networkGradesButton", self.network, graded, ""),
            (_("Export all scores…"), "exportLongButton", self.export_long, table, "scores.csv"),
            (_("Export for training…"), "exportLabelsButton", self.export_labels, table, LABELS),
            (_("Export IQA.csv…"), "exportGradesButton", self.export_grades, table, "IQA.csv"),
        )
        tips = self._tips()
        for text, name, signal, kind, proposal in buttons:
            button = qt.QPushButton(text)
            button.name = name
            button.toolTip = tips[name]
            button.clicked.connect(
                lambda *_args, asked=(signal, text, kind, proposal): self._ask(*asked)
            )
            column.addWidget(button)
        button = qt.QPushButton(_("Grade all cases with the network"))
        button.name = "gradeAllButton"
        button.toolTip = tips[button.name]
        button.clicked.connect(lambda *_args: self.grade_all.emit())
        column.addWidget(button)
        self.label = qt.QLabel()
        self.label.wordWrap = True
        self.label.visible = False
        column.addWidget(self.label)

    def say(self, sentence: str) -> None:
        self.label.text = sentence
        self.label.visible = bool(sentence)

    def _ask(self, signal: Signal, title: str, kind: str | None, proposal: str) -> None:
        dialog = qt.QFileDialog
        if kind is None:
            path = dialog.getExistingDirectory(self._frame, title, "")
        elif proposal:
            path = file_to_write(self._frame, title, proposal, kind)
        else:
            path = dialog.getOpenFileName(self._frame, title, "", kind)
        if path:
            signal.emit(Path(path))

    @staticmethod
    def _tips() -> dict[str, str]:
        return {
            "addFolderButton": _("Cases that are there keep their scores and their places."),
            "addListButton": _("A CSV file with a column image and perhaps one named subject."),
            "importButton": _("CMRxMotion's IQA.csv, or a CSV file with image and score."),
            "takeBackButton": _(
                "Scores that were saved elsewhere while the study was out of reach."
            ),
            "gradeAllButton": _("With the checkpoint that the tab Assess has chosen; needs torch."),
            "networkGradesButton": _(
                "To order the cases by them, and to compare readers with them."
            ),
            "exportLongButton": _("A row for every score of every reader, for statistics."),
            "exportLabelsButton": _(
                "Your scores, or the consensus, for motionqa-train fit --labels."
            ),
            "exportGradesButton": _("Your grades, or the consensus, in CMRxMotion's form."),
        }


LABELS = "labels.csv"


def file_to_write(parent, title: str, proposal: str, kind: str) -> str:
    """Ask for a file, which gets the proposal's suffix; "" where the user wants none."""
    path = qt.QFileDialog.getSaveFileName(parent, title, proposal, kind)
    suffix = Path(proposal).suffix
    if not path or path.lower().endswith(suffix):
        return path
    path += suffix
    # The file dialog asked about the name without its suffix.
    text = _("{path} exists already. Replace it?").format(path=path)
    replacing = Path(path).exists()
    return path if not replacing or slicer.util.confirmOkCancelDisplay(text, title) else ""
