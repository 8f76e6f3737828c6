"""The panel with which a network is trained, watched and found again."""

from __future__ import annotations

from pathlib import Path

import ctk
import slicer
from slicer.i18n import tr as _

from MotionQALib.checkpoints import SUFFIX, user_folder
from MotionQALib.reading.reading_errors import ReadingError
from MotionQATrainerLib.runs.request import changes_of
from MotionQATrainerLib.runs.training_request import TrainingRequest
from MotionQAWidgets import checkpoint_list

from . import console
from .data_section import NONE, DataSection
from .network_section import NetworkSection
from .plots import TrainingCurves
from .run_view import RunView
from .settings_section import SettingsSection
from .trainings import Training, Trainings


class TrainingPanel:
    """Data, network, settings; *Train*, *Cancel*, *Resume*; progress, curves and result.

    Parameters
    ----------
    trainings : shared with the console; it outlives the panel
    ui_file : the panel's layout
    """

    def __init__(self, trainings: Trainings, ui_file: str | Path) -> None:
        self.widget = slicer.util.loadUI(str(ui_file))
        self.ui = ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self._trainings = trainings
        self._shown: Training | None = None
        self.entered = False
        self.data, self.settings = DataSection(ui), SettingsSection(ui)
        self.network = NetworkSection(ui, self.widget)
        self.curves, self._view = TrainingCurves(), RunView(ui)
        ui.folderPathLineEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.folderPathLineEdit.currentPath = str(user_folder())
        ui.trainButton.clicked.connect(self._on_train)
        ui.resumeButton.clicked.connect(self._on_resume)
        ui.runsComboBox.activated.connect(self._on_chosen)
        ui.curvesCheckBox.clicked.connect(self._on_curves)
        for box in (ui.validationSpinBox, ui.testSpinBox):
            box.valueChanged.connect(self.refresh)
        self.data.changed.connect(self.refresh)
        self.network.changed.connect(self._on_form)
        self.network.renamed.connect(self.refresh)
        self.network.failed.connect(self._say)
        for signal, slot in self._slots():
            signal.connect(slot)
        self._on_form()

    def _slots(self):
        trainings = self._trainings
        return (
            (trainings.added, self._on_added),
            (trainings.moved, self._on_moved),
            (trainings.ended, self._on_moved),
        )

    # Coming and going

    def enter(self) -> None:
        self.entered = True
        self._trainings.find_again()
        self.network.refresh()
        self._list()
        self._on_curves()

    def leave(self) -> None:
        """The layout of before comes back until the module is entered again; trainings go on."""
        self.entered = False
        self.curves.hide()

    def dispose(self) -> None:
        """The module goes: what is left of the panel are dead widgets."""
        self.leave()
        self.data.stop()
        for signal, slot in self._slots():
            signal.disconnect(slot)
        self.curves.remove()

    # What is shown

    def refresh(self, *_args) -> None:
        """Show what form and trainings say now."""
        training = self._shown
        running = training is not None and training.running
        why_not = None if running else self._why_not()
        button = self.ui.trainButton
        button.text = _("Cancel") if running else _("Train")
        button.enabled = why_not is None
        button.toolTip = why_not or (
            _("Stop; Resume goes on from there.")
            if running
            else _("Train in a process of its own: Slicer can be used, and even closed, meanwhile.")
        )
        self.ui.resumeButton.enabled = training is not None and training.resumable
        self._view.show(training)
        if training is not None and self.curves.visible:
            self.curves.update(training.rows, training.status.epochs)

    def _why_not(self) -> str | None:
        """Why nothing can be trained now; None if it can."""
        return (
            self.data.problem()
            or (_("The data are being checked.") if self.data.checking else None)
            or self.data.refused
            or self.network.problem()
            or self._why_not_adapted()
            or self.settings.problem()
        )

    def _why_not_adapted(self) -> str | None:
        if self.network.start_from is not None and self.data.kind == NONE:
            return _("To adapt a checkpoint, choose labels, or start from other weights.")
        return None

    def _list(self) -> None:
        """The known trainings, the shown one chosen: a running one, else the latest."""
        combo, known = self.ui.runsComboBox, self._trainings.known
        if self._shown not in known:
            self._shown = next(iter([*self._trainings.running, *known]), None)
        combo.clear()
        for training in known:
            combo.addItem(training.name, str(training.folder))
        if self._shown is not None:
            combo.currentIndex = known.index(self._shown)
        combo.enabled = bool(known)

    def _show(self, training: Training) -> None:
        self._shown = training
        self._list()
        self.refresh()

    def _say(self, sentence: str) -> None:
        self.ui.messageLabel.text = sentence
        self.ui.messageLabel.visible = bool(sentence)

    # The form

    @property
    def output(self) -> Path:
        """The checkpoint that *Train* writes."""
        folder = self.ui.folderPathLineEdit.currentPath.strip() or str(user_folder())
        return Path(folder).expanduser() / f"{self.network.name}{SUFFIX}"

    def _on_form(self, *_args) -> None:
        taken = {training.name for training in self._trainings.known}
        taken |= {choice.reference for choice in checkpoint_list.installed()}
        self.network.suggest_name(taken)
        self.refresh()

    def _on_train(self, *_args) -> None:
        if self._shown is not None and self._shown.running:
            self._shown.cancel()
            self._say(_("Stopping after this step …"))
            return
        there = [path for path in (self.output, user_folder() / self.output.name) if path.exists()]
        if there:
            text = _("{path} is there already. Replace it when the new training has finished?")
            if not slicer.util.confirmOkCancelDisplay(text.format(path=there[0])):
                return
        self.data.remember()
        self._start(lambda: console.start(self._request(), replaces=bool(there)))

    def _request(self) -> TrainingRequest:
        """What the form asks for. Raises ReadingError where a study has no labels."""
        network, labels, changes = self.network, self.data.labels(), self.settings.changes()
        if network.start_from is None:
            changes["model.pretrained"] = network.pretrained
        if self.data.distinct_subjects:
            changes["data.distinct_subjects"] = True
        return TrainingRequest(
            data=Path(self.data.data).resolve(),
            labels=None if labels is None else Path(labels).resolve(),
            output=self.output.resolve(),
            backbone=network.backbone if network.start_from is None else None,
            start_from=network.start_from,
            what=network.what,
            device=self.settings.device,
            changes=changes_of(changes),
        )

    def _on_resume(self, *_args) -> None:
        shown = self._shown
        self._start(lambda: console.watched(shown.resume(), replaces=shown.replaces))

    def _start(self, start) -> None:
        self._say("")
        try:
            start()
        except (ReadingError, ValueError, RuntimeError, OSError) as error:
            self._say(str(error))
            return
        self.ui.curvesCheckBox.checked = True
        self._on_curves()

    # The trainings

    def _on_added(self, training: Training) -> None:
        self._show(training)

    def _on_moved(self, training: Training) -> None:
        if training is not self._shown:
            return
        if not training.running:
            self._say("")
            self.network.refresh()
        self.refresh()

    def _on_chosen(self, *_args) -> None:
        folder = self.ui.runsComboBox.currentData
        chosen = self._trainings.of_folder(folder) if folder else None
        if chosen is not None:
            self._say("")
            self._show(chosen)

    def _on_curves(self, *_args) -> None:
        if not self.ui.curvesCheckBox.checked:
            self.curves.hide()
        elif self.entered:
            self.curves.show()
        self.refresh()
