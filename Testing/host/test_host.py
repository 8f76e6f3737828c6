"""The host does what Slicer does, as far as a grading panel can tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from host import pythonqt
from host.fixtures import *  # noqa: F403

pythonqt(__name__)
EXAMPLE = Path(__file__).parent / "example" / "HostExample.py"


@pytest.fixture
def volume(host):
    """A bright square on black, 6 slices of 64 x 64, shown in the slice views."""
    import slicer

    voxels = np.zeros((6, 64, 64), np.int16)
    voxels[:, 16:48, 16:48] = 500 + 100 * np.arange(6)[:, None, None]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    node.SetSpacing(1.5, 1.5, 8)
    slicer.util.updateVolumeFromArray(node, voxels)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetAutoWindowLevel(False)
    node.GetDisplayNode().SetWindowLevelMinMax(0, 1000)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


@pytest.fixture
def example(host):
    yield host.enter(EXAMPLE)
    host.leave()


def test_a_slice_view_shows_the_volume_and_follows_its_offset(host, volume):
    import slicer

    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    logic.SetSliceOffset(0)
    first = host.pixels("Red")
    logic.SetSliceOffset(40)
    last = host.pixels("Red")
    rows, columns, _ = first.shape
    assert first[rows // 2, columns // 2, 0] < last[rows // 2, columns // 2, 0]


def test_the_users_buttons_and_what_they_show(host, volume, example):
    before = host.pixels("Red")
    assert example.ui.volumeSelector.currentNode() is None
    example.ui.volumeSelector.setCurrentNode(volume)
    example.ui.runButton.click()
    after = host.pixels("Red")
    assert example.ui.resultLabel.text.startswith("heart: 1")
    assert not example.ui.runButton.enabled
    assert np.abs(after.astype(int) - before).max() > 100
    host.leave()
    assert np.array_equal(host.pixels("Red"), before)


def test_messages_are_recorded(host, example):
    example.ui.runButton.click()
    assert host.dialogs.texts("error") == ["Choose a volume"]


def test_the_parameter_node_and_its_widgets_agree(host, volume, example):
    example.ui.opacitySlider.value = 0.25
    example.ui.commentEdit.text = "ghosts"
    example.ui.volumeSelector.setCurrentNode(volume)
    settings = example.settings
    assert (settings.opacity, settings.comment, settings.volume) == (0.25, "ghosts", volume)
    settings.overlay = False
    assert not example.ui.overlayCheckBox.checked
    with pytest.raises(ValueError, match="not within"):
        settings.opacity = 2.0


def test_a_scene_survives_mrb(host, volume, example, tmp_path):
    import slicer

    example.ui.commentEdit.text = "saved"
    example.ui.volumeSelector.setCurrentNode(volume)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "results")
    hierarchy.SetItemParent(
        hierarchy.GetItemByDataNode(table), hierarchy.GetItemByDataNode(volume)
    )
    voxels = slicer.util.arrayFromVolume(volume).copy()
    path = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(False)
    assert example.settings.volume is None
    slicer.util.loadScene(str(path))
    example.reset()
    assert example.ui.commentEdit.text == "saved"
    assert example.ui.volumeSelector.currentNode().GetName() == "heart"
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.util.getNode("heart")), voxels)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    child = hierarchy.GetItemByDataNode(slicer.util.getNode("results"))
    assert hierarchy.GetItemName(hierarchy.GetItemParent(child)) == "heart"


def test_enter_exit_and_reload(host, example):
    import slicer

    assert example.entered == 1 and example.parent.isEntered
    slicer.util.reloadScriptedModule("HostExample")
    fresh = slicer.util.getModuleWidget("HostExample")
    assert fresh is not example and example.cleaned == 1
    assert slicer.util.getModuleLogic("HostExample").double(4) == 8
    fresh.ui.runButton.click()
    assert host.dialogs.texts("error") == ["Choose a volume"]
    fresh.entered = 1


def test_the_modules_own_test_runs(host, example):
    import slicer

    slicer.selfTests["HostExample"]()


def test_an_exception_in_a_slot_is_noticed(host):
    import qt

    button = qt.QPushButton("x")
    button.clicked.connect(lambda *_: 1 / 0)
    button.click()
    assert "ZeroDivisionError" in host.raised.pop()
