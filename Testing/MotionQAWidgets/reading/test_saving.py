"""No score is lost: folders that cannot be written, scores saved elsewhere, time that counts."""

from __future__ import annotations

import errno
import os
import shutil
import time

from host import pythonqt
from MotionQALib.reading.scores import ScoreLog, import_rescued, read_scores

from .reading_page import make_study

pythonqt(__name__)


def log_file(study, reader: str = "anna"):
    return study.scores_folder / f"{reader}.jsonl"


def test_saved_is_said_when_it_is_on_disk(host, page, tmp_path, monkeypatch):
    import os

    study = make_study(tmp_path / "study", cases=2)
    page.open(study)
    seen = []
    fsync = os.fsync

    def look(file):
        seen.append((page.saved, log_file(study).read_text().count("\n")))
        fsync(file)

    monkeypatch.setattr(os, "fsync", look)
    page.press("4")
    assert seen == [("", 1)] and page.saved.startswith("Saved")


def test_a_vanished_folder_keeps_the_score_on_screen(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    page.open(study)
    page.press("4", "Space")
    shutil.move(study.folder, tmp_path / "away")
    page.press("2")
    assert page.saved.startswith("NOT SAVED: The scores of anna cannot be saved")
    assert page.shown_score == 2
    assert "not saved" in page.badge(0)
    page.press("Space", "5")
    assert page.saved.startswith("2 SCORES NOT SAVED")
    shutil.move(tmp_path / "away", study.folder)
    page.ui.retryButton.click()
    assert page.saved.startswith("Saved") and not page.ui.retryButton.visible
    assert [e.score for e in read_scores(log_file(study)).entries.values()] == [4, 2, 5]


def test_a_full_disk_is_said_at_once(host, page, tmp_path, monkeypatch):
    study = make_study(tmp_path / "study", cases=2)
    page.open(study)
    write = os.write

    monkeypatch.setattr(os, "write", _full)
    page.press("3")
    assert "the disk is full" in page.saved and page.ui.elsewhereButton.visible
    monkeypatch.setattr(os, "write", write)
    page.press("Space", "4")  # the next score takes the first one along
    assert sorted(e.score for e in read_scores(log_file(study)).entries.values()) == [3, 4]
    assert page.saved.startswith("Saved")


def test_scores_are_kept_elsewhere_and_taken_back(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    shutil.move(study.folder, tmp_path / "away")
    page.press("2")
    host.files.answers.append(str(tmp_path))
    page.ui.elsewhereButton.click()
    kept = tmp_path / "anna.rescued.jsonl"
    assert str(kept) in page.saved and page.saved.startswith("NOT SAVED")
    assert [e.score for e in read_scores(kept).entries.values()] == [2]
    host.dialogs.answers = [False, True]
    page.ui.closeButton.click()
    assert "not saved" in host.dialogs.texts()[-1] and page.scoring is not None  # cancelled
    page.ui.closeButton.click()
    assert page.scoring is None
    shutil.move(tmp_path / "away", study.folder)
    page.open(study)
    host.files.answers.append(str(kept))
    page.button("takeBackButton").click()
    assert [e.score for e in page.entries.values()] == [2]
    assert page.ui.casesTable.item(0, 1).text() == "2 · poor"


def test_undo_of_a_score_that_was_not_saved(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    shutil.move(study.folder, tmp_path / "away")
    page.press("2")
    page.press("Z", control=True)
    assert page.saved == "" and not page.scoring.unsaved
    shutil.move(tmp_path / "away", study.folder)


def test_a_torn_line_is_set_aside_and_said(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.press("4")
    page.panel.close_study()
    with log_file(study).open("ab") as file:
        file.write(b'{"version":1,"ti')
    page.open(study)
    assert "cut short" in page.message
    assert [e.score for e in page.entries.values()] == [4]


def test_reading_time_leaves_out_the_time_away(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed", idle_after=1.0)
    started = time.monotonic()
    page.open(study)
    host.process_events(0.5)
    page.press("4")
    (entry,) = page.entries.values()
    assert 0.4 < entry.seconds <= time.monotonic() - started
    shown = time.monotonic()
    page.press("Space")
    host.leave()
    left = time.monotonic()
    host.process_events(1.0)
    back = time.monotonic()
    host.enter("MotionQA")
    page.press("3")
    last = list(page.entries.values())[-1]
    assert last.seconds <= left - shown + time.monotonic() - back  # however slow the machine is


def test_taking_back_twice_changes_nothing(host, tmp_path):
    from MotionQALib.reading.score_entry import ItemKey, ScoreEntry
    from MotionQALib.reading.scores import rescue

    study = make_study(tmp_path / "study", cases=1)
    kept = rescue(ScoreEntry(ItemKey("voxels:a"), "anna", 3), tmp_path)
    with ScoreLog.open(study, "anna") as log:
        assert len(import_rescued(log, kept)) == 1
        assert import_rescued(log, kept) == []


def test_scores_that_could_not_be_saved_outlive_slicer(host, page, tmp_path, monkeypatch):
    from pathlib import Path

    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    shutil.move(study.folder, tmp_path / "away")
    page.press("2")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    page.panel = None
    host.unload_module("MotionQA")
    kept = read_scores(tmp_path / "anna.rescued.jsonl")
    assert [entry.score for entry in kept.entries.values()] == [2]


def test_other_machines_are_told_of_reading_and_of_adjudicating(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=1)
    page.open(study)
    page.press("4")
    page.adjudication.start_button.click()
    locks = [study.scores_folder / f".{name}.jsonl.lock" for name in ("anna", "consensus")]
    for lock in locks:
        os.utime(lock, (1, 1))
    page.panel.reading.beat()
    assert all(lock.stat().st_mtime > 1e9 for lock in locks)
    locks[1].write_text('{"host": "elsewhere", "token": "other"}')
    page.panel.reading.beat()
    assert "taken over by another session on elsewhere" in page.adjudication.label.text


def test_a_trouble_that_has_passed_is_not_said_any_more(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=1)
    page.open(study)
    page.press("4")
    lock = study.scores_folder / ".anna.jsonl.lock"
    content = lock.read_bytes()
    lock.write_text('{"host": "elsewhere", "token": "other"}')
    page.panel.reading.beat()
    assert "taken over by another session on elsewhere" in page.saved
    lock.write_bytes(content)
    page.panel.reading.beat()
    assert page.saved.startswith("Saved") and page.scoring.problem == ""


def test_an_exported_table_keeps_its_name_and_replaces_none_unasked(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=1)
    page.open(study)
    page.press("4")
    button = page.button("exportLongButton")
    table = tmp_path / "scores_12.10.2026.csv"
    host.files.answers.append(str(tmp_path / "scores_12.10.2026"))
    button.click()
    assert "4" in table.read_text() and not (tmp_path / "scores_12.10.csv").exists()
    table.write_text("older")
    host.files.answers.append(str(tmp_path / "scores_12.10.2026"))
    host.dialogs.answers = [False]
    button.click()
    assert "Replace it?" in host.dialogs.texts()[-1] and table.read_text() == "older"


def test_what_was_settled_is_kept_until_it_is_saved(host, page, tmp_path, monkeypatch):
    from MotionQALib.reading import adjudication

    study = make_study(tmp_path / "study", cases=3, order="listed")
    page.open(study)
    page.press("1", "Space", "2", "Space", "3", "Space")
    consensus = page.adjudication
    consensus.start_button.click()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        patch.setattr(os, "write", _full)
        page.press("4")
        assert consensus.label.text.startswith("NOT SAVED")
        assert page.shown_score == 4
        host.dialogs.answers = [False]
        assert not page.panel.close_study()
        assert "1 settled scores are not saved" in host.dialogs.texts()[-1]
        page.press("Space", "2")
        page.press("Z", control=True)  # of what is not saved, too
        assert consensus.table.currentRow() == 1 and consensus.label.text.startswith("NOT SAVED")
        assert page.shown_score != 4
        consensus.select(0)
        assert page.shown_score == 4
        consensus.select(1)
    monkeypatch.setattr(adjudication, "consensus_items", None)  # nothing is read again for one row
    page.press("5")
    assert consensus.label.text == "1 of 3 still to settle"
    settled = read_scores(log_file(study, "consensus")).entries.values()
    assert [entry.score for entry in settled] == [4, 5]
    last = consensus.table.columnCount - 1
    assert [consensus.table.item(row, last).text() for row in range(3)] == ["4", "5", ""]


def _full(*_args):
    raise OSError(errno.ENOSPC, "No space left on device")
