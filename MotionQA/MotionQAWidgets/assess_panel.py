"""The panel with which a volume is graded and its grades are read."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.checkpoints import CheckpointError
from MotionQALib.volumes import VolumeError

from . import checkpoint_list, dependencies
from .frames_offer import FramesOffer
from .grading import Grading
from .new_volumes import NewVolumes
from .one_line import OneLine
from .relevance_section import RelevanceSection
from .result_sentence import remarks_in_sentences, result_sentence
from .results_view import ResultsView
from .slice_overlay import SliceOverlay
from .spacing_field import SpacingField


class AssessPanel:
    """Volume, checkpoint, *Assess motion*, and what came of it.

    Its settings are those of the module's parameter node: `refresh` shows them, and what the user
    chooses is written there. Between `leave` and `enter` nothing of it is drawn or observed.

    Parameters
    ----------
    grading : what it grades with; the panel's owner disposes of it
    ui_file : the panel's layout
    """

    def __init__(self, grading: Grading, ui_file: str | Path) -> None:
        self.widget = slicer.util.loadUI(str(ui_file))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self._grading = grading
        self._settings = None
        self._overlay: SliceOverlay | None = None
        self._entered = False
        self._choices: dict[str, checkpoint_list.Choice] = {}
        self._warm: str | None = None
        self._said_about = None
        self._lacking: list | None = None
        self.results_view = ResultsView(grading.results)
        self.ui.resultsFrame.layout().addWidget(self.results_view.widget)
        self.ui.tableFrame.layout().addWidget(self.results_view.details)
        self._sentence = OneLine(self.ui.resultLabel, wraps=True)
        self._notice, self._device = OneLine(self.ui.noticeLabel), OneLine(self.ui.deviceLabel)
        self._relevance = RelevanceSection(
            self.ui, grading, lambda: self._choices.values(), self._show_busy, self._say
        )
        self._spacing = SpacingField(self.refresh)
        self.ui.resultsFrame.layout().addWidget(self._spacing.widget)
        self._frames = FramesOffer(self.ui, self._choose_volume, self._say)
        self._arrivals = NewVolumes(self._choose_volume, self.refresh)
        self.ui.assessButton.clicked.connect(self._on_button)
        self.ui.checkpointComboBox.activated.connect(self._on_checkpoint)
        grading.progress.connect(self._on_progress)
        grading.finished.connect(self._on_finished)
        grading.explained.connect(self.refresh)
        grading.failed.connect(self._on_failed)
        grading.cancelled.connect(self._on_cancelled)
        grading.device_changed.connect(self._on_device)
        grading.results.changed.connect(self.refresh)
        checkpoint_list.changed.connect(self._on_installed)

    # Coming and going

    def set_settings(self, settings) -> None:
        """The parameter node's wrapper, already joined to the widgets; None while there is none."""
        self._settings = settings
        self._relevance.set_settings(settings)
        self._say("")
        self._list_checkpoints()
        self.refresh()

    def enter(self) -> None:
        if self._entered:
            return
        self._entered = True
        self._overlay = SliceOverlay(self._grading.results, visible=False)
        self.results_view.enter()
        self._relevance.enter()
        self._look_for_packages()
        self._list_checkpoints()
        self.refresh()

    def leave(self) -> None:
        self._entered = False
        self._warm = None
        self._relevance.leave()
        if self._overlay is not None:
            self._overlay.close()
            self._overlay = None
        self.results_view.leave()
        self._arrivals.close()
        self._grading.cool_down()

    def dispose(self) -> None:
        """The module goes: what is left of the panel are dead widgets."""
        self.leave()
        self._settings = None
        self.results_view.close()
        self._frames.close()
        self._grading.results.changed.disconnect(self.refresh)
        checkpoint_list.changed.disconnect(self._on_installed)

    # What is shown

    @property
    def _volume(self):
        return None if self._settings is None else self._settings.inputVolume

    def refresh(self, *_args) -> None:
        """Show what settings, scene and grading process say now."""
        running = bool(self._grading.running)
        why_not = None if running else self._why_not()
        button = self.ui.assessButton
        button.text = _("Cancel") if running else _("Assess motion")
        button.enabled = why_not is None
        button.toolTip = why_not or (
            _("Stop grading; nothing is lost but this run.")
            if running
            else _("Grade respiratory motion in every slice of the volume.")
        )
        if not running:
            self.ui.progressBar.visible = False
        self._show_checkpoint()
        self._show_result()
        self._relevance.refresh()
        self._frames.refresh(self._volume)
        self._spacing.refresh(self._volume)
        if self._entered:
            self._overlay.visible = self._settings is None or self._settings.overlayVisible
            self._arrivals.wait_for(self._volume)
            self._keep_warm()

    def _why_not(self) -> str | None:
        """Why nothing can be graded now; None if it can."""
        volume = self._volume
        if volume is None:
            return _("Choose a volume first; the module Sample Data has some to try.")
        if volume.GetImageData() is None:
            return _("{name} holds no image; choose another volume.").format(name=volume.GetName())
        if self._settings.checkpoint not in self._choices:
            text = _("The checkpoint {name} is not installed here; choose another.")
            return text.format(name=self._settings.checkpoint)
        return None

    def _show_result(self) -> None:
        volume = self._volume
        if self._said_about is not volume:
            self._say("")
        result = self._grading.results.result_for(volume)
        self._sentence.say("" if result is None else result_sentence(result))
        remarks = "" if result is None else remarks_in_sentences(result)
        self.ui.remarksLabel.text = remarks
        self.ui.remarksLabel.visible = remarks != ""
        for part in (self.ui.resultsFrame, self.ui.tableFrame):
            part.visible = result is not None
        self.results_view.set_volume(volume)

    def _choose_volume(self, volume) -> None:
        if self._settings is not None:
            self._settings.inputVolume = volume

    def _say(self, sentence: str) -> None:
        """A sentence about the chosen volume or checkpoint; it goes when another is chosen."""
        self._said_about = self._volume
        self.ui.messageLabel.text = sentence
        self.ui.messageLabel.visible = bool(sentence)

    # Checkpoints

    def _list_checkpoints(self) -> None:
        combo = self.ui.checkpointComboBox
        loaded = [c for c in self._choices.values() if Path(c.reference).is_file()]
        choices = [*checkpoint_list.installed(), *loaded]
        self._choices = {choice.reference: choice for choice in choices}
        wanted = None if self._settings is None else self._settings.checkpoint
        if wanted and wanted not in self._choices and Path(wanted).is_file():
            self._add_file(wanted)
        combo.clear()
        for choice in self._choices.values():
            combo.addItem(choice.title, choice.reference)
        if wanted and wanted not in self._choices:
            combo.addItem(_("{name} (not installed)").format(name=wanted), wanted)
        combo.addItem(_("Load from file…"), "")

    def _on_installed(self, *_args) -> None:
        self._list_checkpoints()
        self.refresh()

    def _add_file(self, path: str) -> bool:
        try:
            choice = checkpoint_list.of_file(path)
        except CheckpointError as error:
            self._say(str(error))
            return False
        self._choices[choice.reference] = choice
        return True

    def _on_checkpoint(self, *_args) -> None:
        if self._settings is None:
            return
        reference = self.ui.checkpointComboBox.currentData
        if not reference:
            title, kind = _("Load a checkpoint"), _("Checkpoints (*.safetensors)")
            reference = qt.QFileDialog.getOpenFileName(self.widget, title, "", kind)
            if not reference or not self._add_file(reference):
                self._show_checkpoint()
                return
        self._say("")
        self._settings.checkpoint = reference
        self._list_checkpoints()
        self.refresh()

    def _show_checkpoint(self) -> None:
        wanted = None if self._settings is None else self._settings.checkpoint
        combo = self.ui.checkpointComboBox
        index = combo.findData(wanted or "")
        if index < 0:  # set by a script or by a scene just loaded
            self._list_checkpoints()
            index = combo.findData(wanted)
        if combo.currentIndex != index:
            combo.currentIndex = index
        choice = self._choices.get(wanted)
        card = {} if choice is None else choice.card
        self.ui.cardLabel.text = checkpoint_list.card_html(card) if card else ""
        notice = str(card.get("notice") or "")
        self._notice.say(notice[:1].upper() + notice[1:])

    # The grading process

    def _look_for_packages(self) -> None:
        if self._lacking is None or self._lacking:
            self._lacking = dependencies.missing()
        if self._lacking:
            self._device.say_in_full(dependencies.missing_sentence(self._lacking))

    def _keep_warm(self) -> None:
        """Have the chosen checkpoint loaded before it is needed."""
        if self._lacking or self._settings is None or self._grading.running:
            return
        wanted = self._settings.checkpoint
        if wanted in self._choices and wanted != self._warm:
            self._warm = wanted
            device = self._grading.worker.device
            self._device.say(_("Starting the grading process …"))
            if device is not None:
                self._on_device(device)
            self._grading.warm_up(wanted)

    def _on_device(self, device: protocol.Device) -> None:
        precision = device.precision or _("not known yet")
        self._device.say(
            _("Runs on {reason}").format(reason=device.reason),
            _("Precision: {precision}").format(precision=precision),
        )

    def _on_button(self, *_args) -> None:
        if self._grading.running:
            self._grading.cancel()
            return
        if self._lacking:
            # Slicer answers meanwhile: the volume may be gone by then, or another one be graded.
            problem = dependencies.ensure() or self._why_not()
            self._look_for_packages()
            if problem is not None or self._grading.running:
                self._say(problem or "")
                return
        self._say("")
        try:
            self._grading.assess(self._volume, self._settings.checkpoint)
        except VolumeError as error:
            self._say(str(error))
            return
        self._show_busy()

    def _show_busy(self) -> None:
        """Something was asked of the grading process."""
        bar = self.ui.progressBar
        bar.maximum = 0  # busy, until the first slices are done
        bar.value = 0
        bar.visible = True
        self.refresh()

    def _on_progress(self, node, done: int, total: int) -> None:
        bar = self.ui.progressBar
        bar.maximum = total
        bar.value = done
        text = _("{name}: slice {done} of {total}")
        bar.format = text.format(name=node.GetName(), done=done, total=total)

    def _on_finished(self, node, _assessment) -> None:
        if node is self._volume:
            self._say("")  # remarks stand beside the grade
        self.refresh()

    def _on_failed(self, node, sentence: str, missing: str | None) -> None:
        if missing is not None:
            self._lacking = None  # look again
            self._look_for_packages()
        if node is None:
            self._warm = self._settings.checkpoint if self._settings is not None else None
        self._say(sentence)
        self.refresh()

    def _on_cancelled(self, _node) -> None:
        self._say(_("Cancelled."))
        self.refresh()
