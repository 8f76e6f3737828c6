"""A share that hangs while it is read: nothing that was graded is lost, and the loss is named."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from MotionQALib import batch, cli, pending_read
from MotionQALib.pending_read import PendingRead
from processes import LATE

LIBRARY = Path(cli.__file__).resolve().parents[1]
TESTING = Path(__file__).resolve().parents[1]

HANGING = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's & has it ignored
sys.path[:0] = {paths!r}
from MotionQALib import batch, pending_read
pending_read.PATIENCE = {patience}
whole = batch.read
def read(path, batch_options):
    if "hangs" in path.name:
        threading.Event().wait()
    return whole(path, batch_options)
batch.read = read
import quick_motionqa
sys.argv[1:] = {arguments!r}
sys.exit(quick_motionqa.main())
"""


@pytest.fixture
def study(phantom_file, tmp_path):
    (tmp_path / "study").mkdir()
    for name in ("a", "b-hangs", "c"):
        shutil.copy(phantom_file, tmp_path / "study" / f"{name}.nii.gz")
    return tmp_path


def begin(folder, patience):
    text = HANGING.format(
        paths=[str(LIBRARY), str(TESTING)],
        patience=patience,
        arguments=["assess", "study", "--csv", "o.csv"],
    )
    return subprocess.Popen(
        [sys.executable, "-c", text],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def graded(folder):
    with (folder / "o.csv").open(newline="", encoding="utf-8") as file:
        return {row["volume"] for row in csv.DictReader(file)}


def test_a_file_that_is_never_read_is_named_and_the_others_are_graded(study):
    process = begin(study, patience=4)
    _, err = process.communicate(timeout=LATE)
    assert process.returncode == 1
    assert "b-hangs.nii.gz was not read within 4 s" in err
    assert graded(study) == {"a", "c"}


def test_stopped_while_it_hangs_it_writes_what_is_graded(study):
    process = begin(study, patience=600)
    journal = batch.ResumeFile.beside(study / "o.csv")
    end = time.monotonic() + LATE
    while not (journal.exists() and journal.read_bytes().endswith(b"\n")):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    time.sleep(1.0)  # the line is there before the disk has said so, and before it counts
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LATE)
    assert process.returncode == 130 and "1 of 3 files were done" in err
    assert graded(study) == {"a"}


def test_what_is_read_is_given_once_and_errors_are_raised(tmp_path):
    pending = PendingRead(lambda path: path.name, tmp_path / "a")
    assert pending.result() == "a"
    with pytest.raises(OSError, match="gone"):
        PendingRead(_gone, tmp_path).result()


def test_whoever_stops_waits_no_longer(tmp_path, monkeypatch):
    monkeypatch.setattr(pending_read, "LOOK", 0.01)
    stop = threading.Event()
    try:
        assert PendingRead(lambda path: stop.wait(), tmp_path).result(lambda: True) is None
    finally:
        stop.set()


def _gone(path):
    raise OSError("gone")
