"""Trainings outlive Slicer: they are found again, whatever became of them meanwhile."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from real_trainings import LATE, restart, start, until_over, until_trains, watched

from host import pythonqt

pythonqt(__name__)


def test_slicer_closes_and_finds_it_again(host, console, rated_set, tmp_path):
    import qt
    import slicer

    run = start(console, rated_set, tmp_path / "long.safetensors", epochs=60)
    until_trains(host, run)
    slicer.app.notify(slicer.util.mainWindow(), qt.QCloseEvent())
    (question,) = host.dialogs.shown
    assert "long" in question.text
    slicer.app.aboutToQuit.emit()
    slicer.util.mainWindow().show()
    restart(host)
    assert run.alive and watched().known == []
    panel = host.enter("MotionQATrainer")
    assert panel.ui.runsComboBox.currentText == "long"
    assert panel.ui.trainButton.text == "Cancel"
    host.wait_until(lambda: "Epoch" in panel.ui.progressLabel.text, seconds=LATE)
    panel.ui.trainButton.click()
    host.wait_until(lambda: not run.alive, seconds=LATE)
    host.wait_until(lambda: panel.ui.resumeButton.enabled, seconds=120)


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
def test_a_killed_training_is_said_and_resumed(host, console, rated_set, tmp_path):
    run = start(console, rated_set, tmp_path / "killed.safetensors", epochs=60, save_minutes=0.0)
    until_trains(host, run)
    host.wait_until(lambda: (run.folder / "state.safetensors").exists(), seconds=LATE)
    os.kill(run.progress.pid, signal.SIGKILL)
    panel = host.enter("MotionQATrainer")
    host.wait_until(lambda: panel.ui.trainButton.text == "Train", seconds=LATE)
    assert "killed" in panel.ui.progressLabel.text and panel.ui.resumeButton.enabled
    panel.ui.resumeButton.click()
    (training,) = watched().running
    until_trains(host, training.run)


def test_a_folder_that_is_gone_is_forgotten(host, console, rated_set, tmp_path):
    import shutil

    run = start(console, rated_set, tmp_path / "gone.safetensors", epochs=60)
    until_trains(host, run)
    run.kill()
    until_over(host, run)
    shutil.rmtree(run.folder)
    restart(host)
    panel = host.enter("MotionQATrainer")
    assert panel.ui.runsComboBox.count == 0 and not panel.ui.progressLabel.visible


def test_what_ended_while_slicer_was_closed_is_listed(host, console, rated_set, tmp_path):
    run = start(console, rated_set, tmp_path / "overnight.safetensors", epochs=1)
    restart(host)
    assert run.wait(timeout=LATE).is_file()
    listed = Path(os.environ["MOTIONQA_CHECKPOINTS"]) / "overnight.safetensors"
    assert not listed.exists()
    panel = host.enter("MotionQATrainer")
    assert listed.is_file() and panel.ui.progressLabel.text == "Finished."
    listed.unlink()  # the user wants it out of the list
    host.leave()
    restart(host)
    host.enter("MotionQATrainer")
    assert not listed.exists()
