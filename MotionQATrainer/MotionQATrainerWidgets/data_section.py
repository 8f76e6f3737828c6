"""Which images and labels to train on, and what the check says of them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import ctk
from slicer.i18n import tr as _

from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.scale import Grade
from MotionQALib.signals import Signal
from MotionQAWidgets.wording import grade_name

from . import study_labels
from .background_check import BackgroundCheck

FILE, STUDY, NONE = KINDS = ("file", "study", "none")
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
        self._problem: str | None = None
        self._similar: list[str] = []
        self._check = BackgroundCheck()
        self._check.progress.connect(self._on_progress)
        self._check.finished.connect(self._on_checked)
        ui.dataPathLineEdit.filters = ctk.ctkPathLineEdit.Dirs
        for edit, key in ((ui.dataPathLineEdit, "Data"), (ui.labelsPathLineEdit, "Labels")):
            edit.settingKey = f"MotionQATrainer/{key}"
            edit.currentPathChanged.connect(self._on_change)
        ui.labelsKindComboBox.currentIndexChanged.connect(self._on_change)
        ui.readerComboBox.activated.connect(self._on_reader)
        ui.checkButton.clicked.connect(self._on_button)
        ui.distinctCheckBox.toggled.connect(self._on_distinct)
        self._on_change()

    @property
    def data(self) -> str:
        return self._ui.dataPathLineEdit.currentPath.strip()

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return KINDS[self._ui.labelsKindComboBox.currentIndex]

    @property
    def _path(self) -> str:
        """Of the file of labels, or of the study's folder."""
        return self._ui.labelsPathLineEdit.currentPath.strip()

    def labels(self) -> str | None:
        """The file of labels, which is written now where they are a study's.

        None where the images are clean and motion is simulated on them. Raises ReadingError where
        the study has none.
        """
        if self.kind == NONE:
            return None
        if self.kind == STUDY:
            return str(study_labels.write_labels(self._path, self._ui.readerComboBox.currentText))
        return self._path

    def problem(self) -> str | None:
        """Why nothing can be trained on what is chosen, or None."""
        if not self.data:
            return _("Choose the folder of the images first.")
        if not Path(self.data).is_dir():
            return _("{path} is no folder; choose the images' folder.").format(path=self.data)
        if self.kind == NONE:
            return None
        if not self._path:
            return _("Choose where the labels are, or say that the images are clean.")
        if self.kind == FILE and not Path(self._path).is_file():
            return _("{path} is no file; choose the file of labels.").format(path=self._path)
        if self.kind == STUDY and not study_labels.is_study(self._path):
            text = _("{path} is no study of the labelling panel; choose the study's folder.")
            return text.format(path=self._path)
        if self.kind == STUDY and not self._ui.readerComboBox.count:
            return _("Nobody has scored an image of this study yet.")
        return None

    @property
    def distinct_subjects(self) -> bool:
        """Whether somebody confirms that those who look like one person are different people."""
        return bool(self._ui.distinctCheckBox.checked)

    @property
    def refused(self) -> str | None:
        """What the check found that keeps anything from being trained, or None."""
        similar = [] if self.distinct_subjects else self._similar
        return " ".join([*similar, *([self._problem] if self._problem else [])]) or None

    @property
    def checking(self) -> bool:
        return self._check.running

    def remember(self) -> None:
        """Keep the paths in their histories."""
        for edit in (self._ui.dataPathLineEdit, self._ui.labelsPathLineEdit):
            edit.addCurrentPathToHistory()

    def stop(self) -> None:
        self._check.stop()

    def _forget(self) -> None:
        """What was found of other data says nothing of these."""
        self._check.stop()
        self._found()
        self._say("")

    def _found(self, problem: str | None = None, similar: Sequence[str] = ()) -> None:
        """Take what a check found; without, nothing."""
        self._problem, self._similar = problem, list(similar)
        box = self._ui.distinctCheckBox
        box.checked = False
        box.visible = bool(self._similar)

    def _on_distinct(self, *_args) -> None:
        self.changed.emit()

    def _on_change(self, *_args) -> None:
        self._forget()
        edit, paths = self._ui.labelsPathLineEdit, ctk.ctkPathLineEdit
        edit.enabled = self.kind != NONE
        edit.filters = paths.Dirs if self.kind == STUDY else paths.Files
        edit.nameFilters = [] if self.kind == STUDY else [_("Labels") + " (*.csv)"]
        self._list_readers()
        self._show_button()
        self.changed.emit()

    def _list_readers(self) -> None:
        combo, found = self._ui.readerComboBox, []
        if self.kind == STUDY and study_labels.is_study(self._path):
            try:
                found = study_labels.readers(self._path)
            except ReadingError as error:
                self._say(f"<b>{escape(str(error))}</b>")
        chosen = combo.currentText
        combo.clear()
        for reader in found:
            combo.addItem(reader)
        combo.currentIndex = max(0, combo.findText(chosen)) if found else -1
        for widget in (combo, self._ui.readerLabel):
            widget.visible = self.kind == STUDY

    def _on_reader(self, *_args) -> None:
        self._forget()
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
            self._found()
            try:
                labels = self.labels()
            except (ReadingError, OSError) as error:
                self._say(f"<b>{escape(str(error))}</b>")
                return
            self._say(_("Reading the labels …"))
            self._check.start(self.data, labels)
        self._show_button()
        self.changed.emit()

    def _on_progress(self, done: int, total: int) -> None:
        self._say(_("Reading image {done} of {total} …").format(done=done, total=total))

    def _on_checked(self, answer: dict) -> None:
        self._show_button()
        if "problem" in answer:
            self._found(answer["problem"])
            self._say(f"<b>{escape(answer['problem'])}</b>")
        elif "clean" in answer:
            text = _("{patients} patients, {systoles} of them also at end systole.")
            self._say(text.format(**answer["clean"]))
        else:
            found = answer["found"]
            similar = [problem for problem in found["problems"] if problem in found["similar"]]
            others = [problem for problem in found["problems"] if problem not in similar]
            self._found(" ".join(others) or None, similar)
            self._say(found_html(found))
        self.changed.emit()

    def _say(self, html: str) -> None:
        self._ui.checkLabel.text = html
        self._ui.checkLabel.visible = bool(html)


def found_html(found: dict) -> str:
    """What a check found (`MotionQATrainerLib.data.check.DataCheck.to_dict`), in rich text."""
    parts = [f"<p><b>{escape(problem)}</b></p>" for problem in found["problems"]]
    counts = ", ".join(f"{grade_name(grade)} {found['volumes'][grade.label]}" for grade in Grade)
    text = _("{volumes} labelled images of {subjects} subjects: {counts}.")
    volumes = sum(found["volumes"].values())
    parts.append(text.format(volumes=volumes, subjects=len(found["subjects"]), counts=counts))
    parts.append(_table(found["subjects"]))
    for text, names in (
        (_("Labelled, but not there: {names}"), found["missing"]),
        (_("There, but not labelled: {names}"), [Path(path).name for path in found["unlabelled"]]),
        (_("Not readable: {names}"), list(found["unreadable"].values())),
        ("{names}", found["doubts"]),
    ):
        if names:
            parts.append("<p>" + escape(text.format(names=_few(names))) + "</p>")
    return "".join(parts)


def _table(subjects: dict[str, dict[str, int]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in (_("Subject"), *map(grade_name, Grade)))
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
