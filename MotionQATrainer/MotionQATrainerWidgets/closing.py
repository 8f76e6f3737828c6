"""What becomes of a training when Slicer is closed: asked of the user, once, at that moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import qt
import slicer
from slicer.i18n import tr as _


class ClosingQuestion(qt.QObject):
    """Hears that the main window is to close, before Slicer's own questions.

    A training is a process of its own and goes on without Slicer; so that is the first answer. A
    training that is to stop is told so only when Slicer really quits: its other questions may
    still keep it open.

    Parameters
    ----------
    running : returns the trainings that run now; each has ``name`` and ``cancel()``
    """

    def __init__(self, running: Callable[[], Sequence]) -> None:
        qt.QObject.__init__(self)
        self._running = running
        self._stop: list = []
        self._window = slicer.util.mainWindow()
        if self._window is not None:
            self._window.installEventFilter(self)
        slicer.app.aboutToQuit.connect(self._on_quit)

    def eventFilter(self, _watched, event) -> bool:  # noqa: N802  Qt's name
        """Qt's; True keeps Slicer open."""
        if event.type() != qt.QEvent.Close:
            return False
        running = list(self._running())
        self._stop = []
        if not running:
            return False
        buttons = qt.QMessageBox
        answer = slicer.util.messageBox(
            self._question(running),
            windowTitle=_("MotionQA: training goes on?"),
            icon=buttons.Question,
            standardButtons=buttons.Yes | buttons.No | buttons.Cancel,
        )
        if answer == buttons.Cancel:
            event.ignore()
            return True
        if answer == buttons.No:
            self._stop = running
        return False

    @staticmethod
    def _question(running: Sequence) -> str:
        text = _(
            "A training is running: {names}.\n\nYes: it goes on without Slicer, and the module "
            "MotionQA Trainer finds it again.\nNo: it stops and can be resumed from where it is."
            "\n\nLet it go on?"
        )
        return text.format(names=", ".join(run.name for run in running))

    def _on_quit(self, *_) -> None:
        if self._window is not None:  # which may outlive Python
            self._window.removeEventFilter(self)
        stopping, self._stop = self._stop, []
        for run in stopping:
            run.cancel()

    def remove(self) -> None:
        """Hear nothing more."""
        if self._window is not None:
            self._window.removeEventFilter(self)
        slicer.app.aboutToQuit.disconnect(self._on_quit)
