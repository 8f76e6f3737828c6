"""The module in Slicer's hands: found, entered, left, reloaded; its logic for scripts."""

from __future__ import annotations

import sys
import time
import unittest

import numpy as np
import pytest

from host import pythonqt
from processes import LATE, SOON, pid_of, wait_gone

from . import graded

pythonqt(__name__)


@pytest.fixture
def volume(host):
    return graded.noise()


@pytest.fixture
def logic(host):
    import slicer

    host.load_module("MotionQA")
    logic = slicer.util.getModuleLogic("MotionQA")
    yield logic
    logic.grading.worker.close()


def test_the_module_says_what_it_is(host):
    module = host.load_module("MotionQA")
    assert (module.title, list(module.categories)) == ("MotionQA", ["Cardiac"])
    assert not module.icon.isNull()
    # Slicer unloads in the reverse order: until we have cleaned up, Sequences must be there.
    assert module.dependencies == ["Sequences"]
    assert "not a medical device" in module.helpText and "CMRxMotion" in module.acknowledgementText


def test_its_logic_starts_no_process_before_it_is_needed(host):
    import slicer

    host.load_module("MotionQA")
    host.unload_module("MotionQA")
    host.load_module("MotionQA")
    assert not slicer.util.getModuleLogic("MotionQA").grading.worker.running


def test_a_script_grades_and_the_scene_keeps_it(host, logic, volume, checkpoint_file):
    assessment = logic.assess(volume, checkpoint_file, "cpu")
    assert assessment.probabilities.shape == (1, 3, 5)
    assert logic.result(volume).volume_score == assessment.volume_score
    assert logic.grading.running == []


def test_a_script_is_told_why_in_a_sentence(host, logic, volume):
    import slicer

    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    with pytest.raises(RuntimeError, match="empty holds no image"):
        logic.assess(empty)
    slicer.util.updateVolumeFromArray(volume, np.zeros((3, 9, 9)))
    with pytest.raises(RuntimeError, match="blank"):
        logic.assess(volume, device="cpu")


def test_slices_are_found_by_the_spacing(host, logic, checkpoint_file):
    import slicer

    from MotionQAWidgets.volume_input import VolumeInput

    node = graded.noise()
    voxels = slicer.util.arrayFromVolume(node).copy()
    node.SetSpacing(8, 1.5, 1.4)
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(voxels.transpose(1, 2, 0)))
    given = VolumeInput.of_node(node)
    assert given.slice_axis == 0 and given.spacing == (8.0, 1.4, 1.5)
    np.testing.assert_array_equal(given.frames[0], voxels.transpose(0, 1, 2))


