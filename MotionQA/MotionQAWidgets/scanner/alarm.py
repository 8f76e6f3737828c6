"""A sound and a flash, for a series with severe motion."""

from __future__ import annotations

import qt
import slicer

from MotionQALib.palette import GRADE_COLOURS
from MotionQALib.scale import Grade

FLASHES, INTERVAL = 6, 300
"""So often, and milliseconds between on and off."""


class Alarm:
    """Flashes a label in the colour of severe, and the window's button where it is not in front.

    Parameters
    ----------
    label : a QLabel
    """

    def __init__(self, label) -> None:
        self._label = label
        self._left = 0
        self._timer = qt.QTimer(label)
        self._timer.interval = INTERVAL
        self._timer.timeout.connect(self._on_tick)

    @property
    def active(self) -> bool:
        return self._timer.active

    def ring(self) -> None:
        """Once for what has just arrived; another one meanwhile begins anew."""
        qt.QApplication.beep()
        window = slicer.util.mainWindow()
        if window is not None:
            qt.QApplication.alert(window, 0)
        self._left = 2 * FLASHES
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()
        self._label.styleSheet = ""

    def _on_tick(self, *_args) -> None:
        self._left -= 1
        colour = GRADE_COLOURS[Grade.SEVERE]
        style = f"background: {colour.fill}; color: {colour.text}; padding: 4px"
        self._label.styleSheet = style if self._left % 2 else ""
        if self._left <= 0:
            self.stop()
