"""No score is lost: folders that cannot be written, scores saved elsewhere, time that counts."""

from __future__ import annotations

import errno
import os
import shutil
import time

from host import pythonqt
from MotionQALib.reading.scores import ScoreLog, read_scores, take_back

from .room import make_study

pythonqt(__name__)


def log_file(study, reader: str = "anna"):
    return study.scores_folder / f"{reader}.jsonl"


def test_saved_is_said_when_it_is_on_disk(host, room, tmp_path, monkeypatch):
    import os

    study = make_study(tmp_path / "study", cases=2)
    room.open(study)
    seen = []
    fsync = os.fsync

    def look(file):
        seen.append((room.saved, log_file(study).read_text().count("\n")))
        fsync(file)

    monkeypatch.setattr(os, "fsync", look)
    room.press("4")
    assert seen == [("", 1)] and room.saved.startswith("Saved")


def test_a_vanished_folder_keeps_the_score_on_screen(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    room.open(study)
    room.press("4", "Space")
    shutil.move(study.folder, tmp_path / "away")
    room.press("2")
    assert room.saved.startswith("NOT SAVED: The scores of anna cannot be saved")
    assert room.panel.reading.display.buttons._buttons[2].checked
    assert "not saved" in room.panel.reading.display.badge(0)[0]
    room.press("Space", "5")
    assert room.saved.startswith("2 SCORES NOT SAVED")
    shutil.move(tmp_path / "away", study.folder)
    room.ui.retryButton.click()
    assert room.saved.startswith("Saved") and not room.ui.retryButton.visible
    assert [e.score for e in read_scores(log_file(study)).entries.values()] == [4, 2, 5]


def test_a_full_disk_is_said_at_once(host, room, tmp_path, monkeypatch):
    study = make_study(tmp_path / "study", cases=2)
    room.open(study)
    write = os.write

    monkeypatch.setattr(os, "write", _full)
    room.press("3")
    assert "the disk is full" in room.saved and room.ui.elsewhereButton.visible
    monkeypatch.setattr(os, "write", write)
    room.press("Space", "4")  # the next score takes the first one along
    assert sorted(e.score for e in read_scores(log_file(study)).entries.values()) == [3, 4]
    assert room.saved.startswith("Saved")


def test_scores_are_kept_elsewhere_and_taken_back(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    shutil.move(study.folder, tmp_path / "away")
    room.press("2")
    host.files.answers.append(str(tmp_path))
    room.ui.elsewhereButton.click()
    kept = tmp_path / "anna.rescued.jsonl"
    assert str(kept) in room.saved and room.saved.startswith("NOT SAVED")
    assert [e.score for e in read_scores(kept).entries.values()] == [2]
    host.dialogs.answers = [False, True]
    room.ui.closeButton.click()
    assert "not saved" in host.dialogs.texts()[-1] and room.desk is not None  # cancelled
    room.ui.closeButton.click()
    assert room.desk is None
    shutil.move(tmp_path / "away", study.folder)
    room.open(study)
    host.files.answers.append(str(kept))
    room.panel.results.files._frame.findChild(type(room.ui.openButton), "takeBackButton").click()
    assert [e.score for e in room.desk.session.log.entries.values()] == [2]
    assert room.ui.casesTable.item(0, 1).text() == "2 · poor"


def test_undo_of_a_score_that_was_not_saved(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    shutil.move(study.folder, tmp_path / "away")
    room.press("2")
    room.press("Z", control=True)
    assert room.saved == "" and not room.desk.unsaved
    shutil.move(tmp_path / "away", study.folder)


def test_a_torn_line_is_set_aside_and_said(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.press("4")
    room.panel.close_study()
    with log_file(study).open("ab") as file:
        file.write(b'{"version":1,"ti')
    room.open(study)
    assert "cut short" in room.message
    assert [e.score for e in room.desk.session.log.entries.values()] == [4]


def test_reading_time_leaves_out_the_time_away(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed", idle_after=1.0)
    started = time.monotonic()
    room.open(study)
    host.process_events(0.5)
    room.press("4")
    (entry,) = room.desk.session.log.entries.values()
    assert 0.4 < entry.seconds <= time.monotonic() - started
    room.press("Space")
    host.leave()
    host.process_events(1.0)
    host.enter("MotionQA")
    room.press("3")
    last = list(room.desk.session.log.entries.values())[-1]
    assert last.seconds < 0.9


def test_taking_back_twice_changes_nothing(host, tmp_path):
    from MotionQALib.reading.entry import Entry, Place
    from MotionQALib.reading.scores import rescue

    study = make_study(tmp_path / "study", cases=1)
    kept = rescue(Entry(Place("voxels:a"), "anna", 3), tmp_path)
    with ScoreLog.open(study, "anna") as log:
        assert len(take_back(log, kept)) == 1
        assert take_back(log, kept) == []


def test_scores_that_could_not_be_saved_outlive_slicer(host, room, tmp_path, monkeypatch):
    from pathlib import Path

    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    shutil.move(study.folder, tmp_path / "away")
    room.press("2")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    room.panel = None
    host.unload_module("MotionQA")
    kept = read_scores(tmp_path / "anna.rescued.jsonl")
    assert [entry.score for entry in kept.entries.values()] == [2]


def test_other_machines_are_told_of_reading_and_of_adjudicating(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=1)
    room.open(study)
    room.press("4")
    room.panel.results.consensus.start_button.click()
    locks = [study.scores_folder / f".{name}.jsonl.lock" for name in ("anna", "consensus")]
    for lock in locks:
        os.utime(lock, (1, 1))
    room.panel.reading._beat.timeout.emit()
    assert all(lock.stat().st_mtime > 1e9 for lock in locks)
    locks[1].write_text('{"host": "elsewhere", "token": "other"}')
    room.panel.reading._beat.timeout.emit()
    assert "taken over by another session on elsewhere" in room.panel.results.consensus.label.text


def test_a_trouble_that_has_passed_is_not_said_any_more(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=1)
    room.open(study)
    room.press("4")
    lock = study.scores_folder / ".anna.jsonl.lock"
    content = lock.read_bytes()
    lock.write_text('{"host": "elsewhere", "token": "other"}')
    room.panel.reading._beat.timeout.emit()
    assert "taken over by another session on elsewhere" in room.saved
    lock.write_bytes(content)
    room.panel.reading._beat.timeout.emit()
    assert room.saved.startswith("Saved") and room.desk.problem == ""


def test_an_exported_table_keeps_its_name_and_replaces_none_unasked(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=1)
    room.open(study)
    room.press("4")
    button = room.ui.filesFrame.findChild(type(room.ui.openButton), "exportLongButton")
    table = tmp_path / "scores_12.10.2026.csv"
    host.files.answers.append(str(tmp_path / "scores_12.10.2026"))
    button.click()
    assert "4" in table.read_text() and not (tmp_path / "scores_12.10.csv").exists()
    table.write_text("older")
    host.files.answers.append(str(tmp_path / "scores_12.10.2026"))
    host.dialogs.answers = [False]
    button.click()
    assert "Replace it?" in host.dialogs.texts()[-1] and table.read_text() == "older"


def test_what_was_settled_is_kept_until_it_is_saved(host, room, tmp_path, monkeypatch):
    from MotionQAWidgets.reading import results_desk

    study = make_study(tmp_path / "study", cases=3, order="listed")
    room.open(study)
    room.press("1", "Space", "2", "Space", "3", "Space")
    consensus = room.panel.results.consensus
    consensus.start_button.click()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        patch.setattr(os, "write", _full)
        room.press("4")
        assert consensus.label.text.startswith("NOT SAVED")
        assert room.panel.reading.display.buttons._buttons[4].checked
        host.dialogs.answers = [False]
        assert not room.panel.close_study()
        assert "1 settled scores are not saved" in host.dialogs.texts()[-1]
        room.press("Space", "2")
        room.press("Z", control=True)  # of what is not saved, too
        assert consensus.table.currentRow() == 1 and consensus.label.text.startswith("NOT SAVED")
        assert not room.panel.reading.display.buttons._buttons[4].checked
        consensus.select(0)
        assert room.panel.reading.display.buttons._buttons[4].checked
        consensus.select(1)
    monkeypatch.setattr(results_desk, "dockets_of", None)  # nothing is read again for one row
    room.press("5")
    assert consensus.label.text == "1 of 3 still to settle"
    settled = read_scores(log_file(study, "consensus")).entries.values()
    assert [entry.score for entry in settled] == [4, 5]
    last = consensus.table.columnCount - 1
    assert [consensus.table.item(row, last).text() for row in range(3)] == ["4", "5", ""]


def _full(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")
