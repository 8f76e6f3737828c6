"""The tab that grades whole studies: thousands of volumes, worst first, while one works on."""

from __future__ import annotations

from collections.abc import Callable

import qt
from slicer.i18n import tr as _

from MotionQALib.batch_runs.batch_folder import RESULTS, read_line
from MotionQALib.batch_runs.batch_messages import VolumeGraded
from MotionQALib.checkpoints import STARTER
from MotionQALib.reading.reading_errors import ReadingError

from .. import dependencies
from ..scene_results import SceneResults
from ..volume_opening import VolumeOpening
from .batch_run import BatchRun
from .batch_table import BatchTable
from .batch_words import progress_sentence
from .folder_row import FolderRow

SOURCE_SETTING, OUTPUT_SETTING = "MotionQA/BatchSource", "MotionQA/BatchResults"

SHOWN = 200
"""Failures that are listed; all of them are in the results' folder."""


class BatchPanel:
    """Grades a folder of volumes into a folder of results, by a process of its own.

    The batch goes on while another tab or module is in front; it ends when Slicer does, and is
    gone on with by the same button.

    Parameters
    ----------
    results : where the grades of a volume that is opened are kept
    show_volume : called with a volume node that the user wants to look at
    """

    def __init__(self, results: SceneResults, show_volume: Callable[[object], None]) -> None:
        self._settings = None
        self._run: BatchRun | None = None
        self._show_volume = show_volume
        self.opening = VolumeOpening(results)
        self.opening.opened.connect(self._on_opened)
        self.opening.failed.connect(self.say)
        self.opening.slow.connect(self.say)
        self.widget = qt.QWidget()
        self.source = FolderRow(_("Volumes"), _("The folder of the volumes"), SOURCE_SETTING)
        self.source.tip = _(
            "NIfTI, NRRD and MetaImage files and DICOM series in this folder and those in it."
        )
        self.output = FolderRow(_("Results"), _("A folder for the results"), OUTPUT_SETTING)
        self.output.tip = _(
            "Grades, pictures and tables are written there; a batch that was stopped goes on there."
        )
        self.start_button = qt.QPushButton()
        self.progress_bar = qt.QProgressBar()
        self.progress_label, self.message_label = qt.QLabel(), qt.QLabel()
        self.table = BatchTable()
        self.failures_button = qt.QPushButton()
        self.failures_list = qt.QPlainTextEdit()
        self._lay_out()
        self.source.changed.connect(self._on_source)
        self.output.changed.connect(self._on_folder)
        self.start_button.clicked.connect(self._on_start)
        self.failures_button.toggled.connect(self._on_failures)
        self.table.chosen.connect(self._on_chosen)
        self._showing = qt.QTimer(self.widget)
        self._showing.interval = 200
        self._showing.timeout.connect(self.refresh)
        self.refresh()

    # Coming and going

    def set_settings(self, settings) -> None:
        """The parameter node's wrapper, which names the checkpoint; None while there is none."""
        self._settings = settings

    def enter(self) -> None:
        self.refresh()

    def leave(self) -> None:
        """The batch goes on."""

    def dispose(self) -> None:
        """The module goes: what is graded is on the disk."""
        self._showing.stop()
        self.opening.close()
        if self._run is not None:
            self._run.kill()
            self._run = None

    # What is shown

    @property
    def run(self) -> BatchRun | None:
        """The batch that runs, or the last one."""
        return self._run

    def refresh(self, *_args) -> None:
        """Show how the batch stands."""
        self._showing.stop()
        run = self._run
        running = run is not None and run.running
        # Not asked while a batch runs: five times a second, and perhaps of a slow share.
        begun = not running and self.output.path is not None
        begun = begun and (self.output.path / RESULTS).is_file()
        button = self.start_button
        button.text = _("Stop") if running else _("Go on") if begun else _("Grade all")
        ready = self.source.path is not None and self.output.path is not None
        button.enabled = ready and not (running and run.stopping)
        if running:
            button.toolTip = _("What is graded is kept; Go on takes it up again.")
        elif not ready:
            button.toolTip = _("Choose the volumes' folder first, and one for the results.")
        else:
            button.toolTip = _("Grade every volume that the results do not hold yet.")
        self.source.enabled = self.output.enabled = not running
        self.progress_bar.visible = self.progress_label.visible = run is not None
        if run is not None:
            self.progress_bar.maximum = run.total or 0
            self.progress_bar.value = run.done
            self.progress_bar.visible = running
            self.progress_label.text = progress_sentence(run)
            self.progress_label.toolTip = run.device
            self.table.show(run.graded)
        self._show_failures()

    def _show_failures(self) -> None:
        failures = [] if self._run is None else self._run.failures
        button = self.failures_button
        button.visible = bool(len(failures))
        button.text = _("{count:,} could not be graded").format(count=len(failures))
        self.failures_list.visible = button.visible and button.checked
        if self.failures_list.visible:
            text = "\n".join(failure.sentence for failure in failures[-SHOWN:])
            if len(failures) > SHOWN:
                text = _("The last {count}; all are in not-graded.csv.\n{text}").format(
                    count=SHOWN, text=text
                )
            if text != self.failures_list.plainText:
                self.failures_list.plainText = text

    def say(self, sentence: str) -> None:
        self.message_label.text = sentence
        self.message_label.visible = bool(sentence)

    # What the user does

    def _on_source(self, *_args) -> None:
        source = self.source.path
        if source is not None and self.output.path is None:
            self.output.path = source.with_name(f"{source.name} motion")
        self._on_folder()

    def _on_folder(self, *_args) -> None:
        self._run = None  # it is of other folders
        self.table.show(())
        self.say("")
        self.refresh()

    def _on_start(self, *_args) -> None:
        if self._run is not None and self._run.running:
            self._run.stop()
            self.refresh()
            return
        problem = dependencies.ensure() if dependencies.missing() else None
        if problem is None and not self._outside():
            problem = _("Choose another folder for the results: they would lie among the volumes.")
        self.say(problem or "")
        if problem is None:
            checkpoint = STARTER if self._settings is None else self._settings.checkpoint
            self._run = BatchRun([self.source.path], self.output.path, checkpoint)
            self._run.changed.connect(self._on_changed)
            self._run.ended.connect(self._on_ended)
            self.refresh()

    def _outside(self) -> bool:
        return self.source.path.resolve() != self.output.path.resolve()

    def _on_changed(self, *_args) -> None:
        """A batch may say a thousand things a second; Slicer is to answer meanwhile."""
        if not self._showing.active:
            self._showing.start()

    def _on_ended(self, *_args) -> None:
        self.say(self._run.sentence)
        self.refresh()

    def _on_failures(self, *_args) -> None:
        self._show_failures()

    def _on_chosen(self, result: VolumeGraded) -> None:
        try:
            assessment = read_line(self._run.output, result.line)
        except ReadingError as error:
            self.say(str(error))
            return
        self.say(_("Opening {name} …").format(name=result.name))
        self.opening.open(result.path, assessment)

    def _on_opened(self, node) -> None:
        self.say("")
        self._show_volume(node)

    # Layout

    def _lay_out(self) -> None:
        column = qt.QVBoxLayout(self.widget)
        grid = qt.QGridLayout()
        for row, folder in enumerate((self.source, self.output)):
            folder.add_to(grid, row)
        column.addLayout(grid)
        row = qt.QHBoxLayout()
        row.addWidget(self.start_button)
        row.addWidget(self.progress_bar, 1)
        column.addLayout(row)
        for label in (self.progress_label, self.message_label):
            label.wordWrap = True
            label.textInteractionFlags = qt.Qt.TextSelectableByMouse
            label.visible = False
            column.addWidget(label)
        self.failures_button.checkable = self.failures_button.flat = True
        column.addWidget(self.failures_button)
        self.failures_list.readOnly = True
        self.failures_list.maximumHeight = 120
        column.addWidget(self.failures_list)
        column.addWidget(self.table.widget, 1)
