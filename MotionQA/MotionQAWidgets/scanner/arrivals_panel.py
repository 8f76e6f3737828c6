"""The tab for whoever stands at the scanner: what arrived, and what to acquire again."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.arrivals.arrival_entry import Entry
from MotionQALib.checkpoints import STARTER
from MotionQALib.scale import Grade, grade_of

from .. import dependencies
from .. import slice_geometry as geometry
from ..scene_results import SceneResults
from ..slice_overlay import SliceOverlay
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
    choose_volume : called with a volume node that is opened, so that other tabs are of it, too
    """

    def __init__(
        self,
        arrivals: ArrivalGrading,
        results: SceneResults,
        choose_volume: Callable[[object], None],
    ) -> None:
        self._arrivals, self._results = arrivals, results
        self._choose_volume, self._settings = choose_volume, None
        self._overlay: SliceOverlay | None = None
        self.opening = VolumeOpening(results)
        self.opening.opened.connect(self._on_opened)
        self.opening.failed.connect(self.say)
        self.opening.slow.connect(self.say)
        self.widget = qt.QWidget()
        self.switch = qt.QCheckBox(_("Assess series as they arrive"))
        self.switch.toolTip = _(
            "Short-axis cines that come into Slicer's DICOM database, as through its DICOM "
            "listener, are graded when they are complete."
        )
        self.alarm_check_box = _remembered(_("Sound and flash for severe motion"), ALARM_SETTING)
        self.all_check_box = _remembered(_("List series that are not graded, too"), ALL_SETTING)
        self.state_label, self.head_label, self.message_label = (qt.QLabel() for _n in range(3))
        self.alarm = Alarm(self.head_label)
        self.table = ArrivalsTable()
        self._lay_out()
        self.switch.clicked.connect(self._on_switch)
        self.all_check_box.toggled.connect(self.refresh)
        self.table.chosen.connect(self._on_chosen)
        arrivals.changed.connect(self.refresh)
        arrivals.arrived.connect(self._on_arrived)
        self.refresh()

    # Coming and going

    def set_settings(self, settings) -> None:
        """The parameter node's wrapper, which names the checkpoint; None while there is none."""
        self._settings = settings

    def enter(self) -> None:
        if self._overlay is None:
            self._overlay = SliceOverlay(self._results)
        self.refresh()

    def leave(self) -> None:
        """What arrives is graded all the same."""
        if self._overlay is not None:
            self._overlay.close()
            self._overlay = None

    def dispose(self) -> None:
        """The module goes: what is left of the panel are dead widgets."""
        self.leave()
        self.alarm.stop()
        self.opening.close()
        self._arrivals.changed.disconnect(self.refresh)
        self._arrivals.arrived.disconnect(self._on_arrived)

    # What is shown

    def refresh(self, *_args) -> None:
        arrivals = self._arrivals
        self.switch.checked = arrivals.on
        entries = arrivals.entries
        if not self.all_check_box.checked:
            entries = [entry for entry in entries if entry.status != "skipped"]
        self.table.show(entries)
        self.head_label.text = headline(entries)
        self.head_label.visible = bool(self.head_label.text)
        self.state_label.text = self._state()

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
        self.message_label.text = sentence
        self.message_label.visible = bool(sentence)

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
        if severe and self.alarm_check_box.checked:
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
        """Show its worst slice, and leave the list where it is: the next series may come."""
        self.say("")
        self._choose_volume(node)
        result = self._results.result_for(node)
        if result is not None:
            index = result.assessment.slices_from_worst[0]
            result.show_frame(int(result.assessment.worst_frames[index]))
            geometry.jump_to(node, index, result.slice_axis)

    # Layout

    def _lay_out(self) -> None:
        column = qt.QVBoxLayout(self.widget)
        for box in (self.switch, self.alarm_check_box, self.all_check_box):
            column.addWidget(box)
        for label in (self.state_label, self.head_label, self.message_label):
            label.wordWrap = True
            label.textInteractionFlags = qt.Qt.TextSelectableByMouse
            column.addWidget(label)
        font = qt.QFont(self.head_label.font)
        font.setBold(True)
        self.head_label.font = font
        self.message_label.visible = False
        column.addWidget(self.table.widget, 1)


def _remembered(text: str, setting: str):
    """A check box that is as it was when Slicer is opened again; off at first."""
    box = qt.QCheckBox(text)
    box.checked = slicer.util.settingsValue(setting, False, converter=slicer.util.toBool)
    box.toggled.connect(lambda on, *_a: slicer.app.userSettings().setValue(setting, bool(on)))
    return box
