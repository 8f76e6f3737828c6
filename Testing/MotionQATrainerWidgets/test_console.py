"""Training from Slicer's Python console, which stays free and hears of it."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest
from real_trainings import LATE, SMALL, start, until_over, watched

from host import pythonqt

pythonqt(__name__)


def test_help_is_all_that_one_needs(host, console):
    assert "labels" in inspect.signature(console.train).parameters
    for word in ("run.progress", "run.cancel()", "resume=True", "IQA.csv", "epochs=20"):
        assert word in console.train.__doc__
    assert {"train", "compare", "attach"} <= set(dir(console))
    with pytest.raises(AttributeError):
        _ = console.no_such_thing


def test_the_console_is_free_and_hears_it(host, console, rated_set, tmp_path):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        started = time.monotonic()
        run = start(console, rated_set, tmp_path / "small.safetensors")
        assert time.monotonic() - started < 1
        turns, last = [], time.monotonic()
        while watched().of_folder(run.folder).running:
            host.process_events()
            now = time.monotonic()
            turns.append(now - last)
            last = now
            assert last - started < LATE
        host.process_events(0.1)
    assert sorted(turns)[len(turns) // 2] < 0.1 and max(turns) < 2  # Slicer answered all the while
    lines = [line for line in said.getvalue().splitlines() if line.startswith("[small]")]
    assert any("Slices for training" in line for line in lines)
    assert sum("epoch" in line and "train_loss" in line for line in lines) == 2
    assert lines[-1].endswith("Finished.")
    assert run.checkpoint == (tmp_path / "small.safetensors").resolve()
    assert set(run.metrics) >= {"train_loss", "valid_accuracy", "valid_kappa"}
    table = console.compare([run])
    assert [row.model for row in table.rows] == ["small"] and "Valid_acc" in repr(table)
    assert (Path(os.environ["MOTIONQA_CHECKPOINTS"]) / "small.safetensors").is_file()


def test_waiting_keeps_the_window_answering(host, console, rated_set, tmp_path):
    import qt

    ticks, timer = [], qt.QTimer()
    timer.interval = 20
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))
    run = start(console, rated_set, tmp_path / "awaited.safetensors", epochs=1)
    timer.start()
    assert run.wait(timeout=LATE) == (tmp_path / "awaited.safetensors").resolve()
    timer.stop()
    gaps = sorted(b - a for a, b in pairwise(ticks))  # the longest tells of a busy machine
    assert len(gaps) > 20 and gaps[len(gaps) // 2] < 0.1


def test_bad_input_is_a_sentence_in_the_console(host, console, rated_set, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\nP001-1-ED,6\n")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        run = console.train(rated_set, labels, output=tmp_path / "bad.safetensors", **SMALL)
        until_over(host, run)
    assert "1, 2, 3, 4 or 5" in run.error and run.error in said.getvalue()
    assert run.checkpoint is None


def test_missing_packages_are_asked_for_once_and_declining_is_said(host, console, rated_set):
    host.pip.missing = {"timm", "scikit-learn"}
    host.dialogs.answers = [False]
    with pytest.raises(RuntimeError, match="as you chose: timm, scikit-learn"):
        console.train(rated_set, rated_set / "IQA.csv", **SMALL)
    (question,) = host.dialogs.shown
    assert "timm" in question.text and "scikit-learn" in question.text
    assert host.pip.installed == [] and watched().known == []
