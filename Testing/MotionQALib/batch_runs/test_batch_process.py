"""The process that grades a batch, as a child of the test's: what it says, keeps and survives."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cine_objects import identifying_words, save, series
from MotionQALib import protocol
from MotionQALib.batch_runs import batch_messages
from MotionQALib.batch_runs.batch_folder import read_line
from MotionQALib.batch_runs.batch_process import BatchProcess

LIBRARY = Path(__file__).resolve().parents[3] / "MotionQA"
START = (
    "import sys; sys.path[0] = sys.argv[1]; from MotionQALib.batch_runs import batch_process; "
    "batch_process.main()"
)


class Batch:
    """A batch, in this process or in one of its own, and what it has said."""

    def __init__(self, sources, output, checkpoint, *, own_process: bool = False) -> None:
        if own_process:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(LIBRARY)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            self.requests, self._events = self.process.stdin, self.process.stdout
        else:
            (request, requests), (event, events) = os.pipe(), os.pipe()
            self.requests, self._events = os.fdopen(requests, "wb", 0), os.fdopen(event, "rb")
            served = os.fdopen(request, "rb"), os.fdopen(events, "wb")
            self.thread = threading.Thread(target=self._run, args=served, daemon=True)
            self.thread.start()
        self.events: list[protocol.Message] = []
        self.send(
            batch_messages.StartBatch(
                sources=[str(source) for source in sources],
                output=str(output),
                checkpoint=str(checkpoint),
                device="cpu",
            )
        )

    def _run(self, requests, events) -> None:
        with events:
            self.status = BatchProcess(requests, events).run()

    def send(self, message: protocol.Message) -> None:
        self.requests.write(message.encode())
        self.requests.flush()

    def next(self):
        line = self._events.readline()
        if not line:
            return None
        self.events.append(protocol.decode(line))
        return self.events[-1]

    def until(self, kind):
        while (event := self.next()) is not None:
            if isinstance(event, kind):
                return event
        raise AssertionError(f"No {kind.__name__}: {self.events}")

    def end(self):
        while self.next() is not None:
            pass
        return self

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def study(phantom_file, tmp_path):
    """Three volumes in folders of their own, and a file that is none."""
    for name in ("a", "b", "c"):
        (tmp_path / "study" / name).mkdir(parents=True)
        shutil.copy(phantom_file, tmp_path / "study" / name / "ED.nii.gz")
    (tmp_path / "study" / "broken.nii.gz").write_bytes(b"no image")
    return tmp_path / "study"


def test_it_is_stopped_killed_and_goes_on_and_grades_nothing_twice(
    study, checkpoint_file, tmp_path
):
    output = tmp_path / "results"
    first = Batch([study], output, checkpoint_file, own_process=True)
    graded = first.until(batch_messages.VolumeGraded)
    first.process.send_signal(signal.SIGKILL)
    first.end()
    with (output / "grades.jsonl").open("ab") as file:
        file.write(b'{"key": "to')  # as a kill in the middle of a line leaves it

    second = Batch([study], output, checkpoint_file).end()
    known = [event.path for event in second.of(batch_messages.VolumeGraded) if event.known]
    assert graded.path in known and second.of(batch_messages.VolumesFound)[0].total == 4
    all_graded = second.of(batch_messages.VolumeGraded)
    assert sorted(Path(event.path).parent.name for event in all_graded) == [*"abc"]
    (failed,) = second.of(batch_messages.VolumeFailed)
    assert "broken.nii.gz" in failed.sentence
    (ended,) = second.of(batch_messages.BatchEnded)
    assert (ended.left, ended.sentence) == (0, "")
    event = second.of(batch_messages.VolumeGraded)[-1]
    assessment = read_line(output, event.line)
    assert (assessment.volume, assessment.volume_score) == (event.name, event.score)
    assert event.name == "c/ED" and Path(event.picture).read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader((output / "grades.csv").open()))
    assert {row["volume"] for row in rows} == {"a/ED", "b/ED", "c/ED"}
    assert "broken" in (output / "not-graded.csv").read_text()

    third = Batch([study], output, checkpoint_file).end()
    assert all(event.known for event in third.of(batch_messages.VolumeGraded))
    assert len(third.of(batch_messages.VolumeGraded)) == 3


def test_nothing_that_is_written_tells_where_the_files_were(study, checkpoint_file, tmp_path):
    Batch([study / "a"], tmp_path / "results", checkpoint_file).end()
    files = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert not any(str(study).encode() in path.read_bytes() for path in files)


def test_nothing_that_is_written_tells_whose_dicom_it_is(checkpoint_file, tmp_path):
    """Folders are named after patients; what an earlier run named keeps its name for itself."""
    folder, results = tmp_path / "study", tmp_path / "results"
    save(series(slices=1, phases=1), folder / "Quellenhofer Amadea" / "PID-4471983")
    Batch([folder], results, checkpoint_file).end()
    save(series(slices=1, phases=1, seed=1), folder / "QUELLENHOFER_AMADEA")
    broken = series(slices=1, phases=1, seed=2)
    del broken[0].PixelData
    save(broken, folder / "Quellenhofer3")
    batch = Batch([folder], results, checkpoint_file).end()
    assert len(batch.of(batch_messages.VolumeGraded)) == 2
    assert len(batch.of(batch_messages.VolumeFailed)) == 1
    for path in [path for path in results.rglob("*") if path.is_file()]:
        text = f"{path.name} {path.read_text('utf-8', 'replace')}".casefold()
        assert not [word for word in identifying_words() if word in text], path
    names = [row["volume"] for row in csv.DictReader((results / "grades.csv").open())]
    assert len(set(names)) == 2, names


def test_a_second_process_is_refused_in_a_sentence(study, checkpoint_file, tmp_path):
    first = Batch([study], tmp_path / "results", checkpoint_file)
    first.until(batch_messages.VolumesFound)
    second = Batch([study], tmp_path / "results", checkpoint_file).end()
    (refused,) = second.events
    assert isinstance(refused, batch_messages.BatchRefused)
    assert str(tmp_path / "results") in refused.sentence and "another session" in refused.sentence
    first.requests.close()  # whoever started it is gone
    left = first.end().of(batch_messages.BatchEnded)[0].left
    assert left > 0 and not left + len(first.of(batch_messages.VolumeGraded)) < 3


def test_told_to_stop_it_keeps_what_is_graded(study, checkpoint_file, tmp_path):
    batch = Batch([study], tmp_path / "results", checkpoint_file)
    batch.until(batch_messages.VolumesFound)
    batch.send(batch_messages.StopBatch())
    (ended,) = batch.end().of(batch_messages.BatchEnded)
    assert ended.left > 0 and ended.sentence == ""
    assert (tmp_path / "results" / "grades.csv").is_file()


@pytest.mark.parametrize(
    ("source", "output", "checkpoint", "word"),
    [
        ("nowhere", "results", None, "nowhere"),
        ("study", "file/results", None, "choose another folder"),
        ("study", "results", "no-such-one", "no-such-one"),
    ],
)
def test_what_is_wrong_is_said(study, checkpoint_file, tmp_path, source, output, checkpoint, word):
    (tmp_path / "file").write_text("")
    batch = Batch([tmp_path / source], tmp_path / output, checkpoint or checkpoint_file).end()
    said = [getattr(event, "sentence", "") for event in batch.events]
    assert any(word in sentence for sentence in said), batch.events


def test_a_results_folder_that_goes_is_said(study, checkpoint_file, tmp_path):
    output = tmp_path / "results"
    batch = Batch([study], output, checkpoint_file)
    batch.until(batch_messages.VolumesFound)
    shutil.rmtree(output)
    (ended,) = batch.end().of(batch_messages.BatchEnded)
    assert "is not there any more" in ended.sentence and ended.left > 0
