"""The assess panel as a user meets it: its buttons, its sentences, and what goes wrong."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt
from processes import LATE, SOON, pid_of

from . import graded

pythonqt(__name__)
posix = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")


@pytest.fixture
def volume(host):
    return graded.noise()


@pytest.fixture
def panel(host, volume):
    """The module entered on a volume."""
    yield host.enter("MotionQA")
    host.leave()


@pytest.fixture
def random(host, panel, checkpoint_file):
    """The panel with a checkpoint whose weights are random."""
    choose_file(host, panel, checkpoint_file)
    return panel


def choose_file(host, panel, path):
    combo = panel.ui.checkpointComboBox
    host.files.answers.append(str(path))
    combo.currentIndex = combo.count - 1
    combo.activated.emit(combo.currentIndex)


def press(host, panel):
    """Press Assess motion, and wait for what comes of it."""
    panel.ui.assessButton.click()
    wait(host, panel)


def wait(host, panel):
    host.wait_until(lambda: panel.ui.assessButton.text == "Assess motion", seconds=LATE)


def until_progress(host, panel):
    host.wait_until(lambda: panel.ui.progressBar.value > 0, seconds=LATE)


def test_one_click_grades_and_says_so_in_words(host, panel):
    before = host.pixels("Red")
    assert panel.ui.volumeSelector.currentNode().GetName() == "heart"
    press(host, panel)
    result = panel.ui.resultLabel.text
    assert result.startswith("Volume: ") and "%)" in result and "slice" in result
    assert not panel.ui.messageLabel.visible and not panel.ui.progressBar.visible
    host.wait_until(lambda: (host.pixels("Red") != before).any(), seconds=SOON)
    panel.ui.overlayCheckBox.click()
    assert np.array_equal(host.pixels("Red"), before)
    panel.ui.overlayCheckBox.click()
    assert not np.array_equal(host.pixels("Red"), before)
    host.leave()
    assert np.array_equal(host.pixels("Red"), before)


def test_the_device_is_said_and_why(host, panel):
    host.wait_until(lambda: panel.ui.deviceLabel.text.startswith("Runs on"), seconds=LATE)
    assert "CPU: " in panel.ui.deviceLabel.text or "GPU" in panel.ui.deviceLabel.text


def test_without_a_volume_the_tooltip_says_why(host):
    import slicer

    panel = host.enter("MotionQA")
    assert not panel.ui.assessButton.enabled
    assert "Choose a volume" in panel.ui.assessButton.toolTip
    node = graded.noise()
    panel.ui.volumeSelector.setCurrentNode(node)
    assert panel.ui.assessButton.enabled and "Grade" in panel.ui.assessButton.toolTip
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    panel.ui.volumeSelector.setCurrentNode(empty)
    assert not panel.ui.assessButton.enabled and "no image" in panel.ui.assessButton.toolTip


def test_what_goes_while_packages_are_installed_is_not_graded(host, volume, monkeypatch):
    import slicer.packaging

    def install(requirements, **_):
        slicer.mrmlScene.Clear(False)
        host.pip.install(requirements)

    host.pip.missing = {"nibabel"}
    monkeypatch.setattr(slicer.packaging, "pip_ensure", install)
    host.unload_module("MotionQA")  # a new one looks what there is
    panel = host.enter("MotionQA")
    panel.ui.assessButton.click()
    assert host.pip.installed and "Choose a volume" in panel.ui.messageLabel.text
    assert panel.ui.assessButton.text == "Assess motion"
    host.leave()


def test_label_maps_are_not_offered(host, panel):
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    assert [node.GetName() for node in panel.ui.volumeSelector.nodes()] == ["heart"]


def test_the_starters_card_is_shown(host, panel):
    card = panel.ui.cardLabel.text
    assert "tf_efficientnet_lite0" in card and "simulated" in card and "ACDC" in card
    assert "κ" in card and "CC BY-NC-SA" in card
    assert "not a medical device" in panel.ui.noticeLabel.text


def test_a_checkpoint_is_loaded_from_a_file(host, random):
    import slicer

    combo = random.ui.checkpointComboBox
    assert combo.currentText == "Random weights, for tests"
    press(host, random)
    assert random.ui.resultLabel.text
    slicer.util.reloadScriptedModule("MotionQA")  # the choice is the scene's
    fresh = slicer.util.getModuleWidget("MotionQA")
    assert fresh.ui.checkpointComboBox.currentText == "Random weights, for tests"


def test_a_file_that_is_none_is_refused_in_a_sentence(host, panel, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"nothing of the kind")
    chosen = panel.ui.checkpointComboBox.currentText
    choose_file(host, panel, tmp_path / "weights.safetensors")
    assert "no MotionQA checkpoint" in panel.ui.messageLabel.text
    assert panel.ui.checkpointComboBox.currentText == chosen
    combo = panel.ui.checkpointComboBox
    combo.currentIndex = combo.count - 1
    combo.activated.emit(combo.currentIndex)  # the file dialog is cancelled
    assert combo.currentText == chosen


def test_a_checkpoint_of_a_scene_that_is_not_here(host, panel):
    settings = panel.logic.getParameterNode()
    settings.checkpoint = "from-elsewhere"
    assert "not installed" in panel.ui.checkpointComboBox.currentText
    assert not panel.ui.assessButton.enabled
    assert "from-elsewhere is not installed" in panel.ui.assessButton.toolTip
    settings.checkpoint = "motionqa-starter"
    assert panel.ui.assessButton.enabled


def test_what_cannot_be_graded_is_said_in_the_panel(host, panel, volume):
    import slicer

    slicer.util.updateVolumeFromArray(volume, np.zeros((3, 9, 9)))
    press(host, panel)
    assert "blank" in panel.ui.messageLabel.text and panel.ui.messageLabel.visible
    assert panel.ui.resultLabel.text == "" and panel.ui.assessButton.enabled
    panel.ui.volumeSelector.setCurrentNode(graded.noise("other"))
    assert panel.ui.messageLabel.text == ""


def test_cancel_stops_and_the_next_click_works(host, random):
    long = graded.noise("long", 600)
    random.ui.volumeSelector.setCurrentNode(long)
    random.ui.assessButton.click()
    assert random.ui.assessButton.text == "Cancel" and random.ui.progressBar.visible
    until_progress(host, random)
    assert random.ui.progressBar.format.startswith("long: slice ")
    assert random.ui.progressBar.format.endswith(" of 600")
    random.ui.assessButton.click()
    host.wait_until(lambda: random.ui.messageLabel.text == "Cancelled.", seconds=SOON)
    assert random.ui.assessButton.text == "Assess motion" and not random.ui.progressBar.visible
    assert random.ui.resultLabel.text == ""
    random.ui.volumeSelector.setCurrentNode(random.ui.volumeSelector.nodes()[0])
    press(host, random)
    assert random.ui.resultLabel.text


@posix
def test_the_process_killed_is_a_sentence_and_the_next_click_works(host, random):
    random.ui.volumeSelector.setCurrentNode(graded.noise("long", 600))
    random.ui.assessButton.click()
    until_progress(host, random)
    os.kill(pid_of(host, random.logic.grading.worker), signal.SIGKILL)
    wait(host, random)
    assert "ended unexpectedly" in random.ui.messageLabel.text
    random.ui.volumeSelector.setCurrentNode(random.ui.volumeSelector.nodes()[0])
    press(host, random)
    assert random.ui.resultLabel.text and not random.ui.messageLabel.visible


def test_two_volumes_keep_their_results_apart(host, random, volume):
    press(host, random)
    first = random.ui.resultLabel.text
    other = graded.noise("other", 2)
    random.ui.volumeSelector.setCurrentNode(other)
    assert first and random.ui.resultLabel.text == ""
    press(host, random)
    assert random.ui.resultLabel.text
    random.ui.volumeSelector.setCurrentNode(volume)
    assert random.ui.resultLabel.text == first


def test_the_scene_closed_while_grading(host, random):
    import slicer

    random.ui.volumeSelector.setCurrentNode(graded.noise("long", 600))
    random.ui.assessButton.click()
    until_progress(host, random)
    slicer.mrmlScene.Clear(False)
    wait(host, random)
    assert random.ui.resultLabel.text == "" and not random.ui.assessButton.enabled
    assert random.ui.checkpointComboBox.currentText.startswith("MotionQA starter")
    random.ui.volumeSelector.setCurrentNode(graded.noise())
    press(host, random)
    assert random.ui.resultLabel.text


def test_reloaded_while_grading(host, random):
    import slicer

    random.ui.assessButton.click()
    slicer.util.reloadScriptedModule("MotionQA")
    fresh = slicer.util.getModuleWidget("MotionQA")
    assert fresh.ui.assessButton.text == "Assess motion"
    press(host, fresh)
    assert fresh.ui.resultLabel.text


def test_settings_and_results_come_back_with_the_scene(host, random, tmp_path):
    import slicer

    press(host, random)
    said, scene = random.ui.resultLabel.text, str(tmp_path / "scene.mrb")
    random.ui.overlayCheckBox.click()
    slicer.util.saveScene(scene)
    slicer.mrmlScene.Clear(False)
    assert random.ui.resultLabel.text == "" and random.ui.overlayCheckBox.checked
    slicer.util.loadScene(scene)
    assert random.ui.resultLabel.text == said
    assert not random.ui.overlayCheckBox.checked
    assert random.ui.checkpointComboBox.currentText == "Random weights, for tests"
    assert random.ui.volumeSelector.currentNode().GetName() == "heart"


def test_left_while_grading_the_result_is_kept(host, random, volume):
    random.ui.assessButton.click()
    host.leave()
    grading = random.logic.grading
    host.wait_until(lambda: not grading.running, seconds=LATE)
    assert grading.results.result_for(volume) is not None
    host.enter("MotionQA")
    assert random.ui.resultLabel.text


def test_slicer_keeps_answering_while_it_grades(host, random):
    random.ui.volumeSelector.setCurrentNode(graded.noise("long", 60))
    random.ui.assessButton.click()
    longest, before = 0.0, time.thread_time()
    while random.ui.assessButton.text == "Cancel":
        host.qapplication.processEvents()
        longest, before = max(longest, time.thread_time() - before), time.thread_time()
    assert random.ui.resultLabel.text
    assert longest < 0.3  # storing the result and drawing included, in a software renderer


def test_ranges_are_short():
    from MotionQAWidgets.result_sentence import ranges

    assert ranges([1, 4, 5, 6, 9]) == "1, 4–6, 9"


def test_the_cards_are_those_that_the_library_reads(checkpoint_file):
    """The panel reads cards without torch: it must find what `motionqa checkpoints` lists."""
    import subprocess
    import sys

    import MotionQALib
    from MotionQAWidgets import checkpoint_list

    code = "from MotionQALib import checkpoints as c; print([e.name for e in c.catalogue()])"
    folder = Path(MotionQALib.__file__).parents[1]
    said = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert said.stdout.strip() == str([choice.reference for choice in checkpoint_list.installed()])
    assert "torch" not in sys.modules
    assert stat.S_ISREG(checkpoint_file.stat().st_mode)
