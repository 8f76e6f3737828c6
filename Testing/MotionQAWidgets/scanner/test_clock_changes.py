"""The computer's clock is set while Slicer watches: nothing is missed, and the order stays."""

from __future__ import annotations

import time

import cine_objects
from host import pythonqt
from MotionQALib.arrivals.arrival_entry import Entry, Repeated
from processes import SOON

pythonqt(__name__)

HOUR = 3600_000


def test_what_comes_after_the_clock_was_set_back_is_found(host, database, send):
    from MotionQAWidgets.scanner.database_watch import DatabaseWatch

    send(cine_objects.series(1, 2))
    watch = DatabaseWatch(round(1000 * time.time()) + 5 * HOUR)  # it was set back by hours
    found = []
    watch.images_found.connect(found.append)
    watch.directory_changed.connect(lambda _directory: watch.go_on_after({}))
    watch.start()
    host.wait_until(lambda: watch.looked_through, seconds=SOON)
    (uid,) = send(cine_objects.series(1, 2, seed=1))
    host.wait_until(lambda: found, seconds=SOON)
    watch.go_on_after({})  # as when the process that grades was started again
    host.wait_until(lambda: len(found) > 1, seconds=SOON)
    watch.stop()
    assert {database.seriesForFile(path) for paths in found for path in paths} == {uid}


def test_the_last_of_several_repetitions_is_the_one_that_came_last(host):
    from MotionQAWidgets.scanner.arrival_words import acquired_again

    def entry(number, time, repeated=()):
        facts = {"study": "1", "content": str(number), "status": "graded", "scores": (2,)}
        return Entry(series=str(number), number=number, time=time, repeated=repeated, **facts)

    again = (Repeated("5", 5, ((0, 0),), (2,), (2,)),)
    first = entry(5, "2026-03-29T12:00:00+02:00")
    second = entry(6, "2026-03-29T12:10:00+02:00", again)
    third = entry(7, "2026-03-29T11:05:00+02:00", again)  # the clock was set back
    assert acquired_again(first, [third, second, first]) == {0: third}
