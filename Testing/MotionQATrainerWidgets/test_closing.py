"""Closing Slicer while a training runs: it asks, and does what was answered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from host import pythonqt

pythonqt(__name__)


@pytest.fixture
def closing(host):
    """A close of the main window while trainings run; those that were cancelled."""
    import qt
    import slicer

    from MotionQATrainerWidgets.closing import ClosingQuestion

    cancelled = []
    running = [SimpleNamespace(name="heart-1", cancel=lambda: cancelled.append("heart-1"))]
    question = ClosingQuestion(lambda: running)

    def close() -> bool:
        """Whether the window would close: Slicer's own questions are the window's, not asked."""
        event = qt.QCloseEvent()
        return not slicer.app.notify(slicer.util.mainWindow(), event) or event.isAccepted()

    yield SimpleNamespace(close=close, running=running, cancelled=cancelled)
    question.remove()
    slicer.util.mainWindow().show()


def test_it_goes_on_unless_the_user_says_no(host, closing):
    import slicer

    assert closing.close()
    (question,) = host.dialogs.shown
    assert "heart-1" in question.text and "goes on without Slicer" in question.text
    slicer.app.aboutToQuit.emit()
    assert closing.cancelled == []


def test_no_stops_it_when_slicer_really_quits(host, closing):
    import qt
    import slicer

    host.dialogs.answers = [qt.QMessageBox.No]
    assert closing.close() and closing.cancelled == []
    slicer.app.aboutToQuit.emit()
    assert closing.cancelled == ["heart-1"]


def test_cancel_keeps_slicer_open(host, closing):
    import qt
    import slicer

    host.dialogs.answers = [qt.QMessageBox.Cancel]
    assert not closing.close() and slicer.util.mainWindow().visible
    host.dialogs.answers = [qt.QMessageBox.Yes]  # asked again next time
    assert closing.close() and len(host.dialogs.shown) == 2
    slicer.app.aboutToQuit.emit()
    assert closing.cancelled == []


def test_with_nothing_running_nothing_is_asked(host, closing):
    closing.running.clear()
    assert closing.close() and host.dialogs.shown == []
