"""DICOM reports take longest and come last; none is forgotten, and none is written twice."""

from __future__ import annotations

import shutil
import time

import pytest

from cine_objects import save, series
from MotionQALib.arrivals import owed_reports
from MotionQALib.arrivals.arrival_results import ArrivalResults, Graded
from MotionQALib.arrivals.arrival_service import ArrivalService
from MotionQALib.arrivals.arrivals import Arrivals
from MotionQALib.arrivals.image_facts import ImageFacts

SERIES = {"slices": 2, "phases": 2, "size": 24}


class Scanner:
    """A service that is ended and started again, and what it has done."""

    def __init__(self, folder, assessment_of) -> None:
        self.folder, self._assessment_of = folder, assessment_of
        self.said, self.written, self.offered, self._sent = [], [], [], []
        self.write = lambda path: path.write_bytes(b"report")
        self.grading = lambda: None
        self.start()

    def start(self) -> None:
        self.results = ArrivalResults(self.folder)
        self.service = ArrivalService(
            Arrivals(0.05, 60),
            self.results,
            self._grade,
            say=self.said.append,
            outbox=self,
            recipient="PACS",
            report_again=lambda series, assessment: self._write,
        )

    def end(self) -> None:
        """As SIGKILL does, but for the lock."""
        self.results.close()

    def _grade(self, series) -> Graded:
        self.grading()
        self.assessment = self._assessment_of(2, 2)
        return Graded(self.assessment, write_report=self._write)

    def _write(self, path) -> None:
        self.written.append(path.name)
        self.write(path)

    def offer(self, key, file) -> None:
        assert file.is_file()
        self.offered.append(key)
        self._sent.append(key)

    def taken(self) -> list[str]:
        taken, self._sent = self._sent, []
        return taken

    def take(self, seed=0) -> None:
        for data in series(**SERIES, seed=seed, series_number=5 + seed):
            path = save([data], self.folder.parent / "in")[0]
            self.service.take(ImageFacts.of_file(path))

    def until(self, done) -> None:
        end = time.monotonic() + 20
        while not done():
            assert time.monotonic() < end, self.said
            self.service.step()
            self.service.wait(0.01)


@pytest.fixture
def scanner(tmp_path, assessment_of):
    scanner = Scanner(tmp_path / "out", assessment_of)
    yield scanner
    scanner.end()


def test_grade_page_and_sentence_are_there_before_the_report(scanner):
    seen = []

    def write(path):
        page = (scanner.folder / "index.html").read_text("utf-8")
        table = (scanner.folder / "grades.csv").read_text("utf-8")
        lines = (scanner.folder / "results.jsonl").read_text("utf-8")
        seen.append(("of 5" in page, "series-5-" in table, '"graded"' in lines, *scanner.said))
        path.write_bytes(b"report")

    scanner.write = write
    scanner.take()
    scanner.until(lambda: scanner.offered)
    ((page, table, ledger, sentence),) = seen
    assert page and table and ledger and "motion, score" in sentence


def test_a_series_that_is_due_soon_comes_before_a_report(scanner):
    order = []
    scanner.grading = lambda: order.append("grade")
    scanner.write = lambda path: (order.append("report"), path.write_bytes(b"report"))
    scanner.take()
    scanner.take(seed=1)
    scanner.until(lambda: len(scanner.offered) == 2)
    assert order == ["grade", "grade", "report", "report"]


def killed(path):
    raise KeyboardInterrupt


def test_a_report_that_a_kill_came_before_is_written_and_sent_once(scanner):
    scanner.write = killed
    scanner.take()
    with pytest.raises(KeyboardInterrupt):
        scanner.until(lambda: scanner.offered)
    scanner.end()
    assert scanner.offered == [] and len(scanner.said) == 1
    scanner.write = lambda path: path.write_bytes(b"report")
    for _ in range(2):
        scanner.start()
        scanner.take()
        scanner.until(lambda: scanner.offered and scanner.service.idle)
        shutil.rmtree(scanner.folder / "reports")  # whoever takes them away gets them once
        scanner.end()
    assert len(scanner.written) == 2 and len(scanner.offered) == 1  # the kill's own, and one
    assert len(scanner.said) == 1  # graded once


def test_a_report_written_just_before_a_kill_is_not_written_again(scanner):
    def write(path):
        path.write_bytes(b"report")
        raise KeyboardInterrupt

    scanner.write = write
    scanner.take()
    with pytest.raises(KeyboardInterrupt):
        scanner.until(lambda: scanner.offered)
    scanner.end()
    scanner.start()
    scanner.take()
    scanner.until(lambda: scanner.offered)
    assert len(scanner.written) == 1


def test_a_full_disk_delays_a_report_and_loses_none(scanner, monkeypatch):
    monkeypatch.setattr(owed_reports, "RETRY", 0.05)
    tries = []

    def write(path):
        tries.append(path)
        if len(tries) < 3:
            raise OSError(28, "No space left on device", str(path))
        path.write_bytes(b"report")

    scanner.write = write
    scanner.take()
    scanner.until(lambda: scanner.offered)
    assert len(tries) == 3 and len(scanner.said) == 2
    assert "No space left on device" in scanner.said[1]
    assert str(scanner.folder) not in scanner.said[1]


def test_images_without_uids_have_no_report_and_that_is_said_once(scanner):
    def write(path):
        raise ValueError("The images have no UIDs.")

    scanner.write = write
    scanner.take()
    scanner.until(lambda: len(scanner.said) == 2)
    assert "no UIDs" in scanner.said[1]
    scanner.end()
    scanner.start()
    scanner.take()
    scanner.until(lambda: scanner.service.idle)
    assert len(scanner.written) == 1 and scanner.offered == []
