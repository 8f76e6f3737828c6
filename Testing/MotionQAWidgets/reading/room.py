"""A reading room for the tests: a study is opened in the panel, and keys are pressed."""

from __future__ import annotations

from pathlib import Path

from host import pythonqt
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.study import Study

from .images import write_study

pythonqt(__name__)


def make_study(folder: Path, cases: int = 4, slices: int = 3, **settings) -> Study:
    """A study of small volumes that lie beside it."""
    images = folder.parent / "images"
    write_study(images, cases, slices)
    study = Study.create(folder, **settings)
    assert all(added.problem is None for added in CaseList(study).add(listed(images)))
    return study


class Room:
    """The panel in the module, entered, with its tab in front."""

    def __init__(self, host):
        import slicer

        self.host = host
        self.module = host.enter("MotionQA")
        self.panel = self.module.labelling
        self.ui = self.panel.ui
        self.module.tabs.widget.currentIndex = 1
        slicer.util.mainWindow().activateWindow()
        host.process_events()

    def clear_form(self):
        """The module lives on between tests, and so does what its form says."""
        for name in ("imagesComboBox", "levelComboBox", "orderComboBox"):
            getattr(self.ui, name).currentIndex = 0
        for name in ("blindedCheckBox", "networkHiddenCheckBox"):
            getattr(self.ui, name).checked = True
        self.ui.repeatsSpinBox.value = 10
        self.ui.newButton.checked = False

    def open(self, study, reader: str = "anna"):
        self.ui.readerLineEdit.text = reader
        opened = self.panel.open(getattr(study, "folder", study))
        self.look()
        return opened

    def look(self):
        """See what has come into view, as a reader does before scoring it."""
        self.host.process_events()
        self.host.wait_until(lambda: self.panel.reading.seen)

    @property
    def desk(self):
        return self.panel.desk

    @property
    def view(self):
        """The slice view that has the focus while reading."""
        import slicer

        return slicer.app.layoutManager().sliceWidget("Red").sliceView()

    def press(self, *keys, control: bool = False, widget=None, blindly: bool = False):
        """Press keys as a reader does: "3", "Space", "Z"; blindly, as soon as an image comes."""
        import qt

        for key in keys:
            if not blindly:
                self.look()
            modifier = qt.Qt.ControlModifier if control else qt.Qt.NoModifier
            code = getattr(qt.Qt, f"Key_{key}")
            qt.QTest.keyClick(widget or self.view, code, modifier)
            self.host.process_events()

    @property
    def message(self) -> str:
        return self.ui.messageLabel.text

    @property
    def saved(self) -> str:
        return self.ui.savedLabel.text
