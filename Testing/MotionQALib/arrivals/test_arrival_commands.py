"""``motionqa watch`` and ``motionqa listen``, as programs that are started, killed and fed."""

from __future__ import annotations

import csv
import json
import shutil
import time

import pytest

pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE, evt

from cine_objects import identifying_words, save, series
from kills import Program, kill_at_random
from MotionQALib.dimse.sender import keep_answers
from processes import LATE

QUICK = ("--quiet", "0.3", "--patience", "1", "--device", "cpu", "--precision", "fp32")


@pytest.fixture
def start(tmp_path):
    started = []

    def make(*arguments, **_):
        started.append(Program(*arguments, *QUICK, folder=tmp_path))
        return started[-1]

    yield make
    for program in started:
        if program.process.poll() is None:
            program.kill()


def listen(start, *more):
    return start("listen", "--port", 0, "--output", "out", "--free-space", 0, *more)


def push(port, images):
    """Send; the number that was acknowledged, whatever happens on the way."""
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title="MOTIONQA")
    keep_answers(association)
    done = 0
    if not association.is_established:
        return 0
    try:
        for data in images:
            if association.send_c_store(data).get("Status") != 0:
                break
            done += 1
        association.release()
    except (RuntimeError, ValueError, OSError):
        pass
    return done


