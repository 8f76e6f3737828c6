"""The error stream of a process goes into Slicer's log: it must not tell whose images it read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import config

from cine_objects import IDENTIFIERS, identifying_words, save, series
from MotionQALib import protocol
from MotionQALib.arrivals.arrival_messages import ImagesArrived, SeriesDone, StartArrivals
from MotionQALib.volume_process import FindStack, ReadVolume

LIBRARY = Path(__file__).resolve().parents[2] / "MotionQA"

START = """
import sys
sys.path[0] = sys.argv[1]
from types import SimpleNamespace
from MotionQALib import volume_process
from MotionQALib.arrivals import announced_series

def assess(volume):
    raise ValueError("A stand-in grades nothing.")

stand_in = SimpleNamespace(device_reason="A stand-in.", assess=assess)
announced_series.assessor_of = lambda start: stand_in
{"volume_process": volume_process, "announced_series": announced_series}[sys.argv[2]].main()
"""

QUOTING = """
import sys, warnings
from pydicom import dcmread
warnings.simplefilter("always")
print(dcmread(sys.argv[1]).StudyInstanceUID)
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A cine whose elements hold what they may not, names among it, which parsers quote."""
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.IGNORE)
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.IGNORE)
    images = series(slices=2, phases=2)
    for data in images:
        data.FrameOfReferenceUID = data.StudyInstanceUID = IDENTIFIERS["PatientID"]
        data.PatientBirthDate = data.SeriesTime = data.AcquisitionTime = IDENTIFIERS["PatientName"]
    return save(images, tmp_path / "in")


def told(program: str, until: type, *requests: protocol.Message) -> str:
    """The error stream of a process that has answered the requests."""
    command = [sys.executable, "-c", START, str(LIBRARY), program]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes) as process:
        for request in requests:
            process.stdin.write(request.encode())
        process.stdin.flush()
        for line in process.stdout:
            if isinstance(protocol.decode(line), until):
                break
        else:
            raise AssertionError(process.stderr.read())
        process.stdin.close()
        return process.stderr.read().decode("utf-8", "replace").casefold()


def test_no_process_repeats_what_a_header_says(files, tmp_path):
    paths = [str(path) for path in files]
    read = ReadVolume(paths=paths, output=str(tmp_path / "x.npy"))
    start = StartArrivals(output=str(tmp_path / "out"), checkpoint="", quiet=0.1, patience=0.1)
    logs = {
        "read": told("volume_process", protocol.Message, read),
        "found": told("volume_process", protocol.Message, FindStack(file=paths[0], paths=paths)),
        "arrived": told("announced_series", SeriesDone, start, ImagesArrived(paths=paths)),
    }
    for name, log in logs.items():
        assert not [word for word in identifying_words() if word in log], (name, log)


def test_parsers_do_repeat_it(files):
    done = subprocess.run(
        [sys.executable, "-c", QUOTING, str(files[0])], capture_output=True, text=True, timeout=60
    )
    assert any(word in done.stderr.casefold() for word in identifying_words()), done.stderr
