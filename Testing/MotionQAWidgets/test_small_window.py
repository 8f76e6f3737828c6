"""On a laptop's small window the panel needs no scrolling: 1150 × 600, its title bar included."""

from __future__ import annotations

import pytest

from host import pythonqt
from processes import LATE

from . import graded

pythonqt(__name__)
SMALL = (1150, 570)


@pytest.fixture
def small(host):
    size = host.window.size
    host.window.resize(*SMALL)
    host.process_events(0.1)
    yield host
    host.leave()
    host.window.resize(size)


def seen(host, *widgets) -> list[float]:
    host.process_events(0.2)
    return [host.window.panel_part_seen(widget) for widget in widgets]


@pytest.mark.parametrize("cine", [False, True], ids=["volume", "cine"])
def test_a_click_and_its_result_fit(small, cine, checkpoint_file):
    if cine:
        graded.cine(slices=12, frames=2, textured=True)
    else:
        graded.noise(slices=12)
    module = small.enter("MotionQA")
    ui, view = module.ui, module.panel.results_view
    assert seen(small, ui.assessButton, ui.noticeLabel, ui.deviceLabel, ui.cardButton) == [1.0] * 4
    assert ui.cardButton.collapsed and not view.details.visible
    ui.assessButton.click()
    small.wait_until(lambda: not module.logic.grading.running, seconds=LATE)
    assert ui.resultLabel.text, ui.messageLabel.text
    assert "mm is no heart's" in ui.remarksLabel.text  # a long remark, too, comes after these
    assert seen(small, ui.resultLabel, view.strip.widget, view.next_button) == [1.0] * 3
    assert view.details.visible and seen(small, view.table.widget) != [1.0]  # scrolled to


def test_notice_and_device_keep_to_a_line_each_and_their_tooltips_say_all(small):
    graded.noise()
    module = small.enter("MotionQA")
    ui = module.ui
    small.wait_until(lambda: ui.deviceLabel.text.startswith("Runs on"), seconds=LATE)
    (line,) = {label.fontMetrics().height() for label in (ui.volumeLabel, ui.checkpointLabel)}
    assert max(ui.noticeLabel.height, ui.deviceLabel.height) < 2 * line
    assert ui.noticeLabel.text.endswith("not a medical device")
    assert ui.noticeLabel.toolTip.endswith("not a medical device")
    assert "Precision" in ui.deviceLabel.toolTip


def test_a_line_too_long_is_made_smaller_then_shortened(host):
    import qt

    from MotionQAWidgets.one_line import OneLine

    window = qt.QWidget()
    column, label = qt.QVBoxLayout(window), qt.QLabel()
    column.addWidget(label)
    window.resize(300, 40)
    window.show()
    host.process_events()
    line = OneLine(label)
    line.say("Short")
    size = label.font.pointSizeF()
    line.say("A sentence that is a little longer than there is room")
    assert label.text.endswith("room") and label.font.pointSizeF() < size
    line.say("word " * 40, "and more")
    assert label.text.endswith("…") and label.toolTip == "word " * 40 + "\nand more"
    window.resize(3000, 40)
    host.process_events()
    assert label.text == "word " * 40 and label.font.pointSizeF() == size


def test_a_sentence_that_must_be_read_wraps_rather_than_being_shortened(host):
    import qt

    from MotionQAWidgets.one_line import OneLine

    window = qt.QWidget()
    column, label = qt.QVBoxLayout(window), qt.QLabel()
    column.addWidget(label)
    window.resize(300, 80)
    window.show()
    host.process_events()
    line = OneLine(label, wraps=True)
    line.say("word " * 40)
    assert label.text == "word " * 40 and label.wordWrap
    line.say("Short")
    assert label.text == "Short" and not label.wordWrap
    line.say_in_full("word " * 400)
    assert label.wordWrap and label.text == "word " * 400
    line.say("")
    assert not label.visible
