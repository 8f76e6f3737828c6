"""Pipes among the files, and clocks that are set: what arrives is graded once all the same."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime, timedelta

import pytest

from cine_objects import save, series
from MotionQALib.arrivals import arrival_service as service_module
from MotionQALib.arrivals import arrivals_page as page_module
from MotionQALib.arrivals.arrival_results import ArrivalResults, Graded
from MotionQALib.arrivals.arrival_service import ArrivalService
from MotionQALib.arrivals.arrivals import Arrivals
from MotionQALib.arrivals.folder_watch import FolderWatch

DAY = 86400


def test_a_pipe_in_the_watched_folder_holds_nothing_up(tmp_path):
    (path,) = save(series(slices=1, phases=1), tmp_path)
    os.mkfifo(tmp_path / "stalled.dcm")
    said = []
    watch = FolderWatch(tmp_path, said.append)
    assert watch.look() == []  # it may still be written to
    (image,) = watch.look()
    assert image.path == path and watch.look() == [] and said == []


@pytest.mark.parametrize("seconds", [-30 * DAY, 30 * DAY])
def test_files_of_another_clock_are_found_once(tmp_path, seconds):
    (path,) = save(series(slices=1, phases=1), tmp_path)
    os.utime(path, (time.time() + seconds,) * 2)
    watch = FolderWatch(tmp_path, print)
    assert [len(watch.look()) for _ in range(4)] == [0, 1, 0, 0]


def test_a_clock_that_is_set_back_changes_neither_order_nor_count(
    tmp_path, monkeypatch, assessment_of
):
    now = [datetime(2026, 3, 29, 12)]

    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return now[0].astimezone(zone) if zone else now[0]

    for module in (service_module, page_module):
        monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: now[0].timestamp())
    said = []
    folder = tmp_path / "in"
    watch = FolderWatch(folder, said.append)
    for _ in range(2):  # the second time after a restart
        results = ArrivalResults(tmp_path / "out")
        service = ArrivalService(
            Arrivals(0.05, 60), results, lambda one: Graded(assessment_of(2, 2)), say=said.append
        )
        watch = FolderWatch(folder, said.append)
        for number in (7, 8, 9):
            save(
                series(slices=2, phases=2, size=24, seed=number, series_number=number),
                folder / str(number),
            )
            watch.look()
            for image in watch.look():
                service.take(image)
            end = time.monotonic() + 20
            service.step()
            while not service.idle:
                assert time.monotonic() < end
                service.wait(0.01)
                service.step()
            now[0] -= timedelta(hours=1, days=number)
        results.close()
    assert len(said) == 3 and [entry.number for entry in results.ledger.entries] == [7, 8, 9]
    shown = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert re.findall(r"Series (\d)", shown) == ["9", "8", "7"]  # newest first: as they came
