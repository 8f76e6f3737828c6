"""A share that hangs is said, on the page too; all that answers is graded, and the rest later."""

from __future__ import annotations

import os
import threading
import time

import pytest

from cine_objects import save, series
from MotionQALib.arrivals import announced_series, arrival_messages, folder_watch, series_grader
from MotionQALib.arrivals.arrival_results import ArrivalResults
from MotionQALib.arrivals.arrival_service import ArrivalService
from MotionQALib.arrivals.arrivals import Arrivals
from MotionQALib.arrivals.folder_watch import FolderWatch
from MotionQALib.arrivals.image_facts import ImageFacts
from MotionQALib.arrivals.looking import Looking
from MotionQALib.arrivals.series_grader import SeriesGrader
from MotionQALib.arrivals.slow_calls import MOST, SlowCalls, StillWaiting
from processes import SOON

from .test_announced_series import Process


@pytest.fixture
def share():
    """Set once the share answers; whatever waits for it ends with the test."""
    answers = threading.Event()
    yield answers
    answers.set()


@pytest.fixture
def watching(tmp_path, monkeypatch, assessment_of, share):
    """Start watching the folder `in`; gives what was said, and a wait that keeps it going."""
    monkeypatch.setattr(folder_watch, "PATIENCE", 0.1)
    monkeypatch.setattr(series_grader, "READING", 0.1)
    said, looking = [], []
    results = ArrivalResults(tmp_path / "out")
    (tmp_path / "in").mkdir()

    class Assessor:
        def assess(self, volume):
            return assessment_of(2, 2)

    def start():
        watch = FolderWatch(tmp_path / "in", said.append)
        service = ArrivalService(
            Arrivals(0.05, 60), results, SeriesGrader(Assessor()), say=said.append,
            recall=watch.beside,
        )  # fmt: skip
        looking.append(Looking(watch, service.take, 0.02))

        def until(condition) -> None:
            end = time.monotonic() + SOON
            while not condition():
                assert time.monotonic() < end, said
                service.step()
                service.trouble("folder", looking[-1].trouble, "The watched folder answers again.")
                service.wait(0.01)

        return said, until

    yield start
    share.set()
    for one in looking:
        one.stop()
    results.close()


def arrive(folder, number):
    images = series(slices=2, phases=2, size=24, seed=number, series_number=number)
    return save(images, folder)


def page(tmp_path):
    return (tmp_path / "out" / "index.html").read_text("utf-8")


def test_a_file_that_does_not_open_holds_up_its_series_alone(
    tmp_path, watching, share, monkeypatch
):
    stuck = arrive(tmp_path / "in" / "a", 7)[1]
    arrive(tmp_path / "in" / "b", 8)
    of_file = ImageFacts.of_file

    def open_(path, identify=False):
        if path == stuck:
            share.wait(SOON)
        return of_file(path, identify)

    monkeypatch.setattr(ImageFacts, "of_file", staticmethod(open_))
    said, until = watching()
    until(lambda: any("Series 8" in sentence for sentence in said))
    until(lambda: 'role="alert"' in page(tmp_path))
    assert sum("A file in the watched folder cannot be read yet" in line for line in said) == 1
    assert not any("Series 7" in sentence and "score" in sentence for sentence in said)
    share.set()
    until(lambda: any("Series 7" in sentence and "score" in sentence for sentence in said))
    until(lambda: "The watched folder answers again." in said)
    assert 'role="alert"' not in page(tmp_path)


@pytest.mark.parametrize("part", ["", "a"])
def test_a_folder_that_does_not_answer_is_said(tmp_path, watching, share, monkeypatch, part):
    arrive(tmp_path / "in" / "a", 7)
    arrive(tmp_path / "in" / "b", 8)
    stuck, scandir = tmp_path / "in" / part, os.scandir

    def scan(path="."):
        if path == stuck:
            share.wait(SOON)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    said, until = watching()
    until(lambda: any("does not answer" in sentence for sentence in said))
    assert "does not answer" in page(tmp_path)
    if part:
        until(lambda: any("Series 8" in sentence for sentence in said))
    assert not any("Series 7" in sentence for sentence in said)
    share.set()
    until(lambda: sum("score" in sentence for sentence in said) == 2)


