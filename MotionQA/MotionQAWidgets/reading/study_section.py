"""Where a study is opened or begun: the reader's name, the images, and the study's rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.signals import Signal

from .. import reader_name

STUDY_SETTING = "MotionQA/LastStudy"

# As the .ui file lists them.
FOLDER, LIST, SCENE = range(3)
LEVELS = ("volume", "slice")
ORDERS = ("shuffled", "listed", "uncertain")


@dataclass(frozen=True)
class NewStudy:
    """What the form says.

    Parameters
    ----------
    source : the images' folder or CSV file; None for the volumes in the scene
    settings : of the `Study`
    """

    folder: Path
    source: Path | None
    settings: dict[str, object]


class StudySection:
    """The panel's first section.

    Signals
    -------
    opened(folder) : the user chose the folder of a study
    created(NewStudy)
    closed() : the user wants to stop
    """

    def __init__(self, ui) -> None:
        self.opened, self.created, self.closed = Signal(), Signal(), Signal()
        self._ui, self._source = ui, None
        ui.readerLineEdit.text = reader_name.remembered()
        ui.readerLineEdit.editingFinished.connect(self._on_reader)
        ui.openButton.clicked.connect(self._on_open)
        ui.newButton.toggled.connect(self._on_new)
        ui.closeButton.clicked.connect(lambda *_args: self.closed.emit())
        ui.imagesComboBox.currentIndexChanged.connect(self._on_kind)
        ui.imagesButton.clicked.connect(self._on_images)
        ui.orderComboBox.currentIndexChanged.connect(self._on_order)
        ui.createButton.clicked.connect(self._on_create)
        self._on_kind()

    @property
    def reader(self) -> str:
        return self._ui.readerLineEdit.text.strip()

    def show(self, folder: Path | None) -> None:
        """A study is open, or none."""
        ui, is_open = self._ui, folder is not None
        ui.studyButton.text = _("Study {name}").format(name=folder.name) if is_open else _("Study")
        ui.studyButton.collapsed = is_open
        ui.readerLineEdit.enabled = ui.openButton.enabled = ui.newButton.enabled = not is_open
        ui.closeButton.enabled = is_open
        if is_open:
            ui.newButton.checked = False
            ui.imagesPathLabel.text = ""  # folders are named for patients
            slicer.app.settings().setValue(STUDY_SETTING, str(folder))

    def _on_reader(self, *_args) -> None:
        reader_name.remember(self.reader)

    def _on_open(self, *_args) -> None:
        last = slicer.util.settingsValue(STUDY_SETTING, "")
        folder = qt.QFileDialog.getExistingDirectory(
            self._ui.studyButton, _("Open a study"), str(last)
        )
        if folder:
            self.opened.emit(Path(folder))

    def _on_new(self, checked: bool) -> None:
        self._ui.newStudyFrame.visible = checked

    def _on_kind(self, *_args) -> None:
        self._source = None
        in_scene = self._ui.imagesComboBox.currentIndex == SCENE
        self._ui.imagesButton.enabled = not in_scene
        self._ui.imagesPathLabel.visible = False
        self._ui.createButton.enabled = in_scene

    def _on_images(self, *_args) -> None:
        ui = self._ui
        if ui.imagesComboBox.currentIndex == FOLDER:
            title = _("The folder of the images")
            chosen = qt.QFileDialog.getExistingDirectory(ui.studyButton, title, "")
        else:
            title, kind = _("A list of images"), _("Lists (*.csv)")
            chosen = qt.QFileDialog.getOpenFileName(ui.studyButton, title, "", kind)
        if chosen:
            self._source = Path(chosen)
            ui.imagesPathLabel.text = str(self._source)
            ui.imagesPathLabel.visible = ui.createButton.enabled = True

    def _on_order(self, *_args) -> None:
        listed = ORDERS[self._ui.orderComboBox.currentIndex] == "listed"
        self._ui.seedSpinBox.enabled = self._ui.seedLabel.enabled = not listed

    def _on_create(self, *_args) -> None:
        ui = self._ui
        title = _("A folder for the study: its rules and the readers' scores")
        folder = qt.QFileDialog.getExistingDirectory(ui.studyButton, title, "")
        if not folder:
            return
        settings = {
            "level": LEVELS[ui.levelComboBox.currentIndex],
            "order": ORDERS[ui.orderComboBox.currentIndex],
            "seed": ui.seedSpinBox.value,
            "repeats": ui.repeatsSpinBox.value / 100,
            "blinded": ui.blindedCheckBox.checked,
            "blind_to_network": ui.networkHiddenCheckBox.checked,
        }
        self.created.emit(NewStudy(Path(folder), self._source, settings))
