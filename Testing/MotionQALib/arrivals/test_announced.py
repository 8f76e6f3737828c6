"""The process that grades announced series: when, once, and with what the earlier ones replace."""

from __future__ import annotations

import os
import threading
import time

import pytest

import cine_objects
from MotionQALib import protocol
from MotionQALib.arrivals import messages
from MotionQALib.arrivals.announced import AnnouncedSeries, assessment_at
from MotionQALib.arrivals.entry import Entry


class Process:
    """One life of the process, in a thread, and what it has said."""

    def __init__(self, output, checkpoint, quiet=0.4) -> None:
        (request, requests), (event, events) = os.pipe(), os.pipe()
        self._requests, self._events = os.fdopen(requests, "wb", 0), os.fdopen(event, "rb")
        served = os.fdopen(request, "rb"), os.fdopen(events, "wb")
        self._thread = threading.Thread(target=self._run, args=served, daemon=True)
        self._thread.start()
        self.events: list[protocol.Message] = []
        self.send(
            messages.StartArrivals(
                output=str(output),
                checkpoint=str(checkpoint),
                device="cpu",
                quiet=quiet,
                patience=2 * quiet,
            )
        )

    def _run(self, requests, events) -> None:
        with events:
            AnnouncedSeries(requests, events).run()

    def send(self, message: protocol.Message) -> None:
        self._requests.write(message.encode())

    def announce(self, paths) -> None:
        self.send(messages.ImagesArrived(paths=[str(path) for path in paths]))

    def until(self, kind, new=True):
        while line := self._events.readline():
            self.events.append(protocol.decode(line))
            if isinstance(self.events[-1], kind) and getattr(self.events[-1], "new", new) == new:
                return self.events[-1]
        raise AssertionError(f"No {kind.__name__}: {self.events}")

    def rest(self) -> list[protocol.Message]:
        """What it said last, up to its end."""
        return [protocol.decode(line) for line in self._events]

    def entry(self) -> Entry:
        return Entry.from_dict(self.until(messages.SeriesDone).entry)

    def close(self) -> None:
        self._requests.close()
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def stacks(tmp_path):
    """A cine of four slices, two of which were acquired again, among other files."""
    first = cine_objects.series(4, 3, size=64, study="1.2.3")
    again = cine_objects.series(2, 3, size=64, study="1.2.3", first=1, series_number=6, seed=1)
    other = cine_objects.series(1, 1, size=64, study="1.2.3", series_number=7)
    folder = tmp_path / "database"
    paths = [
        cine_objects.save(images, folder / name)
        for images, name in ((first, "a"), (again, "b"), (other, "b"))
    ]
    paths[1] = cine_objects.save(again, folder / "b2")  # `other` overwrote some
    return paths


def test_a_series_is_graded_once_and_what_is_acquired_again_stands_beside_it(
    stacks, checkpoint_file, tmp_path
):
    first, again, other = stacks
    process = Process(tmp_path / "results", checkpoint_file)
    assert process.until(messages.ArrivalsReady).known == []
    process.until(messages.ArrivalsDevice)
    process.announce(first[:5])
    time.sleep(0.2)
    process.announce(first[5:])
    graded = process.entry()
    assert (graded.status, graded.number, len(graded.scores)) == ("graded", 5, 4)
    assert graded.images == 12
    process.announce(again)
    repeated = process.entry()
    (replaced,) = repeated.repeated
    assert (replaced.number, replaced.slices) == (5, ((1, 0), (2, 1)))
    assert replaced.before == graded.scores[1:3] and replaced.after == repeated.scores
    process.announce(other)
    assert "no cine" in process.entry().reason
    process.close()

    process = Process(tmp_path / "results", checkpoint_file)
    known = dict(process.until(messages.ArrivalsReady).known)
    assert known[graded.series] == 12
    told = [event for event in process.events if isinstance(event, messages.SeriesDone)]
    assert [event.entry["number"] for event in told] == [5, 6, 7]
    assessment = assessment_at(tmp_path / "results", told[1].line)
    assert assessment.n_slices == 2 and assessment_at(tmp_path / "results", 3) is None
    assert assessment.identity == f"dicom:{repeated.series}"
    process.until(messages.ArrivalsDevice)
    process.announce([*first, *again])  # as after a restart
    (tmp_path / "database" / "late").write_bytes(b"\0" * 128 + b"DICM")
    process.announce([tmp_path / "database" / "late", tmp_path / "gone"])
    assert "cannot be read" in process.until(messages.ArrivalsSaid).sentence or process.until(
        messages.ArrivalsSaid
    )
    time.sleep(1.5)
    process.close()
    assert not [event for event in process.rest() if isinstance(event, messages.SeriesDone)]


def test_a_series_that_lacks_images_waits_for_them(stacks, checkpoint_file, tmp_path):
    first, _again, _other = stacks
    process = Process(tmp_path / "results", checkpoint_file)
    process.until(messages.ArrivalsDevice)
    process.announce(first[:-1])
    incomplete = process.entry()
    assert incomplete.status == "incomplete" and "phases" in incomplete.reason
    process.announce(first[-1:])
    assert process.entry().status == "graded"
    process.close()


def test_a_second_process_is_refused(checkpoint_file, tmp_path):
    first = Process(tmp_path / "results", checkpoint_file)
    first.until(messages.ArrivalsReady)
    second = Process(tmp_path / "results", checkpoint_file)
    assert "another session" in second.until(messages.ArrivalsRefused).sentence
    first.close()
    third = Process(tmp_path / "results", "no-such-checkpoint")
    assert "no-such-checkpoint" in third.until(messages.ArrivalsRefused).sentence
