"""Notices whether the reader is at work: the mouse moves, or the views do."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer

INTERVAL = 1000
"""Milliseconds between looks. What counts as idle is the reading clock's business."""


class ActivityWatch:
    """Calls ``seen()`` in each second in which the reader did something in Slicer.

    It looks instead of listening: an event filter over Slicer would run Python for every event.
    """

    def __init__(self, seen: Callable[[], object]) -> None:
        self._seen = seen
        self._before: tuple = ()
        self._timer = qt.QTimer()
        self._timer.interval = INTERVAL
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        self._before = self._state()
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def close(self) -> None:
        self.stop()
        self._timer.timeout.disconnect(self._look)

    def _look(self, *_args) -> None:
        now = self._state()
        if now != self._before and qt.QApplication.activeWindow() is not None:
            self._seen()
        self._before = now

    @staticmethod
    def _state() -> tuple:
        mouse = qt.QCursor.pos()
        views = slicer.util.getNodesByClass("vtkMRMLSliceNode")
        windows = slicer.util.getNodesByClass("vtkMRMLScalarVolumeDisplayNode")
        return (mouse.x(), mouse.y(), *(node.GetMTime() for node in (*views, *windows)))
