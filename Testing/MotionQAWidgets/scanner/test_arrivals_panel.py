"""The tab At the scanner, as a radiographer meets it."""

from __future__ import annotations

import os
import signal

import cine_objects
from host import pythonqt
from processes import LATE, SOON, children

from .. import slice_views

pythonqt(__name__)


def choose(module, checkpoint_file):
    settings = module.logic.getParameterNode()
    settings.checkpoint = str(checkpoint_file)
    module.scanner.set_settings(settings)


def listed(module) -> list[str]:
    table = module.scanner.table.widget
    return [table.item(row, 1).text() for row in range(table.rowCount)]


def test_series_are_graded_listed_opened_and_compared(
    host, module, send, checkpoint_file, database, tmp_path
):
    import slicer

    choose(module, checkpoint_file)
    scanner, arrivals = module.scanner, module.logic.arrivals
    assert not scanner.switch.checked and "Off" in scanner.state_label.text
    scanner.switch.click()
    assert arrivals.on and not scanner.alarm_check_box.checked
    first = cine_objects.series(4, 3, size=64, study="1.2.3")
    send(first[:7])
    host.process_events(0.3)
    send(first[7:])
    host.wait_until(lambda: listed(module) == ["5 · cine_sax"], seconds=LATE)
    again = cine_objects.series(2, 3, size=64, study="1.2.3", first=1, series_number=6, seed=1)
    send(again)
    send(cine_objects.series(1, 1, study="1.2.3", series_number=7, description="localizer"))
    host.wait_until(lambda: len(arrivals.entries) == 3, seconds=LATE)
    assert listed(module) == ["6 · cine_sax", "5 · cine_sax"]  # newest first
    scanner.all_check_box.click()
    assert sorted(listed(module))[-1] == "7 · localizer"
    scanner.all_check_box.click()
    table = scanner.table.widget
    old = arrivals.entries[-1]
    assert "instead of series 5, slice" in table.item(0, 3).text()
    assert "→" in table.item(0, 3).text()
    assert "slices 1–2 acquired again in series 6" in table.item(1, 3).text()
    assert scanner.head_label.text.startswith("This study")

    table.cellClicked.emit(1, 0)  # a click opens it with its grades and the overlay
    host.wait_until(lambda: not scanner.opening.busy, seconds=SOON)
    host.process_events(0.2)
    node = module.ui.volumeSelector.currentNode()
    result = module.logic.result(node)
    assert (result.n_frames, result.n_slices) == (3, 4)
    assert tuple(result.scores[result.worst_frames, range(4)]) == old.scores
    assert module.tabs.widget.currentIndex == 2 and node.GetName() == "5 · cine_sax"
    assert slice_views.texts()  # what the overlay says
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode")

    words = cine_objects.identifying_words()
    for path in (tmp_path / "database" / "MotionQA").rglob("*"):
        if path.is_file() and path.suffix != ".png":
            content = path.read_bytes().decode("utf-8", "replace").casefold()
            assert not [word for word in words if word in content], path


def test_slicer_opened_again_goes_on_with_what_it_missed(
    host, module, send, checkpoint_file, database
):
    import slicer

    import MotionQA

    choose(module, checkpoint_file)
    module.scanner.switch.click()
    send(cine_objects.series(3, 3, size=64, study="1.2.3"))
    host.wait_until(lambda: len(module.logic.arrivals.entries) == 1, seconds=LATE)
    host.unload_module("MotionQA")
    send(cine_objects.series(3, 3, size=64, study="1.2.3", series_number=9, seed=2))

    host.load_module("MotionQA")
    MotionQA.goOnWithArrivals()
    arrivals = slicer.util.getModuleLogic("MotionQA").arrivals
    assert arrivals.on
    heard = []
    arrivals.arrived.connect(heard.append)
    host.wait_until(lambda: len(arrivals.entries) == 2, seconds=LATE)
    host.process_events(1.0)
    assert [entry.number for entry in arrivals.entries] == [9, 5]
    assert [entry.number for entry in heard] == [9]  # the other one is not graded again
    arrivals.switch_off()
    assert not arrivals.wanted()


def test_sound_and_flash_for_severe_only_if_wanted(host, module, monkeypatch):
    import qt

    from MotionQALib.arrivals.arrival_entry import Entry

    heard = []
    monkeypatch.setattr(qt.QApplication, "beep", staticmethod(lambda: heard.append("beep")))
    facts = {"series": "1", "study": "2", "content": "3", "time": "2024-01-02T10:00:00"}
    severe = Entry(**facts, status="graded", score=2, scores=(2, 5), grade="severe")
    mild = Entry(**facts, status="graded", score=5, scores=(5, 4), grade="mild")
    scanner = module.scanner
    module.logic.arrivals.arrived.emit(severe)
    assert heard == [] and not scanner.alarm.active
    scanner.alarm_check_box.click()
    module.logic.arrivals.arrived.emit(mild)
    assert heard == []
    module.logic.arrivals.arrived.emit(severe)
    assert heard == ["beep"] and scanner.alarm.active
    host.wait_until(lambda: scanner.head_label.styleSheet, seconds=SOON)
    host.wait_until(lambda: not scanner.alarm.active, seconds=SOON)
    assert scanner.head_label.styleSheet == ""
    scanner.alarm_check_box.click()


def test_what_is_wrong_is_said(host, module, send, checkpoint_file, database):
    import slicer

    scanner, arrivals = module.scanner, module.logic.arrivals
    slicer.dicomDatabase.closeDatabase()
    choose(module, "no-such-checkpoint")
    scanner.switch.click()
    host.wait_until(lambda: "No DICOM database is open" in scanner.state_label.text, seconds=SOON)
    database.openDatabase(database.databaseFilename)
    host.wait_until(lambda: "no-such-checkpoint" in scanner.state_label.text, seconds=LATE)
    scanner.switch.click()
    assert not arrivals.on and "Off" in scanner.state_label.text


def test_a_killed_process_is_started_again(host, module, send, checkpoint_file, monkeypatch):
    choose(module, checkpoint_file)
    arrivals = module.logic.arrivals
    monkeypatch.setattr(type(arrivals), "restart_after", 100)
    module.scanner.switch.click()
    host.wait_until(lambda: children("announced_series"), seconds=SOON)
    send(cine_objects.series(3, 2, size=64))
    (pid,) = children("announced_series")
    os.kill(pid, signal.SIGKILL)
    host.wait_until(lambda: "started again" in arrivals.sentence, seconds=SOON)
    host.wait_until(lambda: len(arrivals.entries) == 1, seconds=LATE)
    assert arrivals.entries[0].status == "graded" and arrivals.sentence == ""
