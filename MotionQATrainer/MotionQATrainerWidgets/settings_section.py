"""Settings of a training beside its data; their defaults are those of the form."""

from __future__ import annotations

from slicer.i18n import tr as _

SPIN_BOXES = {
    "epochsSpinBox": "training.epochs",
    "batchSizeSpinBox": "training.batch_size",
    "learningRateSpinBox": "training.learning_rate",
    "patienceSpinBox": "training.patience",
    "seedSpinBox": "training.seed",
    "validationSpinBox": "data.validation",
    "testSpinBox": "data.test",
}
"""Widget of the panel, and the setting (`training.training_settings`) that it shows."""


class SettingsSection:
    """Shows the settings, and says which of them the user changed.

    Parameters
    ----------
    ui : the panel's widgets by name
    """

    def __init__(self, ui) -> None:
        self._ui = ui
        self._defaults = self.values()
        ui.defaultsButton.clicked.connect(self.restore)

    def changes(self) -> dict[str, object]:
        """``{"table.name": value}`` of what differs from the defaults."""
        values = self.values()
        return {key: value for key, value in values.items() if value != self._defaults[key]}

    @property
    def device(self) -> str:
        return self._ui.deviceComboBox.currentText

    def problem(self) -> str | None:
        """Why nothing can be trained with these settings, or None."""
        values = self.values()
        if values["data.validation"] + values["data.test"] > 0.8:
            return _(
                "Validation and test take more than four fifths of the subjects; leave more of "
                "them to learn from."
            )
        return None

    def restore(self, *_args) -> None:
        for name, key in SPIN_BOXES.items():
            getattr(self._ui, name).value = self._defaults[key]
        for combo in (self._ui.precisionComboBox, self._ui.deviceComboBox):
            combo.currentIndex = 0

    def values(self) -> dict[str, object]:
        """All settings as the form shows them, by ``table.name``."""
        # Rounded: a box that shows 0.15 may hold 0.15000000000000002.
        found = {key: round(getattr(self._ui, name).value, 8) for name, key in SPIN_BOXES.items()}
        found["training.precision"] = self._ui.precisionComboBox.currentText
        return found
