"""A row of a form in which a folder is chosen; it is the same when Slicer is opened again."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer

from MotionQALib.signals import Signal


class FolderRow:
    """A caption, the folder, and a button to choose it.

    Parameters
    ----------
    caption, title : of the row, and of the dialog
    setting : under which Slicer's settings keep the folder

    Signals
    -------
    changed() : another folder was chosen
    """

    def __init__(self, caption: str, title: str, setting: str) -> None:
        self.changed = Signal()
        self._title, self._setting = title, setting
        self._caption, self.edit = qt.QLabel(caption), qt.QLineEdit()
        self.button = qt.QToolButton()
        self.button.text = "…"
        self.button.toolTip = title
        self._caption.setBuddy(self.edit)
        self.edit.text = str(slicer.util.settingsValue(setting, "") or "")
        self.edit.editingFinished.connect(self._on_edited)
        self.button.clicked.connect(self._on_button)

    @property
    def path(self) -> Path | None:
        text = self.edit.text.strip()
        return Path(text).expanduser() if text else None

    @path.setter
    def path(self, path: Path | None) -> None:
        self.edit.text = "" if path is None else str(path)
        slicer.app.userSettings().setValue(self._setting, self.edit.text)
        self.changed.emit()

    @property
    def enabled(self) -> bool:
        return self.edit.enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self.edit.enabled = self.button.enabled = enabled

    @property
    def tip(self) -> str:
        return self.edit.toolTip

    @tip.setter
    def tip(self, text: str) -> None:
        self.edit.toolTip = text

    def add_to(self, grid, row: int) -> None:
        """Put the row's parts into a QGridLayout."""
        for column, part in enumerate((self._caption, self.edit, self.button)):
            grid.addWidget(part, row, column)

    def _on_edited(self, *_args) -> None:
        if self.edit.text != str(slicer.util.settingsValue(self._setting, "") or ""):
            self.path = self.path

    def _on_button(self, *_args) -> None:
        chosen = qt.QFileDialog.getExistingDirectory(self.button, self._title, self.edit.text)
        if chosen:
            self.path = Path(chosen)
