"""What is trained: the network, the weights that it starts from, and its name."""

from __future__ import annotations

import re
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MotionQALib.checkpoints import SUFFIX, CheckpointError
from MotionQALib.signals import Signal
from MotionQAWidgets import checkpoint_list

IMAGENET, RANDOM, FILE = "imagenet", "random", "file"
"""Data of the choices that are no checkpoint."""

PARTS = ("auto", "calibration", "head", "all")
"""Of a checkpoint, what is adapted; in the order of the panel's list."""


def backbones() -> dict[str, str]:
    """`MotionQALib.backbones.BACKBONES`, which needs torch, and what to expect of each."""
    return {
        "tf_efficientnet_lite0": _("small: fast, also without a GPU"),
        "resnet101d": _("wants a GPU"),
        "swin_base_patch4_window7_224": _("large: wants a GPU"),
        "coat_lite_small": _("wants a GPU"),
        "twins_pcpvt_base": _("wants a GPU"),
        "twins_svt_base": _("wants a GPU"),
    }


class NetworkSection:
    """Network, start and name, as the panel shows them.

    Signals
    -------
    failed(sentence) : a checkpoint that was chosen cannot be used
    changed() : another network or start
    renamed()
    """

    def __init__(self, ui, dialog_parent) -> None:
        self._ui, self._parent = ui, dialog_parent
        self._files: list[checkpoint_list.Choice] = []
        self._choices: dict[str, checkpoint_list.Choice] = {}
        self._suggested = ""
        self.failed, self.changed, self.renamed = Signal(), Signal(), Signal()
        for name, remark in backbones().items():
            ui.backboneComboBox.addItem(f"{name} ({remark})", name)
        ui.backboneComboBox.currentIndexChanged.connect(self._on_change)
        ui.startComboBox.activated.connect(self._on_start)
        ui.nameLineEdit.textChanged.connect(self._on_name)
        self.refresh()

    # What was chosen

    @property
    def backbone(self) -> str:
        return self._ui.backboneComboBox.currentData

    @property
    def pretrained(self) -> bool:
        return self._ui.startComboBox.currentData == IMAGENET

    @property
    def start_from(self) -> str | None:
        """Checkpoint (name or file) whose weights are tuned further, or None."""
        reference = self._ui.startComboBox.currentData
        return reference if reference in self._choices else None

    @property
    def what(self) -> str:
        """Which part of the checkpoint is adapted, one of `PARTS`."""
        return PARTS[self._ui.adaptComboBox.currentIndex]

    @property
    def name(self) -> str:
        return self._ui.nameLineEdit.text.strip().removesuffix(SUFFIX)

    def problem(self) -> str | None:
        """Why nothing of this name can be trained, or None."""
        if not self.name:
            return _("Give the checkpoint a name.")
        if re.search(r'[\\/:*?"<>|]', self.name) or self.name.startswith("."):
            return _("{name} cannot be a file's name; use letters, digits and hyphens.").format(
                name=self.name
            )
        return None

    # What is shown

    def refresh(self) -> None:
        """List the checkpoints that there are now, and keep the choice."""
        combo = self._ui.startComboBox
        chosen = combo.currentData or IMAGENET
        found = [*checkpoint_list.installed(), *self._files]
        self._choices = {choice.reference: choice for choice in found}
        combo.clear()
        combo.addItem(_("ImageNet weights"), IMAGENET)
        combo.addItem(_("Random weights"), RANDOM)
        for choice in self._choices.values():
            combo.addItem(_("Checkpoint: {title}").format(title=choice.title), choice.reference)
        combo.addItem(_("Load from file…"), FILE)
        self._choose(chosen)

    def suggest_name(self, taken: set[str]) -> None:
        """Fill in a name that is free, unless the user gave one."""
        if self.name not in taken | {"", self._suggested}:
            return
        if self.start_from is None:
            stem = self.backbone.partition("_patch")[0].replace("_", "-")
        else:
            stem = _("{name}-adapted").format(name=Path(self.start_from).stem)
        number = next(n for n in range(1, 1000) if f"{stem}-{n}" not in taken)
        self._suggested = self._ui.nameLineEdit.text = f"{stem}-{number}"

    def _choose(self, reference: str) -> None:
        combo = self._ui.startComboBox
        combo.currentIndex = max(0, combo.findData(reference))
        choice = self._choices.get(reference)
        backbone = self._ui.backboneComboBox
        backbone.enabled = choice is None
        for widget in (self._ui.adaptLabel, self._ui.adaptComboBox):
            widget.visible = choice is not None
        backbone.toolTip = _("The network's architecture, by timm's name.")
        if choice is not None:
            backbone.toolTip = _("The checkpoint's own; start from other weights to change it.")
            index = backbone.findData(choice.card["backbone"])
            if index >= 0:
                backbone.currentIndex = index
        self.changed.emit()

    def _on_start(self, *_args) -> None:
        reference = self._ui.startComboBox.currentData
        if reference == FILE:
            title, kind = _("Start from a checkpoint"), _("Checkpoints (*.safetensors)")
            path = qt.QFileDialog.getOpenFileName(self._parent, title, "", kind)
            reference = self._added(path) if path else IMAGENET
            self.refresh()
        self._choose(reference)

    def _added(self, path: str) -> str:
        try:
            choice = checkpoint_list.of_file(Path(path))
        except CheckpointError as error:
            self.failed.emit(str(error))
            return IMAGENET
        self._files.append(choice)
        return choice.reference

    def _on_name(self, *_args) -> None:
        self.renamed.emit()

    def _on_change(self, *_args) -> None:
        self.changed.emit()