def entries(folder):
    lines = (folder / "out" / "results.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["entry"] for line in lines if '"entry"' in line]


def table(folder):
    with (folder / "out" / "grades.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_folder_is_graded_once_with_all_that_belongs_to_it(start, tmp_path):
    save(series(slices=3, phases=2), tmp_path / "in" / "a")
    save(series(slices=3, phases=2, seed=1, description="t2w 4ch"), tmp_path / "in" / "b")
    save(series(slices=3, phases=3, seed=2)[:-1], tmp_path / "in" / "c" / "half")
    program = start("watch", "in", "--output", "out", "--once")
    assert program.process.wait(timeout=LATE) == 0, program.said
    found = {entry["status"]: entry for entry in entries(tmp_path)}
    assert sorted(found) == ["graded", "incomplete", "skipped"]
    assert found["incomplete"]["reason"] == "Slice 2 has 2 of 3 phases."
    assert len(found["graded"]["scores"]) == 3
    rows = table(tmp_path)
    assert len(rows) == 3 * 2 + 1
    assert {row["volume"] for row in rows} == {f"series-5-{found['graded']['content'][:8]}"}
    report = dcmread(tmp_path / "out" / "reports" / found["graded"]["report"])
    assert report.Modality == "SR"
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert 'http-equiv="refresh"' in page and page.count("<figure") == 3
    ledger = tmp_path / "out" / "results.jsonl"  # as if it had been killed before the report
    lines = ledger.read_text("utf-8").splitlines(keepends=True)
    ledger.write_text("".join(line for line in lines if '"reported"' not in line), "utf-8")
    (tmp_path / "out" / "reports" / found["graded"]["report"]).unlink()
    again = start("watch", "in", "--output", "out", "--once")
    assert again.process.wait(timeout=LATE) == 0
    written = dcmread(tmp_path / "out" / "reports" / found["graded"]["report"])
    assert written.ContentSequence == report.ContentSequence
    assert [entry["status"] for entry in entries(tmp_path)].count("graded") == 1
    assert len(table(tmp_path)) == 7


def test_nothing_tells_whose_images_they_are(start, tmp_path):
    name = "sax Quellenhofer PID-4471983"
    folder = tmp_path / "in" / "QUELLENHOFER_AMADEA" / "PID-4471983"
    save(series(slices=2, phases=2, description=name), folder)
    broken = series(slices=2, phases=2, seed=1, description=name)
    for data in broken:
        del data.PixelData
    save(broken, tmp_path / "in" / "Quellenhofer2")
    program = start("watch", "in", "--output", "out", "--once")
    assert program.process.wait(timeout=LATE) == 0, program.said
    assert sorted(entry["status"] for entry in entries(tmp_path)) == ["graded", "refused"]
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert len(written) >= 6
    for path in written:
        if path.parent.name != "reports":
            found = path.read_text("utf-8", errors="replace").casefold() + path.name.casefold()
            assert not [word for word in identifying_words() if word in found], path
            assert str(tmp_path).casefold() not in found, path
    assert not [word for word in identifying_words() if word in program.said.casefold()]
    assert str(tmp_path) not in program.said
    shutil.rmtree(tmp_path / "out")
    shown = start("watch", "in", "--output", "out", "--once", "--identify", "--no-sr")
    assert shown.process.wait(timeout=LATE) == 0
    assert "PID-4471983" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_what_was_acquired_again_is_said(start, tmp_path):
    save(series(slices=4, phases=2, study="1.2.3"), tmp_path / "in" / "a")
    program = start("watch", "in", "--output", "out")
    program.wait_for("Series 5 .* motion, score")
    again = series(slices=2, phases=2, study="1.2.3", first=2, seed=3, series_number=9)
    save(again, tmp_path / "in" / "b")
    program.wait_for(r"Series 9 .* Acquired again \(of series 5\): slices? \d")
    assert program.end() == 0
    (repeated,) = entries(tmp_path)[1]["repeated"]
    assert repeated["slices"] == [[2, 0], [3, 1]]
    assert "Acquired again of series 5" in (tmp_path / "out" / "index.html").read_text("utf-8")


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_a_received_series_is_graded_and_its_report_returned(start, tmp_path):
    got = []

    def take(event):
        got.append(event.dataset)
        return 0

    archive = AE(ae_title="PACS")
    archive.add_supported_context("1.2.840.10008.5.1.4.1.1.88.33")
    server = archive.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, take)]
    )
    try:
        peer = f"PACS@127.0.0.1:{server.server_address[1]}"
        program = listen(start, "--send", peer)
        images = series(slices=2, phases=2)
        assert push(program.port(), images) == 4
        program.wait_for("motion, score")
        end = time.monotonic() + 60
        while not (tmp_path / "out" / "results.jsonl").read_text().count('"sent"'):
            assert time.monotonic() < end, program.said
            time.sleep(0.05)
    finally:
        server.shutdown()
    assert [data.StudyInstanceUID for data in got] == [images[0].StudyInstanceUID]
    broken = series(slices=2, phases=2, seed=1, description="sax Quellenhofer", size=8)
    for data in broken:  # it is stored, and cannot be graded
        data.PixelSpacing = None
        data.ImageType = ["ORIGINAL", "PRIMARY", "QUELLENHOFER"]
    push(program.port(), broken)
    broken[0].SOPClassUID = broken[0].SOPInstanceUID = "Quellenhofer^Amadea"
    push(program.port(), broken[:1])
    stranger = AE(ae_title="STRANGER")
    stranger.add_requested_context(MRImageStorage)
    assert not stranger.associate("127.0.0.1", program.port(), ae_title="PACS").is_established
    program.wait_for("turned away")
    end = time.monotonic() + 60
    while len(entries(tmp_path)) < 2:
        assert time.monotonic() < end, program.said
        time.sleep(0.05)
    assert program.end() == 0
    tells_nobody(program.said, "the log")
    parts = ("incoming", "reports")  # the images themselves, and what belongs to their record
    for path in (tmp_path / "out").rglob("*"):
        if (
            path.is_file()
            and path.parent.parent.name not in parts
            and path.parent.name not in parts
        ):
            tells_nobody(path.read_text("utf-8", errors="replace"), path)
        tells_nobody(path.name, path)


def tells_nobody(text, where):
    assert not [word for word in identifying_words() if word in text.casefold()], where


def test_a_second_one_is_refused(start, tmp_path):
    first = listen(start)
    first.port()
    second = listen(start)
    assert second.process.wait(timeout=LATE) == 1
    assert "are open in another session" in second.said


def test_others_may_not_send_unless_they_are_named(start, tmp_path):
    program = listen(start, "--host", "0.0.0.0")
    assert program.process.wait(timeout=LATE) == 2
    assert "--calling" in program.said


@pytest.mark.parametrize("kills", [4])
def test_killed_at_any_moment_it_loses_nothing_and_grades_once(start, tmp_path, kills):
    """What was acknowledged is graded, each series once, however often it is killed."""
    kill_at_random(start, tmp_path, kills=kills, seed=3)
