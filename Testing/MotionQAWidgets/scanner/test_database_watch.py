"""New images in Slicer's DICOM database are found, whoever brought them, and nothing waits."""

from __future__ import annotations

import time
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


def test_without_any_signal_it_is_found_a_little_later(host, database, watch, send, monkeypatch):
    watch.go_on_after({})
    host.process_events(0.5)
    database._watcher.removePath(database.databaseFilename)  # as on a network drive
    watch._unasked.interval = 400
    send(cine_objects.series(1, 2))
    host.wait_until(lambda: sum(map(len, watch.found)) == 2, seconds=SOON)


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


def test_a_large_database_keeps_the_window_waiting_for_no_more_than_an_instant(host, database):
    """2,000 studies: each turn of the event loop costs a few milliseconds."""
    import json

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
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path(database.databaseFilename).write_text(text)
    monkey = database._distinct  # its file is no SQLite: an index in its place
    index: dict = {}
    for row in rows:
        index.setdefault(("PatientID", ()), []).append(row["PatientID"])
        where = (("PatientID", row["PatientID"]),)
        index.setdefault(("StudyInstanceUID", where), []).append(row["StudyInstanceUID"])
        where = (("StudyInstanceUID", row["StudyInstanceUID"]),)
        index.setdefault(("SeriesInstanceUID", where), []).append(row["SeriesInstanceUID"])
        where = (("SeriesInstanceUID", row["SeriesInstanceUID"]),)
        for field in ("file", "time"):
            index.setdefault((field, where), []).append(row[field])
    database._distinct = lambda field, **where: tuple(index.get((field, tuple(where.items())), ()))
    try:
        watch = started(host, round(1000 * time.time()))
        watch.go_on_after({})
        host.wait_until(lambda: watch._look is not None, seconds=SOON)
        turns, longest = 0, 0.0
        while watch._look is not None:
            began = time.perf_counter()
            watch._go_on()
            longest, turns = max(longest, time.perf_counter() - began), turns + 1
        watch.stop()
    finally:
        database._distinct = monkey
    assert turns > 1 and len(watch._passed_over) == 2000
    assert longest < 0.1
