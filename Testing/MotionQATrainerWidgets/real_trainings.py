"""Trainings for real on a tiny set, as the console and the panel start them."""

from __future__ import annotations

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
