"""Where the network saw motion: as nodes of the scene, and over the views."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt

from . import graded

pythonqt(__name__)
LATE = 150.0


def textured(name: str = "heart", slices: int = 3, shown: bool = True):
    """A volume with something to see in it."""
    import slicer

    node = graded.volume(name, slices, shown=shown)
    grey = np.random.default_rng(3).integers(100, 900, (slices, 64, 64))
    slicer.util.updateVolumeFromArray(node, grey.astype(np.int16))
    return node


def ramp(slices: int = 3) -> np.ndarray:
    """Relevance that rises along the columns, (slices, rows, columns)."""
    return np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (slices, 64, 64))


@pytest.fixture
def maps(host):
    from MotionQAWidgets.relevance_map import RelevanceMaps

    maps = RelevanceMaps()
    yield maps
    maps.close()


@pytest.fixture
def panel(host):
    yield host.enter("MotionQA")
    host.leave()


@pytest.fixture
def shown(host, panel):
    """A graded volume with its map over it, as the panel has it without the grading process."""
    volume = textured()
    show(panel, volume)
    return volume


def show(panel, volume, frame: int = 0, relevance=None, **assessment) -> None:
    grading = panel.logic.grading
    grading.results.store(volume, graded.assessment((1, 2, 3), **assessment))
    relevance = ramp() if relevance is None else relevance
    grading.maps.store(volume, relevance, slice_axis=2, frame=frame, checkpoint="random")
    panel.ui.volumeSelector.setCurrentNode(volume)
    panel.ui.relevanceCheckBox.click()


def foreground(view: str = "Red"):
    import slicer

    layers = slicer.app.layoutManager().sliceWidget(view).sliceLogic().GetSliceCompositeNode()
    return layers.GetForegroundVolumeID(), layers.GetForegroundOpacity()


# The nodes


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_map_lies_on_the_slices_it_is_of(host, maps, axis):
    import slicer

    from MotionQAWidgets.volume_input import VolumeInput

    shape = [20, 22, 24]  # of IJK
    shape[axis] = 4
    spacing = [1.5, 1.5, 1.5]
    spacing[axis] = 9.0
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    volume.SetSpacing(spacing)
    slicer.util.updateVolumeFromArray(volume, np.random.default_rng(1).random(shape[::-1]))
    slices = VolumeInput.of_node(volume)
    assert slices.slice_axis == axis
    node = maps.store(volume, slices.frames[0], slice_axis=axis, frame=0, checkpoint="random")
    there, here = slicer.util.arrayFromVolume(volume), slicer.util.arrayFromVolume(node)
    assert np.allclose(there, here)


def test_a_map_lies_where_its_volume_does(host, maps):
    import slicer
    import vtk

    volume = textured()
    turned = vtk.vtkMatrix4x4()
    for (row, column), value in {(0, 0): 0, (0, 1): -1.5, (1, 0): 1.5, (1, 1): 0}.items():
        turned.SetElement(row, column, value)
    turned.SetElement(2, 3, 30)
    volume.SetIJKToRASMatrix(turned)
    moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(moved.GetID())
    node = maps.store(volume, ramp(), slice_axis=2, frame=0, checkpoint="random")
    there, here = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(there)
    node.GetIJKToRASMatrix(here)
    elements = [(r, c) for r in range(4) for c in range(4)]
    assert [there.GetElement(*e) for e in elements] == [here.GetElement(*e) for e in elements]
    assert node.GetTransformNodeID() == moved.GetID()


def test_a_volume_has_one_map_under_it_in_colours_of_its_own(host, maps):
    import slicer

    volume = textured()
    first = maps.store(volume, ramp(), slice_axis=2, frame=0, checkpoint="random")
    again = maps.store(volume, ramp() / 2, slice_axis=2, frame=1, checkpoint="random")
    other = maps.store(textured("other"), ramp(), slice_axis=2, frame=0, checkpoint="random")
    assert first is again and maps.map_for(volume).frame == 1
    assert slicer.util.arrayFromVolume(first).max() == pytest.approx(0.5)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parent = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(first))
    assert hierarchy.GetItemDataNode(parent) is volume
    colours = {node.GetDisplayNode().GetColorNode() for node in (first, other)}
    assert len(colours) == 1 and colours.pop().GetName() == "MotionQA relevance"
    slicer.mrmlScene.RemoveNode(volume)
    assert maps.map_for(volume) is None and maps.nodes() == [other]


def test_a_saved_scene_brings_the_map_back(host, maps, tmp_path):
    import slicer

    volume = textured("herz ö")
    maps.store(volume, ramp(), slice_axis=2, frame=0, checkpoint="random")
    before = slicer.util.arrayFromVolume(maps.map_for(volume).node).copy()
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert maps.nodes() == []
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    volume = slicer.util.getNode("herz ö")
    found = maps.map_for(volume)
    assert (found.frame, found.checkpoint) == (0, "random")
    assert np.array_equal(slicer.util.arrayFromVolume(found.node), before)
    colours = found.node.GetDisplayNode().GetColorNode()
    colour = [0.0] * 4
    assert colours.GetColor(255, colour) and colour == pytest.approx([1, 217 / 255, 160 / 255, 1])
    again = maps.store(volume, ramp(), slice_axis=2, frame=0, checkpoint="random")
    assert again.GetDisplayNode().GetColorNode() is colours


# Over the views


def test_the_map_shows_over_the_anatomy_and_goes_again(host, panel):
    volume = textured()
    panel.ui.overlayCheckBox.click()  # off: here only the map may change the picture
    panel.ui.volumeSelector.setCurrentNode(volume)
    before = host.pixels("Red")
    show(panel, volume)
    with_map = host.pixels("Red")
    changed = (with_map != before).any(axis=2)
    assert changed.sum() > 500
    red, blue = (with_map[changed].astype(int)[:, c].mean() for c in (0, 2))
    assert red > blue
    height, width = changed.shape
    thirds = [changed[:, :third].sum() for third in (width // 3, width)]
    assert thirds[0] < 0.4 * thirds[1]  # faint places stay as they were
    panel.ui.relevanceSlider.value = 0.0
    above = slice(0, height - height // 4)  # of the corner where Slicer names the foreground
    assert np.array_equal(host.pixels("Red")[above], before[above])
    panel.ui.relevanceSlider.value = 0.9
    assert not np.array_equal(host.pixels("Red"), before)
    panel.ui.relevanceCheckBox.click()
    assert np.array_equal(host.pixels("Red"), before)
    assert foreground() == (None, 0.0)
    assert panel.logic.grading.maps.map_for(volume) is not None


def test_leaving_gives_a_foreground_back_and_coming_shows_the_map_again(host, panel):
    import slicer

    volume, own = textured(), textured("own", shown=False)
    slicer.util.setSliceViewerLayers(foreground=own, foregroundOpacity=0.25)
    before = host.pixels("Green")
    show(panel, volume)
    node = panel.logic.grading.maps.map_for(volume).node
    assert foreground() == (node.GetID(), 0.5)
    host.leave()
    assert foreground() == (own.GetID(), 0.25)
    assert np.array_equal(host.pixels("Green"), before)
    host.enter("MotionQA")
    assert foreground() == (node.GetID(), 0.5)
    panel.ui.relevanceCheckBox.click()
    assert foreground() == (own.GetID(), 0.25)


def test_a_foreground_that_the_user_chose_meanwhile_stays(host, panel, shown):
    import slicer

    own = textured("own", shown=False)
    layers = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    layers.SetForegroundVolumeID(own.GetID())
    panel.ui.relevanceSlider.value = 0.8
    assert foreground("Red")[0] == own.GetID() and foreground("Green")[1] == 0.8
    host.leave()
    assert foreground("Red")[0] == own.GetID() and foreground("Green") == (None, 0.0)


def test_a_view_that_shows_another_volume_loses_the_map(host, panel, shown):
    import slicer

    other = textured("other", shown=False)
    layers = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    layers.SetBackgroundVolumeID(other.GetID())
    assert foreground("Red") == (None, 0.0)
    assert foreground("Green")[1] == 0.5
    layers.SetBackgroundVolumeID(shown.GetID())
    assert foreground("Red")[1] == 0.5


def test_the_map_comes_into_views_that_are_new(host, panel, monkeypatch):
    import slicer

    from MotionQAWidgets import slice_geometry

    layout = slicer.app.layoutManager()
    with monkeypatch.context() as before:
        before.setattr(slice_geometry, "slice_widgets", lambda: [layout.sliceWidget("Red")])
        show(panel, textured())
        assert (foreground("Red")[1], foreground("Green")[1]) == (0.5, 0.0)
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert foreground("Green")[1] == 0.5
    host.leave()
    assert foreground("Red") == foreground("Green") == (None, 0.0)


def test_the_grades_stay_over_an_opaque_map(host, panel, shown):
    panel.ui.relevanceSlider.value = 1.0
    with_grades = host.pixels("Red")
    panel.ui.overlayCheckBox.click()
    assert (host.pixels("Red") != with_grades).any()


def test_a_map_is_no_volume_to_grade(host, panel, shown):
    import slicer

    maps = panel.logic.grading.maps
    listed = [panel.ui.volumeSelector.nodeFromIndex(i) for i in range(2)]
    assert listed == [shown, None]
    node = maps.map_for(shown).node
    slicer.util.setSliceViewerLayers(background=node)
    assert panel.logic.shownVolume() is shown


def test_another_frame_hides_the_map_and_says_so(host, panel):
    volume, browser = graded.cine()
    browser.SetSelectedItemNumber(2)
    grading = panel.logic.grading
    grading.results.store(volume, graded.assessment(((1, 2, 3),) * 4))
    node = grading.maps.store(volume, ramp(), slice_axis=2, frame=2, checkpoint="random")
    panel.ui.volumeSelector.setCurrentNode(volume)
    panel.ui.relevanceCheckBox.click()
    assert panel.ui.relevanceLabel.text == "Map of frame 2."
    assert foreground() == (node.GetID(), 0.5) and not panel.ui.relevanceButton.visible
    browser.SetSelectedItemNumber(1)
    assert foreground() == (None, 0.0)
    assert "The map is of frame 2" in panel.ui.relevanceLabel.text
    assert panel.ui.relevanceButton.visible and panel.ui.relevanceButton.text == "Map frame 1"
    browser.SetSelectedItemNumber(2)
    assert foreground() == (node.GetID(), 0.5)


def test_a_map_with_nothing_in_it_says_so(host, panel):
    show(panel, textured(), relevance=0.05 * ramp())
    assert panel.ui.relevanceLabel.text.startswith("Nothing to show")


def test_the_map_of_another_checkpoint_goes(host, panel, shown):
    grading = panel.logic.grading
    grading.results.store(shown, graded.assessment((1, 2, 3), checkpoint="another"))
    assert grading.maps.map_for(shown) is None and foreground() == (None, 0.0)
    panel.ui.relevanceButton.click()
    assert "graded with another, which is not installed" in panel.ui.messageLabel.text


def test_the_map_goes_with_its_volume(host, panel, shown):
    import slicer

    slicer.mrmlScene.RemoveNode(shown)
    assert panel.logic.grading.maps.nodes() == []
    assert foreground() == (None, 0.0)
    assert not panel.ui.relevanceCheckBox.enabled


def test_a_saved_scene_opens_with_its_map_shown(host, panel, shown, tmp_path):
    import slicer

    panel.ui.relevanceSlider.value = 0.7
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert foreground()[0] is None
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    host.process_events()
    volume = slicer.util.getNode("heart")
    node = panel.logic.grading.maps.map_for(volume).node
    assert panel.ui.relevanceCheckBox.checked and panel.ui.relevanceSlider.value == 0.7
    assert foreground() == (node.GetID(), 0.7)
    panel.ui.relevanceCheckBox.click()
    assert foreground() == (None, 0.0)


# With the grading process


def wait(host, panel):
    host.wait_until(lambda: panel.ui.assessButton.text == "Assess motion", seconds=LATE)


def test_ticking_the_box_makes_the_map_and_regrading_makes_it_anew(host, panel):
    volume = textured()
    panel.ui.volumeSelector.setCurrentNode(volume)
    assert not panel.ui.relevanceCheckBox.enabled
    panel.ui.assessButton.click()
    wait(host, panel)
    grading = panel.logic.grading
    panel.ui.relevanceCheckBox.click()
    assert panel.ui.progressBar.visible and panel.ui.assessButton.text == "Cancel"
    wait(host, panel)
    first = grading.maps.map_for(volume)
    assert first.checkpoint == "motionqa-starter" and not panel.ui.progressBar.visible
    assert foreground()[0] == first.node.GetID()
    panel.ui.assessButton.click()
    wait(host, panel)  # the grading, and the map right after it
    assert grading.maps.map_for(volume).node is not first.node
    assert foreground()[0] == grading.maps.map_for(volume).node.GetID()
    panel.ui.relevanceCheckBox.click()
    grading.maps.remove(volume)
    panel.ui.relevanceCheckBox.click()
    panel.ui.assessButton.click()  # Cancel
    wait(host, panel)
    assert panel.ui.messageLabel.text == "Cancelled."
    assert grading.maps.map_for(volume) is None and panel.ui.relevanceButton.visible


def test_the_map_is_the_explanation_of_the_frame(host, panel):
    """What the scene holds is what the grading process says of all slices of that frame."""
    import slicer

    volume, browser = graded.cine()
    rng = np.random.default_rng(4)
    sequence = browser.GetMasterSequenceNode()
    for number in range(4):
        grey = rng.integers(0, 900, (3, 64, 64)).astype(np.int16)
        slicer.util.updateVolumeFromArray(sequence.GetNthDataNode(number), grey)
    browser.SetSelectedItemNumber(1)
    grading = panel.logic.grading
    panel.logic.assess(volume)
    panel.ui.volumeSelector.setCurrentNode(volume)
    panel.ui.relevanceCheckBox.click()
    wait(host, panel)
    found = grading.maps.map_for(volume)
    assert found.frame == 1

    from MotionQAWidgets.volume_input import VolumeInput

    whole, maps = VolumeInput.of_node(volume), []
    grading.worker.explained.connect(lambda _number, value: maps.append(value))
    grading.worker.explain(
        whole.frames, whole.spacing, range(12), name="x", checkpoint="motionqa-starter"
    )
    host.wait_until(lambda: maps, seconds=LATE)
    expected = maps[0].reshape(4, 3, 64, 64)[1]
    assert np.allclose(slicer.util.arrayFromVolume(found.node), expected, atol=2e-3)
