"""The panel trains, shows and lists; it replaces nothing unasked, and says what went wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from real_trainings import LATE, fill, press_train, start, until_trains, watched

from host import pythonqt

pythonqt(__name__)


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
