"""New images in Slicer's DICOM database are found, whoever brought them, and nothing waits."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

import cine_objects
from host import pythonqt
from processes import SOON

pythonqt(__name__)


def started(host, since):
    """A watch that has said which database it is."""
    from MotionQAWidgets.scanner.database_watch import DatabaseWatch

    watch, said = DatabaseWatch(since), []
    watch.found = []
    watch.images_found.connect(watch.found.append)
    watch.directory_changed.connect(said.append)
    watch.start()
    host.wait_until(lambda: said, seconds=SOON)
    watch.directory_changed.disconnect()
    return watch


@pytest.fixture
def watch(host, database):
    watch = started(host, round(1000 * time.time()) - 60_000)
    yield watch
    watch.stop()


def test_what_the_listener_brings_is_found_though_it_tells_no_series(host, database, watch, send):
    heard = []
    database.seriesAdded.connect(heard.append)
    watch.go_on_after({})
    (uid,) = send(cine_objects.series(2, 3))
    host.wait_until(lambda: sum(map(len, watch.found)) == 6, seconds=SOON)
    assert heard == []  # ctk's own habit, which the stand-in has
    paths = [path for found in watch.found for path in found]
    assert all(Path(path).is_file() for path in paths)
    assert sorted(paths) == sorted(database.filesForSeries(uid))
    host.process_events(0.8)
    assert sum(map(len, watch.found)) == 6  # once


def test_what_is_inserted_directly_is_found(host, database, watch, tmp_path):
    watch.go_on_after({})
    for path in cine_objects.save(cine_objects.series(1, 2), tmp_path / "there"):
        database.insert(str(path), False)
    host.wait_until(lambda: sum(map(len, watch.found)) == 2, seconds=SOON)


def test_without_any_signal_it_is_found_a_little_later(host, database, send, monkeypatch):
    from MotionQAWidgets.scanner import database_watch

    monkeypatch.setattr(database_watch, "UNASKED", 400)
    watch = started(host, round(1000 * time.time()) - 60_000)
    watch.go_on_after({})
    host.process_events(0.5)
    database.blockSignals(True)  # as on a network drive
    try:
        send(cine_objects.series(1, 2))
        host.wait_until(lambda: sum(map(len, watch.found)) == 2, seconds=SOON)
    finally:
        database.blockSignals(False)
        watch.stop()


def test_nothing_is_told_before_it_is_known_what_was_told_before(host, database, watch, send):
    (first,) = send(cine_objects.series(2, 3))
    (second,) = send(cine_objects.series(2, 3, seed=1))
    host.process_events(0.6)
    assert watch.found == []
    watch.go_on_after({first: 6, second: 5})  # one came while nobody looked
    host.wait_until(lambda: watch.found, seconds=SOON)
    host.process_events(0.5)
    assert [database.seriesForFile(paths[0]) for paths in watch.found] == [second]


def test_old_series_and_other_modalities_are_passed_over(host, database, send):
    send(cine_objects.series(1, 2))
    send(cine_objects.series(1, 2, seed=1, Modality="CT"))
    for since, count in ((0, 2), (round(1000 * time.time()) + 60_000, 0)):
        watch = started(host, since)
        watch.go_on_after({})
        host.process_events(0.8)
        watch.stop()
        assert sum(map(len, watch.found)) == count


def test_another_database_is_said(host, database, watch, tmp_path):
    said = []
    watch.directory_changed.connect(said.append)
    database.openDatabase(str(tmp_path / "other" / "ctkDICOM.sql"))
    host.wait_until(lambda: said[-1:] == [str(tmp_path / "other")], seconds=SOON)
    database.closeDatabase()
    host.wait_until(lambda: said[-1:] == [""], seconds=SOON)


def test_a_large_database_keeps_the_window_waiting_for_no_more_than_an_instant(
    host, database, send, monkeypatch
):
    """2,000 studies: each turn of the event loop costs a few milliseconds."""
    send(cine_objects.series(1, 1))  # of the first patient, at whom it looks last
    rows = [
        {
            "PatientID": f"p{n}",
            "PatientName": "",
            "StudyInstanceUID": f"1.{n}",
            "SeriesInstanceUID": f"2.{n}",
            "SOPInstanceUID": f"3.{n}",
            "file": f"/nowhere/{n}",
            "time": "2020-01-01T00:00:00",
        }
        for n in range(2000)
    ]
    with Path(database.databaseFilename).open("a") as index:
        index.writelines(json.dumps(row) + "\n" for row in rows)
    asked = Counter()
    ask = database.insertDateTimeForSeries

    def inserted(series):
        asked[turn] += 1
        return ask(series)

    monkeypatch.setattr(database, "insertDateTimeForSeries", inserted)
    turn, longest = 0, 0.0
    watch = started(host, round(1000 * time.time()) - 60_000)
    watch.go_on_after({})
    end = time.monotonic() + SOON
    while not watch.found:
        assert time.monotonic() < end
        turn, began = turn + 1, time.perf_counter()
        host.qapplication.processEvents()
        longest = max(longest, time.perf_counter() - began)
        time.sleep(0.001)
    assert len(asked) > 1 and asked.total() == 2001
    assert longest < 0.1
    send(cine_objects.series(1, 1, seed=1))
    host.wait_until(lambda: len(watch.found) == 2, seconds=SOON)
    watch.stop()
    assert asked.total() == 2001  # neither what was passed over nor what has just come
