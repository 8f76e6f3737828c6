"""``motionqa assess`` on whole studies: one writer, kills, faults, privacy, DICOM reports."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cine_objects import identifying_words, save, series
from MotionQALib import cli
from MotionQALib.batch import GradedFile, ResumeFile
from MotionQALib.output_lock import OutputInUse, OutputLock
from MotionQALib.private_names import PrivateNames
from MotionQALib.slice_pictures import SlicePicture
from MotionQALib.spooled_results import SpooledAssessments, SpooledPictures
from processes import LATE

LIBRARY = Path(cli.__file__).resolve().parents[1]
PROGRAM = Path(__file__).resolve().parents[1] / "quick_motionqa.py"


def begin(folder, *arguments, seconds=0.0):
    environment = {
        **os.environ,
        "PYTHONPATH": str(LIBRARY),
        "OMP_NUM_THREADS": "1",
        "MOTIONQA_TEST_SECONDS": str(seconds),
    }
    return subprocess.Popen(
        [sys.executable, PROGRAM, "assess", *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder, *arguments, **options):
    process = begin(folder, *arguments, **options)
    out, err = process.communicate(timeout=LATE)
    assert "Traceback" not in out + err
    return process.returncode, out, err


@pytest.fixture
def study(phantom_file, tmp_path):
    for number in range(6):
        folder = tmp_path / "study"
        folder.mkdir(exist_ok=True)
        shutil.copy(phantom_file, folder / f"v{number}.nii.gz")
    return tmp_path


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_batch_that_is_killed_goes_on_and_grades_nothing_twice(study):
    process = begin(study, "study", "--csv", "o.csv", seconds=0.3)
    journal = ResumeFile.beside(study / "o.csv")
    end = time.monotonic() + LATE
    while not journal.exists() or journal.read_bytes().count(b"\n") < 2:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = journal.read_bytes().count(b"\n")
    assert 2 <= done < 6 and not (study / "o.csv").exists()
    before = journal.read_bytes()
    status, _, err = run(study, "study", "--csv", "o.csv", "--resume")
    assert (status, err) == (0, "")
    assert journal.read_bytes().startswith(before)
    assert journal.read_bytes().count(b'"key"') == 6
    assert len({row["volume"] for row in rows(study / "o.csv")}) == 6


def test_one_process_at_a_time_writes_an_output(study):
    first = begin(study, "study", "--csv", "o.csv", seconds=1)
    end = time.monotonic() + LATE
    while not (study / ".o.csv.lock").exists():
        assert time.monotonic() < end and first.poll() is None
        time.sleep(0.02)
    status, _, err = run(study, "study", "--csv", "o.csv", "--resume")
    assert status == 1 and err.startswith("Another motionqa is writing o.csv;")
    first.kill()
    first.communicate()
    assert run(study, "study", "--csv", "o.csv")[0] == 0
    assert not (study / ".o.csv.lock").exists()


def test_a_lock_is_given_back_and_pipes_need_none(tmp_path):
    path = tmp_path / "o.csv"
    with OutputLock([path, "/dev/stdout"]), pytest.raises(OutputInUse):
        OutputLock([tmp_path / "p.csv", path])
    with OutputLock([tmp_path / "p.csv"]), OutputLock([path]):
        pass
    assert list(tmp_path.iterdir()) == []


def test_paths_are_written_only_when_asked(study):
    (study / "study" / "broken.nii.gz").write_bytes(b"x")
    outputs = ("--csv", "o.csv", "--json", "o.json", "--html", "o.html")
    status, out, err = run(study, study / "study", *outputs, "--resume")
    assert status == 1
    written = [path.read_text("utf-8") for path in study.iterdir() if path.is_file()]
    assert len(written) == 4
    assert not [text for text in [*written, out, err] if str(study) in text]
    assert json.loads((study / "o.json").read_text())["failures"][0]["source"] == "broken.nii.gz"
    run(study, study / "study", *outputs, "--identify")
    assert str(study) in (study / "o.json").read_text()


def test_nothing_tells_whose_dicom_it_is(tmp_path):
    save(series(slices=2, phases=2), tmp_path / "study" / "Quellenhofer Amadea" / "PID-4471983")
    save(series(slices=2, phases=2, seed=1), tmp_path / "study" / "QUELLENHOFER_AMADEA")
    broken = series(slices=2, phases=2, seed=2)
    for data in broken:
        del data.PixelData
    save(broken, tmp_path / "study" / "Quellenhofer3")
    outputs = ("--csv", "o.csv", "--json", "o.json", "--html", "o.html", "--resume", "--sr", "sr")
    status, out, err = run(tmp_path, "study", *outputs)
    assert status == 1 and "is cut short" in err
    written = [p for p in tmp_path.rglob("*") if p.is_file() and "study" not in p.parts]
    assert len(written) == 6
    reports = [path for path in written if path.parent.name == "sr"]
    assert len(reports) == 2
    for path in set(written) - set(reports):
        text = path.read_text("utf-8").casefold()
        assert not [word for word in identifying_words() if word in text], path
    assert not [word for word in identifying_words() if word in (out + err).casefold()]
    names = {row["volume"] for row in rows(tmp_path / "o.csv")}
    assert len(names) == 2, names


def test_private_names_stay_apart(tmp_path, assessment_of):
    private = PrivateNames()
    for number in range(2):
        save(series(slices=1, phases=1, seed=number), tmp_path / f"{number}" / "Quellenhofer")
    graded = [
        GradedFile(tmp_path / f"{n}" / "Quellenhofer", assessment_of(5, volume=f"Quellenhofer{n}"))
        for n in range(2)
    ]
    graded = [replace(g, assessment=replace(g.assessment, volume="Quellenhofer")) for g in graded]
    assert [private(g).assessment.volume for g in graded] == ["series", "series (2)"]
    assert PrivateNames(identify=True)(graded[0]) is graded[0]


def test_a_share_that_hangs_is_not_asked_for_names_for_ever(tmp_path, monkeypatch, assessment_of):
    """What was given up is named without its name: nobody can ask whose it is."""
    from threading import Event

    from MotionQALib import private_names

    answers, asked = Event(), []

    def words_of(path):
        asked.append(path)
        answers.wait(60)
        return frozenset({"quellenhofer"})

    monkeypatch.setattr(private_names, "PATIENCE", 0.05)
    monkeypatch.setattr(private_names, "words_of", words_of)
    path, private = tmp_path / "Quellenhofer", PrivateNames()
    failed = private(GradedFile(path, error="Quellenhofer was not read within 600 s."))
    assert failed.error == "A series was not read within 600 s."
    assert private.source(path) == "series" and len(asked) == 1
    done = private(GradedFile(path, assessment_of(5, volume="Quellenhofer")))
    assert done.assessment.volume == "series"
    assert private.source(tmp_path / "p1.nii.gz") == "p1.nii.gz"  # such files tell nothing
    answers.set()


def test_a_dicom_report_of_one_series(tmp_path):
    pytest.importorskip("highdicom")
    from pydicom import dcmread

    images = series(slices=2, phases=2)
    save(images, tmp_path / "series")
    assert run(tmp_path, "series", "--sr", "report.dcm")[0] == 0
    report = dcmread(tmp_path / "report.dcm")
    assert report.Modality == "SR" and report.PatientID == images[0].PatientID
    referenced = str(report)
    assert all(str(image.SOPInstanceUID) in referenced for image in images)


def test_a_file_that_is_no_dicom_gets_no_report(study):
    pytest.importorskip("highdicom")
    status, _, err = run(study, "study/v0.nii.gz", "--sr", "report.dcm", "--csv", "o.csv")
    assert status == 1 and "v0 is no DICOM series" in err
    assert len(rows(study / "o.csv")) == 5 and not (study / "report.dcm").exists()


def test_a_full_disk_is_said_and_what_was_graded_is_kept(study):
    """A small file size limit stands in for the disk: the write fails in the middle."""
    resource = pytest.importorskip("resource")
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))

    done = subprocess.run(
        [sys.executable, "-B", PROGRAM, "assess", "study", "--csv", "o.csv"],
        cwd=study, env=environment, capture_output=True, text=True, preexec_fn=limit, timeout=LATE,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    left = re.search(r"(\d) of 6 files were done; the same command with --resume", done.stderr)
    assert left, done.stderr
    status, _, err = run(study, "study", "--csv", "o.csv", "--resume")
    assert (status, err) == (0, "")
    assert len({row["volume"] for row in rows(study / "o.csv")}) == 6


def test_an_output_folder_that_goes_is_said(study):
    (study / "out").mkdir()
    process = begin(study, "study", "--csv", "out/o.csv", seconds=0.5)
    end = time.monotonic() + LATE
    while not (study / "out" / "o.csv.progress.jsonl").exists():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    shutil.rmtree(study / "out")
    _, err = process.communicate(timeout=LATE)
    assert process.returncode == 1 and "Traceback" not in err
    assert "No such file or directory" in err and "files were done" in err


def test_a_file_among_them_that_never_answers_is_passed_over(study):
    os.mkfifo(study / "study" / "a.nii.gz")
    status, _, err = run(study, "study", study / "study" / "a.nii.gz", "--csv", "o.csv")
    assert status == 1 and "a.nii.gz is no ordinary file" in err
    assert len({row["volume"] for row in rows(study / "o.csv")}) == 6


def test_results_wait_on_disk_as_they_are(assessment, tmp_path):
    held, pictures = SpooledAssessments(tmp_path), SpooledPictures(tmp_path)
    drawn = [(SlicePicture(0, 1, b"abc", b"o"), SlicePicture(1, 2, b"\0" * 9)), ()]
    for number in range(2):
        held.append(replace(assessment, volume=f"v{number}"))
        pictures.append(drawn[number])
    assert [one.volume for one in held] == ["v0", "v1"]
    np.testing.assert_array_equal(held[1].probabilities, assessment.probabilities)
    assert list(pictures) == drawn
    assert len(held) == len(pictures) == 2
    held.close()
    pictures.close()
    assert list(tmp_path.iterdir()) == []
