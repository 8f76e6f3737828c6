"""The panel's page object: a study is opened, keys are pressed, and what is shown is read."""

from __future__ import annotations

import math
from contextlib import contextmanager, nullcontext
from pathlib import Path

from host import pythonqt
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.scores import read_scores
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


def log_of(study, reader: str = "anna"):
    return read_scores(study.scores_folder / f"{reader}.jsonl")


def scores_of(study, reader: str = "anna") -> list[int]:
    return [entry.score for entry in log_of(study, reader).entries.values()]


class ReadingPage:
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

    # What the panel consists of

    @property
    def scoring(self):
        """The reader's scores, in the library."""
        return self.panel.scoring

    @property
    def entries(self):
        """What stands in the reader's log, by item."""
        return self.scoring.session.log.entries

    @property
    def node(self):
        """The volume of the case in view."""
        return self.panel.reading.shown.node

    @property
    def agreement(self):
        return self.panel.agreement.view

    @property
    def adjudication(self):
        return self.panel.adjudication.view

    @property
    def details(self):
        return self.panel.reading.display.details

    def button(self, name: str):
        """A button by its name: "score4Button"."""
        import qt

        return self.panel.widget.findChild(qt.QPushButton, name)

    # What is done with it

    def show_slice(self, index: int) -> None:
        """Scroll, as the wheel does, which takes no focus."""
        from MotionQAWidgets import slice_geometry

        slice_geometry.jump_to(self.node, index, 2)
        self.host.process_events()

    def add_images(self, folder) -> None:
        self.host.files.answers.append(str(folder))
        self.button("addFolderButton").click()
        self.host.wait_until(lambda: not self.panel.importing)

    def wait_for_next_case(self) -> None:
        """Until it is read ahead."""
        following = self.scoring.readings[self.scoring.next_reading][0].case.key
        self.host.wait_until(lambda: self.panel.reading.shown.is_ready(following))

    # What is shown

    @property
    def shown_score(self) -> int | None:
        """The score whose button is down."""
        down = (score for score in range(1, 6) if self.button(f"score{score}Button").checked)
        return next(down, None)

    def badge(self, index: int | None = 0) -> str:
        """What stands over a slice; "" where nothing does."""
        words = self.panel.reading.display.badge(index)
        return "" if words is None else words[0]

    @property
    def files_said(self) -> str:
        return self.panel.files.view.label.text

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
            with self._slow_reader() if blindly else nullcontext():
                qt.QTest.keyClick(widget or self.view, code, modifier)
                self.host.process_events()

    @contextmanager
    def _slow_reader(self):
        """However slow the machine is, what came into view has not been seen yet."""
        from MotionQAWidgets.reading import scoring_panel

        before, scoring_panel.LOOK = scoring_panel.LOOK, math.inf
        yield
        scoring_panel.LOOK = before

    @property
    def message(self) -> str:
        return self.ui.messageLabel.text

    @property
    def saved(self) -> str:
        return self.ui.savedLabel.text
