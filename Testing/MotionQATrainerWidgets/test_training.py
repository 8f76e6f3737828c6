"""Training for real on a tiny set, from console and panel: cancelled, resumed, found again."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from host import pythonqt

pythonqt(__name__)
LATE = 240.0
SMALL = {
    "pretrained": False,
    "size": 32,
    "spacing": 1.8,
    "margin": 8,
    "batch_size": 6,
    "precision": "fp32",
    "device": "cpu",
    "backbone": "tf_efficientnet_lite0",
}
"""What `train` is given so that an epoch takes a second."""


@pytest.fixture
def console(host, monkeypatch):
    """The module as the console imports it, in a Slicer that was just started."""
    import slicer

    host.load_module("MotionQATrainer")
    from MotionQATrainerWidgets import training_outcome, trainings

    # An epoch on a few tiny images may teach nothing; here that is not to count.
    monkeypatch.setattr(training_outcome, "validation_kappa", lambda _training: 0.5)
    restart(host)
    yield sys.modules["MotionQATrainer"]
    for training in trainings.shared().running:
        training.run.kill()
    slicer.app.settings().remove(trainings.SETTING)
    restart(host)


def restart(host):
    """Forget what only a running Slicer knows; its settings stay."""
    from MotionQATrainerWidgets import trainings

    if "MotionQATrainer" in __import__("slicer").app.moduleManager().modulesNames():
        host.unload_module("MotionQATrainer")
    trainings.shared().rest()
    trainings.shared.cache_clear()
    host.load_module("MotionQATrainer")


def watched():
    from MotionQATrainerWidgets import trainings

    return trainings.shared()


def until_over(host, run):
    host.wait_until(lambda: not watched().of_folder(run.folder).running, seconds=LATE)
    host.process_events(0.1)


def until_trains(host, run):
    host.wait_until(lambda: run.progress.stage in ("train", "validate") and run.progress.done, LATE)


def start(console, rated_set, output, **changes):
    return console.train(
        rated_set, rated_set / "IQA.csv", output=output, **{**SMALL, "epochs": 2, **changes}
    )


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


def test_the_panel_trains_shows_and_lists(host, console, rated_set, tmp_path):
    import slicer

    panel = host.enter("MotionQATrainer")
    before = slicer.app.layoutManager().layout
    fill(panel, rated_set, tmp_path, epochs=2)
    panel.ui.nameLineEdit.text = "from-the-panel"
    press_train(host, panel)
    assert panel.ui.trainButton.text == "Cancel" and panel.ui.progressBar.visible
    host.wait_until(lambda: "Epoch" in panel.ui.progressLabel.text, seconds=LATE)
    host.wait_until(lambda: panel.ui.trainButton.text == "Train", seconds=LATE)
    assert panel.ui.progressLabel.text == "Finished."
    assert "from-the-panel is in MotionQA's list" in panel.ui.resultLabel.text
    loss = panel.panel.curves.tables["train_loss"]
    assert len(slicer.util.arrayFromTableColumn(loss, "train_loss")) == 2
    assert slicer.app.layoutManager().plotViewCount == 2
    assert panel.ui.reportButton.enabled and panel.ui.confusionLabel.visible
    assert not panel.ui.confusionLabel.pixmap.isNull()
    assert panel.ui.nameLineEdit.text != "from-the-panel"  # the next one is another
    host.leave()
    assert slicer.app.layoutManager().layout == before
    other = host.enter("MotionQA")
    combo = other.ui.checkpointComboBox
    assert "from-the-panel" in [combo.itemData(index) for index in range(combo.count)]


def test_what_learned_nothing_says_so_and_is_listed_only_when_asked(
    host, console, rated_set, monkeypatch
):
    from MotionQALib.checkpoints import user_folder
    from MotionQATrainerWidgets import training_outcome
    from MotionQAWidgets import checkpoint_list

    def listed() -> bool:
        return "useless" in [choice.reference for choice in checkpoint_list.installed()]

    monkeypatch.setattr(training_outcome, "validation_kappa", lambda _training: 0.0)
    panel = host.enter("MotionQATrainer")
    fill(panel, rated_set, user_folder(), epochs=1)
    panel.ui.nameLineEdit.text = "useless"
    press_train(host, panel)
    host.wait_until(lambda: panel.ui.trainButton.text == "Train", seconds=LATE)
    said = panel.ui.resultLabel.text
    assert "useless is not in MotionQA's list" in said and "learned nothing" in said
    assert "κ 0.00" in said and panel.ui.listButton.visible and not listed()
    assert (user_folder() / "useless.safetensors").is_file()  # it lies where it was wanted
    panel.ui.listButton.click()
    assert listed() and not panel.ui.listButton.visible
    assert "useless is in MotionQA's list" in panel.ui.resultLabel.text
    assert "learned nothing" in panel.ui.resultLabel.text


def fill(panel, rated_set, folder, **settings):
    ui = panel.ui
    ui.dataPathLineEdit.currentPath = str(rated_set)
    ui.labelsKindComboBox.currentIndex = 0
    ui.labelsPathLineEdit.currentPath = str(rated_set / "IQA.csv")
    ui.folderPathLineEdit.currentPath = str(folder)
    ui.startComboBox.currentIndex = 1  # random weights
    ui.startComboBox.activated.emit(1)
    ui.batchSizeSpinBox.value = 6
    ui.epochsSpinBox.value = settings["epochs"]
    ui.precisionComboBox.currentIndex = 1


def press_train(host, panel):
    assert panel.ui.trainButton.enabled, panel.ui.trainButton.toolTip
    panel.ui.trainButton.click()
    host.process_events()


def test_cancel_and_resume(host, console, rated_set, tmp_path):
    panel = host.enter("MotionQATrainer")
    fill(panel, rated_set, tmp_path, epochs=40)
    press_train(host, panel)
    (training,) = watched().running
    until_trains(host, training.run)
    panel.ui.trainButton.click()
    host.wait_until(lambda: panel.ui.trainButton.text == "Train", seconds=LATE)
    assert training.state == "stopped" and "Resume goes on" in panel.ui.progressLabel.text
    assert panel.ui.resumeButton.enabled and panel.ui.progressLabel.visible
    step = training.status.done
    panel.ui.resumeButton.click()
    (training,) = watched().running
    host.wait_until(lambda: training.status.done, seconds=LATE)
    assert training.status.done >= step and panel.ui.trainButton.text == "Cancel"
    assert panel.ui.runsComboBox.count == 1  # the same training, not another one


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


def test_a_run_that_cannot_start_says_why(host, console, rated_set, tmp_path):
    panel = host.enter("MotionQATrainer")
    fill(panel, rated_set, tmp_path, epochs=1)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    panel.ui.nameLineEdit.text = "taken"
    press_train(host, panel)
    host.wait_until(lambda: panel.ui.trainButton.text == "Train", seconds=LATE)
    assert "something else than a training run" in panel.ui.progressLabel.text
    assert (tmp_path / "taken" / "thesis.txt").read_text() == "mine"
    assert not panel.ui.resumeButton.enabled


def test_the_forms_defaults_and_networks_are_the_librarys(host, console):
    import json
    import subprocess

    from MotionQATrainerWidgets import network_section

    code = (
        "import json; from MotionQATrainerLib.training.training_settings import Settings; "
        "from MotionQALib.backbones import BACKBONES; "
        "print(json.dumps([Settings().to_dict(), list(BACKBONES)]))"
    )
    root = Path(__file__).resolve().parents[2]
    paths = os.pathsep.join(str(root / name) for name in ("MotionQA", "MotionQATrainer"))
    output = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        check=True,
        timeout=120,
    ).stdout
    settings, backbones = json.loads(output)
    panel = host.enter("MotionQATrainer").panel
    for key, value in panel.settings.values().items():
        table, _, name = key.partition(".")
        assert settings[table][name] == value, key
    assert set(network_section.backbones()) == set(backbones)
    assert panel.settings.changes() == {}
    panel.ui.epochsSpinBox.value = 3
    assert panel.settings.changes() == {"training.epochs": 3}
    panel.ui.defaultsButton.click()
    assert panel.settings.changes() == {}


def test_missing_packages_are_asked_for_once_and_declining_is_said(host, console, rated_set):
    host.pip.missing = {"timm", "scikit-learn"}
    host.dialogs.answers = [False]
    with pytest.raises(RuntimeError, match="as you chose: timm, scikit-learn"):
        console.train(rated_set, rated_set / "IQA.csv", **SMALL)
    (question,) = host.dialogs.shown
    assert "timm" in question.text and "scikit-learn" in question.text
    assert host.pip.installed == [] and watched().known == []


def test_a_checkpoint_is_adapted_as_far_as_the_labels_reach(host, console, rated_set, tmp_path):
    panel = host.enter("MotionQATrainer")
    fill(panel, rated_set, tmp_path, epochs=1)
    ui = panel.ui
    ui.startComboBox.currentIndex = ui.startComboBox.findData("motionqa-starter")
    ui.startComboBox.activated.emit(ui.startComboBox.currentIndex)
    assert not ui.backboneComboBox.enabled and ui.adaptComboBox.visible
    assert ui.nameLineEdit.text == "motionqa-starter-adapted-1"
    ui.labelsKindComboBox.currentIndex = 2
    assert "choose labels" in ui.trainButton.toolTip
    ui.labelsKindComboBox.currentIndex = 0
    press_train(host, panel)
    host.wait_until(lambda: ui.trainButton.text == "Train", seconds=LATE)
    assert "18 scored volumes of 6 subjects are too few" in ui.progressLabel.text
    ui.adaptComboBox.currentIndex = 1  # the calibration, insisted on
    press_train(host, panel)
    host.wait_until(lambda: ui.trainButton.text == "Train", seconds=LATE)
    assert ui.progressLabel.text == "Finished." and ui.tableLabel.visible
    assert "Before" in ui.tableLabel.text and "After" in ui.tableLabel.text
    assert "is in MotionQA's list" in ui.resultLabel.text


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


def test_a_checkpoint_is_not_replaced_unasked(host, console, rated_set, tmp_path):
    panel = host.enter("MotionQATrainer")
    fill(panel, rated_set, tmp_path, epochs=1)
    kept = tmp_path / "precious.safetensors"
    kept.write_bytes(b"weights")
    panel.ui.nameLineEdit.text = "precious"
    host.dialogs.answers = [False]
    press_train(host, panel)
    (question,) = host.dialogs.shown
    assert str(kept) in question.text
    assert watched().known == [] and kept.read_bytes() == b"weights"


def test_the_curves_come_back_with_the_module(host, console, rated_set, tmp_path):
    import slicer

    panel = host.enter("MotionQATrainer")
    panel.ui.curvesCheckBox.click()
    assert slicer.app.layoutManager().plotViewCount == 2
    host.leave()
    assert slicer.app.layoutManager().plotViewCount == 0
    run = start(console, rated_set, tmp_path / "unseen.safetensors", epochs=60)
    assert slicer.app.layoutManager().plotViewCount == 0
    host.enter("MotionQATrainer")
    assert slicer.app.layoutManager().plotViewCount == 2
    assert panel.ui.runsComboBox.currentText == "unseen"
    run.cancel()
