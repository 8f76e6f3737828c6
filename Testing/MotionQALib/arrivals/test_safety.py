"""What ends the program, what is refused and what never comes must not keep others from a grade."""

from __future__ import annotations

import time

import pytest

from cine_objects import save, series
from MotionQALib.arrivals import arrival_service as service_module
from MotionQALib.arrivals.arrival_results import ArrivalResults, Graded
from MotionQALib.arrivals.arrival_service import ArrivalService
from MotionQALib.arrivals.arrivals import Arrivals
from MotionQALib.arrivals.attempts import TOO_OFTEN
from MotionQALib.arrivals.folder_watch import FolderWatch
from MotionQALib.arrivals.image_facts import ImageFacts
from processes import SOON


class Ended(BaseException):
    """Stands for the end of the program: nothing catches it."""


class Program:
    """A service over `out`, started as often as is wished."""

    def __init__(self, folder, grade, **options) -> None:
        self.said: list[str] = []
        self.results = ArrivalResults(folder / "out")
        self.service = ArrivalService(
            Arrivals(0.03, 0.1), self.results, grade, say=self.said.append, **options
        )

    def until(self, condition) -> None:
        end = time.monotonic() + SOON
        while not condition():
            assert time.monotonic() < end, self.said
            self.service.step()
            self.service.wait(0.01)

    def close(self) -> None:
        self.results.close()


def facts(number, **more):
    options = {"slices": 2, "phases": 2, "size": 16, "seed": number, "series_number": number}
    return [ImageFacts.of(data) for data in series(**{**options, **more})]


def test_a_series_that_ends_the_program_comes_last_and_is_given_up(tmp_path, assessment_of):
    begun, kept, file = [], [], tmp_path / "out" / "begun.json"

    def grade(one):
        begun.append(one.first.number)
        if one.first.number == 1:
            kept.append(file.read_bytes())
            raise Ended
        return Graded(assessment_of(2, 2))

    for start in range(TOO_OFTEN + 1):
        program = Program(tmp_path, grade)
        for number in range(1, 3 + min(start, 3)):
            for image in facts(number):
                program.service.take(image)
        try:
            program.until(lambda said=program.said: any("cannot be gr" in line for line in said))
        except Ended:
            file.write_bytes(kept[-1])  # a true end leaves it as it is
        program.close()
    assert begun.count(1) == TOO_OFTEN
    # Once it has ended the program twice, the others come before it.
    assert begun[:2] == [1, 1] and begun[2:6] == [2, 3, 4, 1]
    assert begun[6] == 5 and set(begun[7:]) == {1}
    (last,) = [e for e in program.results.ledger.entries if e.number == 1]
    assert last.status == "refused" and "ended 10 times" in last.reason


def test_a_refused_series_is_tried_again_when_a_file_has_changed_and_at_the_next_start(
    tmp_path, assessment_of
):
    paths = save(series(slices=2, phases=2, size=24, series_number=3), tmp_path / "in")
    whole = paths[0].read_bytes()
    paths[0].write_bytes(whole[:-400])  # its writer is slow: the header is there
    tried = []

    def grade(one):
        tried.append(1)
        if len(paths[0].read_bytes()) < len(whole):
            raise ValueError("An image is cut short.")
        return Graded(assessment_of(2, 2))

    for start in range(2):
        program = Program(tmp_path, grade)
        watch = FolderWatch(tmp_path / "in", program.said.append)
        watch.look()
        for image in watch.look():
            program.service.take(image)
        program.until(lambda start=start: len(tried) > start)
        if start == 0:
            program.close()
    assert [entry.status for entry in program.results.ledger.entries] == ["refused"]
    assert sum("cannot be graded" in line for line in program.said) == 0  # said before
    paths[0].write_bytes(whole)
    assert watch.look() == []
    for image in watch.look():
        program.service.take(image)
    program.until(lambda: program.results.ledger.entries[-1].status == "graded")
    for image in watch.look():
        program.service.take(image)
    paths[0].touch()  # a graded series stays as it is
    watch.look()
    for image in watch.look():
        program.service.take(image)
    end = time.monotonic() + 0.3
    program.until(lambda: time.monotonic() > end)
    assert len(tried) == 3
    program.close()


def test_what_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(service_module, "LARGEST", 2000)
    program = Program(tmp_path, lambda one: pytest.fail("it was read"))
    for image in facts(4):
        program.service.take(image)
    program.until(lambda: program.results.ledger.entries)
    assert "more than is graded" in program.results.ledger.entries[0].reason
    program.close()


def test_a_series_that_is_never_completed_is_let_go_of_and_a_growing_one_is_not(
    tmp_path, assessment_of
):
    released = []
    program = Program(
        tmp_path, lambda one: Graded(assessment_of(2, 2)), release=released.append, keep=0.5
    )
    half, growing = facts(5)[:-1], facts(6, slices=3)
    for image in [*half, *growing[:4]]:
        program.service.take(image)
    program.until(lambda: len(program.results.ledger.entries) == 2)
    for _ in range(12):  # an image of the graded one comes again and again; then a new one
        program.service.take(growing[0])
        program.service.step()
        time.sleep(0.03)
    program.service.take(growing[4])
    program.until(lambda: half[0].series in released)
    program.until(lambda: growing[0].series in released)
    assert sorted(map(str, released)) == sorted({half[0].series, growing[0].series})
    assert program.results.ledger.latest(growing[0].series).status == "incomplete"
    program.close()