def test_a_cine_is_graded_with_all_its_frames(host, logic, checkpoint_file):
    import slicer

    first, second = graded.noise("a", 2), graded.noise("b", 2)
    slicer.util.arrayFromVolume(second)[:] = slicer.util.arrayFromVolume(first)[::-1]
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    sequence.SetDataNodeAtValue(first, "0")
    sequence.SetDataNodeAtValue(second, "1")
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.AddSynchronizedSequenceNodeID(sequence.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    proxy = browser.GetProxyNode(sequence)
    assessment = logic.assess(proxy, checkpoint_file, "cpu")
    assert assessment.probabilities.shape == (2, 2, 5)
    np.testing.assert_allclose(
        assessment.probabilities[0], assessment.probabilities[1, ::-1], atol=1e-3
    )
    assert logic.grading.results.result_for(proxy).assessment.n_frames == 2


def test_a_volume_deleted_meanwhile_is_no_error(host, logic, volume, checkpoint_file):
    import slicer

    heard = []
    logic.grading.cancelled.connect(heard.append)
    logic.grading.assess(volume, str(checkpoint_file), "cpu")
    slicer.mrmlScene.RemoveNode(volume)
    host.wait_until(lambda: not logic.grading.running, seconds=LATE)
    logic.grading.cancelled.disconnect(heard.append)
    assert heard == [volume] and logic.grading.results.volume_nodes() == []


def test_a_module_left_keeps_its_process_for_a_while_only(host, monkeypatch):
    from MotionQAWidgets import grading as grading_module

    panel = host.enter("MotionQA")
    grading = panel.logic.grading
    pid = pid_of(host, grading.worker)
    monkeypatch.setattr(grading_module, "IDLE_LIMIT", 300)
    host.leave()
    assert grading.worker.running
    host.wait_until(lambda: not grading.worker.running, seconds=SOON)
    wait_gone(host, pid)


def test_it_is_reloaded_while_shown(host, volume):
    import slicer

    panel = host.enter("MotionQA")
    pid = pid_of(host, panel.logic.grading.worker)
    slicer.util.reloadScriptedModule("MotionQA")
    fresh = slicer.util.getModuleWidget("MotionQA")
    assert fresh is not panel and fresh.logic.grading.worker.running  # as when it is entered
    wait_gone(host, pid)
    assert fresh.ui.volumeSelector.currentNode() is volume
    host.leave()


def test_the_reload_button_reads_our_packages_anew(host, volume):
    import slicer

    panel = host.enter("MotionQA")
    before = {name: module for name, module in sys.modules.items() if name.startswith("MotionQA")}
    try:
        panel.onReload()
        fresh = slicer.util.getModuleWidget("MotionQA")
        after = sys.modules["MotionQAWidgets.assess_panel"]
        assert after is not before["MotionQAWidgets.assess_panel"]
        assert isinstance(fresh.panel, after.AssessPanel)
        assert fresh.logic.grading.worker.running  # as when it is entered
        assert not panel.logic.grading.worker.running
    finally:  # other tests hold on to what they imported
        host.unload_module("MotionQA")
        for name in [name for name in sys.modules if name.startswith("MotionQA")]:
            del sys.modules[name]
        sys.modules.update(before)


def test_nothing_is_left_when_slicer_quits(host, volume):
    panel = host.enter("MotionQA")
    pid = pid_of(host, panel.logic.grading.worker)
    started = time.monotonic()
    host.unload_module("MotionQA")
    assert time.monotonic() - started < 5
    wait_gone(host, pid)


def test_a_label_map_is_not_chosen_by_itself(host, logic):
    import slicer

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    assert logic.shownVolume() is None
    volume = graded.noise()
    slicer.util.setSliceViewerLayers(background=None)
    assert logic.shownVolume() is volume


def test_it_lives_without_a_window_and_without_packages(host, volume, monkeypatch):
    """As Slicer's generic tests run it: --no-main-window, and nothing is installed yet."""
    import slicer

    host.pip.missing = {"torch", "torchvision", "timm", "safetensors", "nibabel", "pynrrd"}
    monkeypatch.setattr(slicer.app, "layoutManager", lambda: None)
    monkeypatch.setattr(slicer.util, "mainWindow", lambda *_args: None)
    host.load_module("MotionQA")
    host.unload_module("MotionQA")
    parent = host.load_module("MotionQA").widgetRepresentation()
    parent.enter()
    panel = parent.self()
    assert "torch, torchvision, timm" in panel.ui.deviceLabel.text
    assert not panel.logic.grading.worker.running
    slicer.mrmlScene.Clear()
    host.process_events(0.1)
    host.unload_module("MotionQA")  # entered, as when Slicer quits
    panel.exit()  # whichever of the two Slicer calls first
    assert host.raised == []


def test_its_own_test_runs(host):
    import slicer

    host.load_module("MotionQA")
    slicer.selfTests["MotionQA"]()


def test_its_own_test_runs_as_ctest_runs_it(host):
    """slicer.testing.runUnitTest: by unittest's loader, which does not call runTest."""
    host.load_module("MotionQA")
    suite = unittest.TestLoader().loadTestsFromName("MotionQA.MotionQATest")
    assert suite.countTestCases() == 4
    result = unittest.TextTestRunner(verbosity=0).run(suite)
    assert result.wasSuccessful(), result.failures + result.errors


def test_sample_data_are_offered_and_made_once(host, monkeypatch):
    import SampleData
    import slicer

    host.load_module("MotionQA")
    sources = SampleData.SampleDataLogic.sources  # Slicer loads a module once, these tests more
    offered = list(dict.fromkeys(s["sampleName"] for s in sources if s["category"] == "MotionQA"))
    assert len(offered) == 4
    node = SampleData.downloadSample(offered[3])
    assert node.GetName() == "MotionQA-4-intensive"
    assert slicer.util.arrayFromVolume(node).shape == (10, 216, 256)
    from MotionQAWidgets import sample_data

    monkeypatch.setattr(sample_data, "make", None)  # the second time, they are there
    assert SampleData.downloadSample(offered[0]).GetName() == "MotionQA-1-hold"


def test_sample_data_without_the_trainer_say_so(host, monkeypatch, tmp_path):
    from MotionQAWidgets import sample_data

    monkeypatch.setattr(sample_data, "ROOT", tmp_path)
    assert "trainer" in sample_data.make(tmp_path)
    room = tmp_path / "MotionQATrainerLib" / "simulation"
    room.mkdir(parents=True)
    for package in (room, room.parent):
        (package / "__init__.py").touch()  # else the installed trainer would come first
    (room / "demo_volumes.py").write_text("import no_such_package")
    host.pip.missing, host.dialogs.answers = {"nibabel"}, [False]
    assert "as you chose: nibabel" in sample_data.make(tmp_path)  # asked where it is needed
    host.pip.missing = set()
    assert "no_such_package" in sample_data.make(tmp_path)


@pytest.mark.parametrize(
    "test, broken, said",
    [
        ("assess", "slice_overlay.SliceOverlay.update", "·' not found in ''"),
        ("assess", "results_table.ResultsTable.show", "volume"),
        ("assess", "grading.Grading.assess", "None"),
        ("read", "reading.scoring_panel.ReaderScoring.give", "2 · "),
        ("read", "reading.scoring_panel.ScoringPanel.undo", "ItemKey(case="),
    ],
)
def test_its_own_test_fails_where_the_module_does_not_work(host, monkeypatch, test, broken, said):
    host.enter("MotionQA")
    host.leave()
    own = sys.modules["MotionQA"].MotionQATest()
    own.setUp()
    monkeypatch.setattr(f"MotionQAWidgets.{broken}", lambda *_args, **_options: None)
    with pytest.raises(AssertionError) as raised:
        getattr(own, f"test_{test}")()
    assert said in str(raised.value)
    sys.modules["slicer.util"].getModuleWidget("MotionQA").labelling.close_study()
