"""Grades series as they arrive in Slicer's DICOM database, whichever module is in front."""

from __future__ import annotations

import time
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.arrivals import messages
from MotionQALib.arrivals.announced import assessment_at
from MotionQALib.arrivals.arrivals import PATIENCE, QUIET
from MotionQALib.arrivals.entry import Entry
from MotionQALib.checkpoints import STARTER
from MotionQALib.results import Assessment
from MotionQALib.signals import Signal

from ..message_process import MessageProcess
from .database_watch import DatabaseWatch

MODULE = "MotionQALib.arrivals.announced"
FOLDER = "MotionQA"
"""In the database's directory: results stay with what they are of."""

ON_SETTING, SINCE_SETTING = "MotionQA/AssessArrivals", "MotionQA/AssessArrivalsSince"
CHECKPOINT_SETTING = "MotionQA/AssessArrivalsCheckpoint"

BEFORE = 3600_000
"""Milliseconds: what came in the hour before it is switched on is graded, too: the patient whom it
is switched on for may lie in the scanner already."""

LONGEST_ABSENCE = 30 * 24 * 3600_000
"""Milliseconds: what came while Slicer was closed for longer is of no patient who waits."""


class ArrivalGrading:
    """Watches the database and has what arrives graded by a process of its own.

    Signals
    -------
    changed() : there is something new to show
    arrived(Entry) : a series was graded now, not before this Slicer was started

    Attributes
    ----------
    entries : of the series, newest first
    sentence : what the user must be told, empty where all is well
    quiet, patience : seconds; see `MotionQALib.arrivals.arrivals`
    restart_after : milliseconds until the process is started again after an unexpected end
    """

    quiet, patience = QUIET, PATIENCE
    restart_after = 5000

    def __init__(self) -> None:
        self.changed, self.arrived = Signal(), Signal()
        self.sentence = self.device = ""
        self._lines: dict[str, tuple[Entry, int]] = {}  # by series; the newest comes last
        self._process: MessageProcess | None = None
        self._watch: DatabaseWatch | None = None
        self._again = qt.QTimer()
        self._again.timeout.connect(self._restart)

    # What is asked of it

    @staticmethod
    def wanted() -> bool:
        """Whether it was left switched on, perhaps by an earlier Slicer."""
        return slicer.util.settingsValue(ON_SETTING, False, converter=slicer.util.toBool)

    @property
    def on(self) -> bool:
        return self._watch is not None

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry, _line in reversed(list(self._lines.values()))]

    def switch_on(self, checkpoint: str = STARTER) -> None:
        """Grade what arrives from now on, and what arrived in the last hour."""
        now = _now()
        settings = slicer.app.userSettings()
        settings.setValue(ON_SETTING, True)
        settings.setValue(SINCE_SETTING, str(now - BEFORE))
        settings.setValue(CHECKPOINT_SETTING, checkpoint)
        self._start()

    def switch_off(self) -> None:
        slicer.app.userSettings().setValue(ON_SETTING, False)
        self.sentence = ""
        self.close()
        self.changed.emit()

    def go_on(self) -> None:
        """Take up again what an earlier Slicer left switched on."""
        if self.wanted() and not self.on:
            self._start()

    def close(self) -> None:
        """End watching and grading; a later `go_on` takes them up."""
        self._again.stop()
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
            watch.images_found.disconnect()
            watch.directory_changed.disconnect()
        self._end_process()

    def dispose(self) -> None:
        self.close()
        self._again.timeout.disconnect(self._restart)
        self.changed.disconnect()
        self.arrived.disconnect()

    def assessment_of(self, entry: Entry) -> Assessment | None:
        """The whole result of a series that was graded; None where it has gone."""
        known = self._lines.get(entry.series)
        return None if known is None else assessment_at(self._folder, known[1])

    def files_of(self, entry: Entry) -> list[str]:
        """Its files in the database; none where it was deleted."""
        return [] if self._watch is None else self._watch.files_of(entry.series)

    # Watching

    def _start(self) -> None:
        self.close()
        self.sentence = ""
        since = int(slicer.util.settingsValue(SINCE_SETTING, "0") or 0)
        self._watch = DatabaseWatch(max(since, _now() - LONGEST_ABSENCE))
        self._watch.images_found.connect(self._on_images)
        self._watch.directory_changed.connect(self._on_directory)
        self._watch.start()
        self.changed.emit()

    @property
    def _folder(self) -> Path:
        return Path(self._watch.directory) / FOLDER

    def _on_directory(self, directory: str) -> None:
        """Another database: its results are others."""
        self._end_process()
        self._lines.clear()
        self.sentence = "" if directory else _("No DICOM database is open; see the module DICOM.")
        if directory:
            self._launch()
        self.changed.emit()

    def _on_images(self, paths: list[str]) -> None:
        if self._process is not None:
            self._process.send(messages.ImagesArrived(paths=paths))

    # The process

    def _launch(self) -> None:
        self._process = MessageProcess(MODULE)
        self._process.received.connect(self._on_message)
        self._process.ended.connect(self._on_end)
        self._process.send(
            messages.StartArrivals(
                output=str(self._folder),
                checkpoint=str(slicer.util.settingsValue(CHECKPOINT_SETTING, STARTER)),
                quiet=float(self.quiet),
                patience=float(self.patience),
            )
        )

    def _end_process(self) -> None:
        process, self._process = self._process, None
        self.device = ""
        if process is not None:
            process.kill()

    def _on_message(self, message: protocol.Message) -> None:
        if isinstance(message, messages.ArrivalsReady):
            self._watch.go_on_after(dict(message.known))
        elif isinstance(message, messages.ArrivalsDevice):
            self.device = message.reason
        elif isinstance(message, messages.SeriesDone):
            self._take(message)
        elif isinstance(message, messages.ArrivalsSaid):
            self.sentence = message.sentence
        elif isinstance(message, messages.ArrivalsRefused):
            self.sentence = message.sentence
            self._end_process()
        self.changed.emit()

    def _take(self, message: messages.SeriesDone) -> None:
        try:
            entry = Entry.from_dict(message.entry)
        except (TypeError, KeyError, ValueError):
            return  # of another version
        self._lines.pop(entry.series, None)
        self._lines[entry.series] = (entry, message.line)
        if message.new and entry.status == "graded":
            self.arrived.emit(entry)

    def _on_end(self, log: list[str]) -> None:
        """It ended though nobody told it to."""
        self._end_process()
        text = _("The process that grades what arrives ended ({reason}); it is started again.")
        self.sentence = text.format(reason=log[-1] if log else _("no reason given"))
        self._again.start(self.restart_after)
        self.changed.emit()

    def _restart(self, *_args) -> None:
        self._again.stop()
        if self.on:
            self._start()


def _now() -> int:
    return round(1000 * time.time())
