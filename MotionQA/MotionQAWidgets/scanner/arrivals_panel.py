"""The tab for whoever stands at the scanner: what arrived, and what to acquire again."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.arrivals.entry import Entry
from MotionQALib.checkpoints import STARTER
from MotionQALib.scale import Grade, grade_of

from .. import dependencies
from ..scene_results import SceneResults
from ..volume_opening import VolumeOpening
from .alarm import Alarm
from .arrival_grading import ArrivalGrading
from .arrival_words import headline, title
from .arrivals_table import ArrivalsTable

ALARM_SETTING, ALL_SETTING = "MotionQA/ArrivalsAlarm", "MotionQA/ArrivalsShowAll"


class ArrivalsPanel:
    """The switch *Assess series as they arrive*, and the list of what came of it.

    Parameters
    ----------
    arrivals : what grades; it goes on while another tab or module is in front
    results : where the grades of a volume that is opened are kept
    show_volume : called with a volume node that the user wants to look at
    """

    def __init__(
        self,
        arrivals: ArrivalGrading,
        results: SceneResults,
        show_volume: Callable[[object], None],
    ) -> None:
        self._arrivals, self._show_volume, self._settings = arrivals, show_volume, None
        self.opening = VolumeOpening(results)
        self.opening.opened.connect(self._on_opened)
        self.opening.failed.connect(self.say)
        self.widget = qt.QWidget()
        self.switch = qt.QCheckBox(_("Assess series as they arrive"))
        self.switch.toolTip = _(
            "Short-axis cines that come into Slicer's DICOM database, as through its DICOM "
            "listener, are graded when they are complete."
        )
        self.alarmCheckBox = _remembered(_("Sound and flash for severe motion"), ALARM_SETTING)
        self.allCheckBox = _remembered(_("List series that are not graded, too"), ALL_SETTING)
        self.stateLabel, self.headLabel, self.messageLabel = (qt.QLabel() for _n in range(3))
        self.alarm = Alarm(self.headLabel)
        self.table = ArrivalsTable()
        self._lay_out()
        self.switch.clicked.connect(self._on_switch)
        self.allCheckBox.toggled.connect(self.refresh)
        self.table.chosen.connect(self._on_chosen)
        arrivals.changed.connect(self.refresh)
        arrivals.arrived.connect(self._on_arrived)
        self.refresh()

    # Coming and going

    def set_settings(self, settings) -> None:
        """The parameter node's wrapper, which names the checkpoint; None while there is none."""
        self._settings = settings

    def enter(self) -> None:
        self.refresh()

    def leave(self) -> None:
        """What arrives is graded all the same."""

    def dispose(self) -> None:
        """The module goes: what is left of the panel are dead widgets."""
        self.alarm.stop()
        self.opening.close()
        self._arrivals.changed.disconnect(self.refresh)
        self._arrivals.arrived.disconnect(self._on_arrived)

    # What is shown

    def refresh(self, *_args) -> None:
        arrivals = self._arrivals
        self.switch.checked = arrivals.on
        entries = arrivals.entries
        if not self.allCheckBox.checked:
            entries = [entry for entry in entries if entry.status != "skipped"]
        self.table.show(entries)
        self.headLabel.text = headline(entries)
        self.headLabel.visible = bool(self.headLabel.text)
        self.stateLabel.text = self._state()

    def _state(self) -> str:
        arrivals = self._arrivals
        if arrivals.sentence:
            return arrivals.sentence
        if not arrivals.on:
            return _("Off: what arrives is not looked at.")
        if not arrivals.device:
            return _("Loading the network …")
        if not arrivals.entries:
            return _("Waiting for series. {device}").format(device=arrivals.device)
        return arrivals.device

    def say(self, sentence: str) -> None:
        self.messageLabel.text = sentence
        self.messageLabel.visible = bool(sentence)

    # What happens

    def _on_switch(self, *_args) -> None:
        self.say("")
        if not self.switch.checked:
            self._arrivals.switch_off()
            return
        problem = dependencies.ensure() if dependencies.missing() else None
        if problem is None:
            self._arrivals.switch_on(
                STARTER if self._settings is None else self._settings.checkpoint
            )
        else:
            self.switch.checked = False
            self.say(problem)

    def _on_arrived(self, entry: Entry) -> None:
        severe = grade_of(entry.score) is Grade.SEVERE or len(entry.again) > 0
        if severe and self.alarmCheckBox.checked:
            self.alarm.ring()

    def _on_chosen(self, entry: Entry) -> None:
        if entry.status != "graded":
            self.say(f"{title(entry)}: {entry.reason}")
            return
        assessment, files = self._arrivals.assessment_of(entry), self._arrivals.files_of(entry)
        if assessment is None or not files:
            self.say(
                _("{series} is not in the DICOM database that is open.").format(series=title(entry))
            )
            return
        self.say(_("Opening {series} …").format(series=title(entry)))
        self.opening.open(files[0], assessment, files=files, name=title(entry))

    def _on_opened(self, node) -> None:
        self.say("")
        self._show_volume(node)

    # Layout

    def _lay_out(self) -> None:
        column = qt.QVBoxLayout(self.widget)
        column.addWidget(self.switch)
        for label in (self.stateLabel, self.headLabel, self.messageLabel):
            label.wordWrap = True
            label.textInteractionFlags = qt.Qt.TextSelectableByMouse
            column.addWidget(label)
        font = qt.QFont(self.headLabel.font)
        font.setBold(True)
        self.headLabel.font = font
        self.messageLabel.visible = False
        column.addWidget(self.table.widget, 1)
        column.addWidget(self.alarmCheckBox)
        column.addWidget(self.allCheckBox)


def _remembered(text: str, setting: str):
    """A check box that is as it was when Slicer is opened again; off at first."""
    box = qt.QCheckBox(text)
    box.checked = slicer.util.settingsValue(setting, False, converter=slicer.util.toBool)
    box.toggled.connect(lambda on, *_a: slicer.app.userSettings().setValue(setting, bool(on)))
    return box
