"""The reader's keys: alive over the images, dead while typing, when hidden and when closed."""

from __future__ import annotations

import pytest

from host import pythonqt

pythonqt(__name__)


@pytest.fixture
def keys(host):
    """Shortcuts of a widget in the main window, what they heard, and how to press a key."""
    import qt
    import slicer

    from MotionQAWidgets.reading.shortcuts import Shortcuts

    owner, heard = qt.QWidget(slicer.util.mainWindow()), []
    column = qt.QVBoxLayout(owner)
    column.addWidget(qt.QLineEdit())
    column.addWidget(qt.QCheckBox())
    owner.show()
    actions = {key: lambda key=key: heard.append(key) for key in ("1", "3", "5", "Space", "Ctrl+Z")}
    shortcuts = Shortcuts(owner, actions)
    shortcuts.active = True
    slicer.util.mainWindow().activateWindow()
    view = slicer.app.layoutManager().sliceWidget("Red").sliceView()
    view.setFocus()
    host.process_events()
    yield owner, view, shortcuts, heard
    shortcuts.close()
    owner.hide()
    owner.deleteLater()


def press(widget, key, modifier=None):
    import qt

    qt.QTest.keyClick(widget, key, modifier or qt.Qt.NoModifier)


def test_they_work_over_an_image_and_on_the_number_pad(host, keys):
    import qt

    _owner, view, _shortcuts, heard = keys
    press(view, qt.Qt.Key_3)
    press(view, qt.Qt.Key_5, qt.Qt.KeypadModifier)
    press(view, qt.Qt.Key_Space)
    press(view, qt.Qt.Key_Z, qt.Qt.ControlModifier)
    press(view, qt.Qt.Key_2)  # not among them
    assert heard == ["3", "5", "Space", "Ctrl+Z"]


def test_typing_is_typing(host, keys):
    import qt

    owner, view, _shortcuts, heard = keys
    edit = owner.findChild(qt.QLineEdit)
    edit.setFocus()
    host.process_events()
    for key in (qt.Qt.Key_3, qt.Qt.Key_Space, qt.Qt.Key_1):
        press(edit, key)
    assert edit.text == "3 1"
    press(edit, qt.Qt.Key_Z, qt.Qt.ControlModifier)
    assert heard == [] and edit.text != "3 1"  # Ctrl+Z undid the typing
    view.setFocus()
    host.process_events()
    press(view, qt.Qt.Key_1)
    assert heard == ["1"]


def test_space_presses_a_button_that_has_the_focus(host, keys):
    import qt

    owner, _view, _shortcuts, heard = keys
    box = owner.findChild(qt.QCheckBox)
    box.setFocus()
    host.process_events()
    press(box, qt.Qt.Key_Space)
    press(box, qt.Qt.Key_3)
    assert box.checked and heard == ["3"]


def test_they_are_dead_when_off_hidden_or_closed(host, keys):
    import qt

    owner, view, shortcuts, heard = keys
    shortcuts.active = False
    press(view, qt.Qt.Key_3)
    shortcuts.active = True
    owner.hide()
    press(view, qt.Qt.Key_3)
    owner.show()
    assert heard == []
    press(view, qt.Qt.Key_3)
    assert heard == ["3"]
    shortcuts.close()
    host.process_events()
    press(view, qt.Qt.Key_3)
    assert heard == ["3"]
    assert not owner.findChildren(qt.QShortcut)