def test_a_series_whose_pixels_do_not_come_waits_and_others_are_graded(
    tmp_path, watching, share, monkeypatch
):
    stuck = arrive(tmp_path / "in" / "a", 7)[0]
    read = series_grader.read_series

    def reading(one):
        if stuck in one.paths:
            share.wait(SOON)
        return read(one)

    monkeypatch.setattr(series_grader, "read_series", reading)
    said, until = watching()
    until(lambda: any("A series has arrived and cannot be read yet" in line for line in said))
    assert "cannot be read yet" in page(tmp_path)
    arrive(tmp_path / "in" / "b", 8)
    until(lambda: any("Series 8" in sentence for sentence in said))
    share.set()
    until(lambda: any("Series 7" in sentence for sentence in said))
    assert "All that arrived can be read again." in said
    assert 'role="alert"' not in page(tmp_path)


def test_a_folder_that_may_not_be_read_is_said_and_the_others_are_read(
    tmp_path, watching, monkeypatch
):
    arrive(tmp_path / "in" / "a", 7)
    arrive(tmp_path / "in" / "b", 8)
    scandir = os.scandir

    def scan(path="."):
        if path == tmp_path / "in" / "a":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    said, until = watching()
    until(lambda: any("Series 8" in sentence for sentence in said))
    until(lambda: any("1 of the folders" in sentence for sentence in said))


def test_slicers_process_says_what_does_not_answer_and_grades_the_rest(
    tmp_path, share, monkeypatch, assessment_of
):
    class Assessor:
        device_reason = "A stand-in computes."

        def assess(self, volume):
            return assessment_of(2, 2)

    monkeypatch.setattr(announced_series, "PATIENCE", 0.1)
    monkeypatch.setattr(announced_series, "LOOK", 0.1)
    monkeypatch.setattr(announced_series, "assessor_of", lambda start: Assessor())
    stuck, other = arrive(tmp_path / "a", 7), arrive(tmp_path / "b", 8)
    of_file = ImageFacts.of_file

    def open_(path, identify=False):
        if path == stuck[1]:
            share.wait(SOON)
        return of_file(path, identify)

    monkeypatch.setattr(ImageFacts, "of_file", staticmethod(open_))
    process = Process(tmp_path / "results", "stand-in", quiet=0.1)
    process.until(arrival_messages.ArrivalsDevice)
    process.announce([*stuck, *other])
    assert "does not answer" in process.until(arrival_messages.ArrivalsSaid).sentence
    assert process.entry().number == 8
    share.set()
    assert process.until(arrival_messages.ArrivalsSaid).sentence == ""
    assert process.entry().number == 7
    process.close()


def test_many_files_that_hang_hold_up_others_hardly_longer_than_one(share):
    calls = SlowCalls(1.0)
    began = time.monotonic()
    for number in range(MOST - 1):
        with pytest.raises(StillWaiting):
            calls.get(number, lambda: share.wait(SOON))
    assert time.monotonic() - began < MOST - 2  # one second, and a tenth for each other
    assert calls.get("another drive", lambda: 5) == 5
    calls.close()


def test_a_call_is_made_once_and_no_more_than_so_many_wait(share):
    calls, made = SlowCalls(0.01), []

    def slow():
        made.append(1)
        share.wait(SOON)
        return "answer"

    for _ in range(3):
        with pytest.raises(StillWaiting):
            calls.get("key", slow)
    assert made == [1] and calls.unanswered == 1
    assert calls.get("other", lambda: 5) == 5  # by another thread
    with pytest.raises(StillWaiting):
        calls.get("key", slow, version=2)
    for number in range(MOST):
        with pytest.raises(StillWaiting):
            calls.get(number, slow)
    assert calls.unanswered == MOST
    with pytest.raises(StillWaiting):  # nothing more is begun
        calls.get("more", lambda: made.append("more"))
    share.set()
    end = time.monotonic() + SOON
    while calls.unanswered:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert calls.get("key", slow, version=2) == "answer" and "more" not in made
    with pytest.raises(ZeroDivisionError):
        calls.get("wrong", lambda: 1 / 0)
    calls.close()
