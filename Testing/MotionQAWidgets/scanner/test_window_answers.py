"""The window never waits for a file: a share may be slow, or not answer at all."""

from __future__ import annotations

import json
from pathlib import Path

import cine_objects
from host import pythonqt
from processes import SOON

pythonqt(__name__)


def test_what_arrived_is_found_without_opening_a_file(host, database, monkeypatch):
    """500 images on a share that hangs, and a series of another modality: no file is there."""
    from MotionQAWidgets.scanner.database_watch import DatabaseWatch

    asked = []
    for name in ("fileValue", "instanceValue"):
        monkeypatch.setattr(database, name, lambda *_of, _name=name: asked.append(_name))
    _fill(database, "1.1", "MR", 500)
    _fill(database, "1.2", "CT", 3)
    watch = DatabaseWatch(0)
    found = []
    watch.images_found.connect(found.append)
    watch.directory_changed.connect(lambda _directory: watch.go_on_after({}))
    watch.start()
    host.wait_until(lambda: found, seconds=SOON)
    host.process_events(0.3)
    watch.stop()
    assert asked == []
    assert found == [[f"/share/1.1/{number}" for number in range(500)]]


def _fill(database, series: str, modality: str, count: int) -> None:
    """Rows of a series, as the listener's indexer writes them."""
    ids = {"PatientID": "p", "PatientName": "", "StudyInstanceUID": "1"}
    with Path(database.databaseFilename).open("a", encoding="utf-8") as index:
        for number in range(count):
            row = {
                **ids,
                "SeriesInstanceUID": series,
                "SOPInstanceUID": f"{series}.{number}",
                "Modality": modality,
                "file": f"/share/{series}/{number}",
                "time": "2024-01-01T00:00:00",
            }
            index.write(json.dumps(row) + "\n")


def test_a_series_is_opened_by_a_process_that_may_hang(host, tmp_path, monkeypatch):
    """Neither looked at nor opened here; that it takes long is said, and another one opens."""
    from MotionQAWidgets import series_reading
    from MotionQAWidgets.scene_results import SceneResults
    from MotionQAWidgets.volume_opening import VolumeOpening

    from ..graded import assessment

    files = cine_objects.save(cine_objects.series(2, 3, size=24), tmp_path / "stuck")
    whole = cine_objects.save(cine_objects.series(2, 3, size=24, seed=2), tmp_path / "whole")
    monkeypatch.setattr(series_reading, "LONG", 50)
    results = SceneResults()
    opening = VolumeOpening(results)
    said, opened = [], []
    opening.slow.connect(said.append)
    opening.failed.connect(said.append)
    opening.opened.connect(opened.append)
    gone = tmp_path / "nowhere" / "x.dcm"
    opening.open(gone, assessment([[3, 4]] * 3), files=[str(gone), str(files[0])])
    assert opening.busy and said == []  # `exists` would have waited for the share
    host.wait_until(lambda: not opening.busy, seconds=SOON)
    assert "does not answer" in said[0] and "x.dcm" in said[-1] and opened == []
    opening.open(whole[0], assessment([[3, 4]] * 3), files=[str(path) for path in whole])
    host.wait_until(lambda: opened, seconds=SOON)
    opening.close()
    results.close()
