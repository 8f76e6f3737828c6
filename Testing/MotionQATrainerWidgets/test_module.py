"""The module in Slicer's hands: found, entered, reloaded, gone; and what it leaves to MotionQA."""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt

pythonqt(__name__)


def test_the_module_says_what_it_is(host):
    module = host.load_module("MotionQATrainer")
    assert (module.title, list(module.categories)) == ("MotionQA Trainer", ["Cardiac"])
    assert "MotionQA" in module.dependencies and not module.icon.isNull()
    assert "not a medical device" in module.helpText and "timm" in module.acknowledgementText


def test_the_window_needs_no_torch(host):
    host.enter("MotionQATrainer")
    host.leave()
    assert not {"torch", "timm", "sklearn"} & set(sys.modules)


def test_its_own_test_runs_from_the_reload_section(host, monkeypatch):
    import slicer

    host.load_module("MotionQATrainer")
    ran = []
    own = sys.modules["MotionQATrainer"].MotionQATrainerTest
    monkeypatch.setattr(own, "test_training", lambda self: ran.append("training"))  # takes long
    slicer.selfTests["MotionQATrainer"]()
    assert ran == ["training"]


def test_its_own_test_runs_as_ctest_runs_it_and_leaves_no_trace(host):
    import slicer

    host.load_module("MotionQATrainer")
    suite = unittest.TestLoader().loadTestsFromName("MotionQATrainer.MotionQATrainerTest")
    assert suite.countTestCases() == 3
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    assert result.wasSuccessful() and not result.skipped, result.failures + result.errors
    from MotionQATrainerWidgets import trainings

    assert "self-test" not in slicer.app.settings().value(trainings.SETTING, "")
    assert not slicer.util.getModuleLogic("MotionQATrainer").trainings.running


def test_its_own_test_fails_where_the_panel_shows_nothing(host, monkeypatch):
    from MotionQAWidgets import self_test

    host.enter("MotionQATrainer")
    host.leave()
    own = sys.modules["MotionQATrainer"].MotionQATrainerTest()
    monkeypatch.setattr(self_test, "LIMIT", 3.0)
    monkeypatch.setattr("MotionQATrainerWidgets.run_view.RunView.show", lambda *_args: None)
    with pytest.raises(AssertionError, match="it did not happen that the training began"):
        own.test_training()


def test_it_is_reloaded_while_shown(host):
    import slicer

    panel = host.enter("MotionQATrainer")
    slicer.util.reloadScriptedModule("MotionQATrainer")
    fresh = slicer.util.getModuleWidget("MotionQATrainer")
    assert fresh is not panel and fresh.panel.entered
    trainings = fresh.logic.trainings
    signals = (trainings.added, trainings.moved, trainings.ended)
    assert all(len(signal.slots) <= 2 for signal in signals)  # the new panel's, and the console's
    host.leave()


def test_the_reload_button_reads_our_packages_anew(host):
    import slicer

    ours = ("MotionQATrainerLib", "MotionQATrainerWidgets", "MotionQATrainer")
    panel = host.enter("MotionQATrainer")
    before = {n: module for n, module in sys.modules.items() if n.partition(".")[0] in ours}
    trainings = panel.logic.trainings
    try:
        panel.onReload()
        fresh = slicer.util.getModuleWidget("MotionQATrainer")
        after = sys.modules["MotionQATrainerWidgets.training_panel"]
        assert after is not before["MotionQATrainerWidgets.training_panel"]
        assert isinstance(fresh.panel, after.TrainingPanel) and fresh.panel.entered
        assert fresh.logic.trainings is not trainings and not trainings.watching
    finally:  # other tests hold on to what they imported
        host.unload_module("MotionQATrainer")
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            del sys.modules[name]
        sys.modules.update(before)


def test_nothing_is_left_when_the_module_goes(host):
    import slicer

    panel = host.enter("MotionQATrainer")
    panel.panel.curves.update([{"epoch": 1.0, "train_loss": 1.0}])
    panel.ui.curvesCheckBox.click()
    trainings = panel.logic.trainings
    host.unload_module("MotionQATrainer")
    assert not any(slot.__self__ is panel.panel for slot in trainings.moved.slots)
    assert not slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert slicer.app.layoutManager().plotViewCount == 0


def test_a_checkpoint_is_listed_by_the_other_module_while_it_is_shown(host, tmp_path):
    import shutil

    from MotionQAWidgets import checkpoint_list

    panel = host.enter("MotionQA")
    combo = panel.ui.checkpointComboBox

    def listed() -> list[str]:
        return [combo.itemData(index) for index in range(combo.count)]

    assert "newly-trained" not in listed()
    from MotionQATrainerWidgets.publishing import publish

    starter = Path(checkpoint_list.__file__).parents[1] / "Resources" / "Checkpoints"
    made = tmp_path / "newly-trained.safetensors"
    shutil.copy(starter / "motionqa-starter.safetensors", made)
    made.with_suffix(".split.json").write_text("{}")
    chosen = combo.currentData
    publish(made)
    assert "newly-trained" in listed() and combo.currentData == chosen
    published = Path(os.environ["MOTIONQA_CHECKPOINTS"]) / made.name
    assert published.read_bytes() == made.read_bytes()
    assert published.with_suffix(".split.json").read_text() == "{}"
    assert [path.name for path in published.parent.glob(".*")] == []
    publish(published)  # where it lies already
    publish(None)  # a comparison
    assert published.is_file()
    host.leave()


def test_the_reliability_diagram_shows_the_numbers(host):
    from MotionQATrainerWidgets import chart_pictures

    def pixels(pixmap) -> np.ndarray:
        image = pixmap.toImage().convertToFormat(pixmap.toImage().Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(200, image.bytesPerLine())
        return rows[:, :600].reshape(200, 200, 3).astype(int)

    honest = [{"confidence": 0.9, "right": 0.9, "count": 10}]
    boastful = [{"confidence": 0.9, "right": 0.1, "count": 10}]
    difference = pixels(chart_pictures.reliability(honest, 200)) - pixels(
        chart_pictures.reliability(boastful, 200)
    )
    upper, lower = difference[:100].sum(), difference[100:].sum()
    assert upper < 0 < lower  # the disc is high in one, low in the other
