"""Which images and labels to train on, and what the check says of them."""

from __future__ import annotations

from html import escape
from pathlib import Path

import ctk
from slicer.i18n import tr as _

from MotionQALib.scale import Grade
from MotionQAWidgets.signals import Signal
from MotionQAWidgets.wording import gradeName

from .data_check import DataCheck

FILE, NONE = "file", "none"
"""Kinds of labels, in the order of the panel's list."""

LISTED = 4
"""Names given of what is missing or unreadable; the rest is counted."""


class DataSection:
    """Images, labels and their check, as the panel shows them.

    Signals
    -------
    changed() : other images or labels were chosen, or a check began or ended
    """

    def __init__(self, ui) -> None:
        self._ui = ui
        self.changed = Signal()
        self.refused: str | None = None
        self._check = DataCheck()
        self._check.progress.connect(self._on_progress)
        self._check.finished.connect(self._on_checked)
        kinds = ctk.ctkPathLineEdit
        for edit, filters, key in (
            (ui.dataPathLineEdit, kinds.Dirs, "MotionQATrainer/Data"),
            (ui.labelsPathLineEdit, kinds.Files, "MotionQATrainer/Labels"),
        ):
            edit.filters = filters
            edit.settingKey = key
            edit.currentPathChanged.connect(self._on_change)
        ui.labelsPathLineEdit.nameFilters = [_("Labels") + " (*.csv)"]
        ui.labelsKindComboBox.currentIndexChanged.connect(self._on_change)
        ui.checkButton.clicked.connect(self._on_button)
        self._on_change()

    @property
    def data(self) -> str:
        return self._ui.dataPathLineEdit.currentPath.strip()

    @property
    def labels(self) -> str | None:
        """None where the images are clean and motion is simulated on them."""
        if self._ui.labelsKindComboBox.currentIndex == (FILE, NONE).index(NONE):
            return None
        return self._ui.labelsPathLineEdit.currentPath.strip()

    def problem(self) -> str | None:
        """Why nothing can be trained on what is chosen, or None."""
        if not self.data:
            return _("Choose the folder of the images first.")
        if not Path(self.data).is_dir():
            return _("{path} is no folder; choose the images' folder.").format(path=self.data)
        if self.labels == "":
            return _("Choose the file of labels, or say that the images are clean.")
        if self.labels is not None and not Path(self.labels).is_file():
            return _("{path} is no file; choose the file of labels.").format(path=self.labels)
        return None

    @property
    def checking(self) -> bool:
        return self._check.running

    def remember(self) -> None:
        """Keep the paths in their histories."""
        for edit in (self._ui.dataPathLineEdit, self._ui.labelsPathLineEdit):
            edit.addCurrentPathToHistory()

    def stop(self) -> None:
        self._check.stop()

    def _on_change(self, *_args) -> None:
        """What was found of other data says nothing of these."""
        self._check.stop()
        self.refused = None
        self._ui.labelsPathLineEdit.enabled = self.labels is not None
        self._say("")
        self._show_button()
        self.changed.emit()

    def _show_button(self) -> None:
        button, problem = self._ui.checkButton, self.problem()
        button.text = _("Stop checking") if self.checking else _("Check the data")
        button.enabled = problem is None
        button.toolTip = problem or _(
            "Count the images by grade and subject, and name what is missing or unreadable, "
            "before anything is trained."
        )

    def _on_button(self, *_args) -> None:
        if self.checking:
            self._check.stop()
            self._say("")
        else:
            self.refused = None
            self._say(_("Reading the labels …"))
            self._check.start(self.data, self.labels)
        self._show_button()
        self.changed.emit()

    def _on_progress(self, done: int, total: int) -> None:
        self._say(_("Reading image {done} of {total} …").format(done=done, total=total))

    def _on_checked(self, answer: dict) -> None:
        self._show_button()
        if "problem" in answer:
            self.refused = answer["problem"]
            self._say(f"<b>{escape(answer['problem'])}</b>")
        elif "clean" in answer:
            text = _("{patients} patients, {systoles} of them also at end systole.")
            self._say(text.format(**answer["clean"]))
        else:
            found = answer["found"]
            self.refused = " ".join(found["problems"]) or None
            self._say(found_html(found))
        self.changed.emit()

    def _say(self, html: str) -> None:
        self._ui.checkLabel.text = html
        self._ui.checkLabel.visible = bool(html)


def found_html(found: dict) -> str:
    """What a check found (`MotionQATrainerLib.check.DataCheck.to_dict`), in rich text."""
    parts = [f"<p><b>{escape(problem)}</b></p>" for problem in found["problems"]]
    counts = ", ".join(f"{gradeName(grade)} {found['volumes'][grade.label]}" for grade in Grade)
    text = _("{volumes} labelled images of {subjects} subjects: {counts}.")
    volumes = sum(found["volumes"].values())
    parts.append(text.format(volumes=volumes, subjects=len(found["subjects"]), counts=counts))
    parts.append(_table(found["subjects"]))
    for text, names in (
        (_("Labelled, but not there: {names}"), found["missing"]),
        (_("There, but not labelled: {names}"), [Path(path).name for path in found["unlabelled"]]),
        (_("Not readable: {names}"), list(found["unreadable"].values())),
    ):
        if names:
            parts.append("<p>" + escape(text.format(names=_few(names))) + "</p>")
    return "".join(parts)


def _table(subjects: dict[str, dict[str, int]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in (_("Subject"), *map(gradeName, Grade)))
    rows = []
    for name, counts in sorted(subjects.items()):
        cells = "".join(f"<td align='right'>{counts[grade.label] or '–'}</td>" for grade in Grade)
        rows.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    more = len(rows) - 12
    if more > 1:
        text = escape(_("and {count} more subjects").format(count=more))
        rows[12:] = [f"<tr><td colspan='4'>{text}</td></tr>"]
    return f"<table cellspacing='6'><tr>{head}</tr>{''.join(rows)}</table>"


def _few(names: list[str]) -> str:
    more = len(names) - LISTED
    if more < 2:
        return ", ".join(names)
    shown = ", ".join(names[:LISTED])
    return _("{names} and {count} more").format(names=shown, count=more)
