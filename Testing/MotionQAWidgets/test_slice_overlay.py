"""Grades over the slice views, read from rendered pixels."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt
from MotionQALib.palette import GRADE_COLOURS, rgb
from MotionQALib.scale import Grade, grade_of

from . import graded
from .slice_views import texts

pythonqt(__name__)

GRADES = {grade_of(score): score for score in (5, 3, 1)}


@pytest.fixture
def results(host):
    from MotionQAWidgets.scene_results import SceneResults

    results = SceneResults()
    yield results
    results.close()


@pytest.fixture
def overlay(results):
    from MotionQAWidgets.slice_overlay import SliceOverlay

    overlay = SliceOverlay(results)
    yield overlay
    overlay.close()


def edge(host, view: str = "Red") -> np.ndarray:
    """(n, 3) pixels along the four sides of a view, two pixels inside."""
    pixels = host.pixels(view)
    sides = (pixels[2, 4:-4], pixels[-3, 4:-4], pixels[4:-4, 2], pixels[4:-4, -3])
    return np.concatenate(sides)


def framed(host, view: str = "Red") -> Grade | None:
    """The grade whose colour all four sides have; None where no frame is."""
    pixels = edge(host, view)
    for grade, colour in GRADE_COLOURS.items():
        if (np.abs(pixels - np.array(rgb(colour.on_dark), int)) <= 3).all():
            return grade
    found = [(np.abs(pixels - np.array(rgb(c.on_dark), int)) <= 3).all(1) for c in
             GRADE_COLOURS.values()]  # fmt: skip
    assert not np.any(found), "half a frame"
    return None


def n_props() -> list[int]:
    import slicer

    layout = slicer.app.layoutManager()
    views = [layout.sliceWidget(name).sliceView() for name in layout.sliceViewNames()]
    renderers = [view.renderWindow().GetRenderers().GetFirstRenderer() for view in views]
    return [renderer.GetViewProps().GetNumberOfItems() for renderer in renderers]


@pytest.mark.parametrize("grey", [0, 1000])
def test_the_frame_has_the_colour_of_the_slices_grade_and_follows_scrolling(
    host, results, overlay, grey
):
    volume = graded.volume(grey=grey)
    graded.scroll(0)
    bare = host.pixels()
    assert framed(host) is None and texts() == []
    results.store(volume, graded.assessment())
    for index, score in enumerate(graded.SCORES):
        graded.scroll(index)
        assert framed(host) is grade_of(score)
        assert texts()[0].startswith(f"{score} · {grade_of(score).label} ")
    graded.scroll(0)
    changed = (host.pixels() != bare).any(2)
    rows, columns = changed.shape
    assert changed[0].all() and changed[-1].all() and changed[:, 0].all()
    assert not changed[rows // 4 : -rows // 4, columns // 8 : -columns // 8].any()


@pytest.mark.parametrize("grey", [0, 1000])
def test_the_words_can_be_read_on_black_and_on_white(host, results, overlay, grey):
    volume = graded.volume(grey=grey)
    results.store(volume, graded.assessment((5, 3, 1)))
    for index, score in enumerate((5, 3, 1)):
        graded.scroll(index)
        colour = GRADE_COLOURS[grade_of(score)]
        pixels = host.pixels().astype(int)
        near = [(np.abs(pixels - rgb(part)) <= 12).all(2) for part in (colour.fill, colour.text)]
        badge = np.argwhere(near[0])
        (top, left), (bottom, right) = badge.min(0), badge.max(0)
        assert 100 < right - left < pixels.shape[1] and 10 < bottom - top < 80
        inside = near[1][top : bottom + 1, left : right + 1]
        assert 0.05 < inside.mean() < 0.5  # the words, on a badge of the grade's own colour


def test_no_frame_beyond_the_slices(host, results, overlay):
    volume = graded.volume()
    results.store(volume, graded.assessment())
    for index in (-1, 6):
        graded.scroll(index)
        assert framed(host) is None
    graded.scroll(5.4)
    assert framed(host) is Grade.MODERATE


def test_scrolling_is_followed_before_qt_comes_round(host, results, overlay):
    """In the same call: no timer, so no frame of the old colour."""
    results.store(graded.volume(), graded.assessment())
    graded.scroll(0)
    assert texts()[0].startswith("5")
    graded.scroll(2)
    assert texts()[0].startswith("1")


def test_uncertain_and_what_the_reader_says(host, results, overlay):
    volume = graded.volume()
    results.store(volume, graded.assessment())
    graded.scroll(1)
    assert texts() == ["3 · moderate 80 %\nuncertain"]
    results.set_override(volume, 0, 1, score=5, reader="A. Reader")
    assert texts() == ["3 · moderate 80 %\nuncertain\nA. Reader: 5 · mild"]
    assert framed(host) is Grade.MODERATE
    graded.scroll(0)
    assert texts() == ["5 · mild 85 %"]


def test_views_across_the_slices_show_the_volumes_grade(host, results, overlay):
    results.store(graded.volume(), graded.assessment(volume_score=3))
    graded.scroll(0)
    assert framed(host, "Red") is Grade.MILD
    for view in ("Green", "Yellow"):
        assert framed(host, view) is Grade.MODERATE
        assert texts(view) == ["Volume: 3 · moderate 70 %"]


def test_an_oblique_view_shows_the_volumes_grade(host, results, overlay):
    import slicer
    import vtk

    results.store(graded.volume(), graded.assessment(volume_score=2))
    graded.scroll(0)
    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    for angle, expected in ((0.5, Grade.MILD), (20, Grade.SEVERE)):
        turn = vtk.vtkTransform()
        turn.SetMatrix(node.GetSliceToRAS())
        turn.RotateX(angle)
        node.GetSliceToRAS().DeepCopy(turn.GetMatrix())
        node.UpdateMatrices()
        assert framed(host) is expected
    node.SetOrientation("Axial")
    graded.scroll(0)
    assert framed(host) is Grade.MILD


def test_an_oblique_volume_is_followed_in_its_own_plane(host, results, overlay):
    import slicer
    import vtk

    from MotionQAWidgets import slice_geometry

    volume = graded.volume()
    turn, matrix = vtk.vtkTransform(), vtk.vtkMatrix4x4()
    turn.RotateX(35)
    turn.RotateY(20)
    turn.Translate(10, 20, 30)
    volume.GetIJKToRASMatrix(matrix)
    turn.Concatenate(matrix)
    volume.SetIJKToRASMatrix(turn.GetMatrix())
    results.store(volume, graded.assessment(volume_score=3))
    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert texts()[0].startswith("Volume")
    slice_geometry.align_view(node, volume)
    for index, score in enumerate(graded.SCORES):
        slice_geometry.jump_to(volume, index)
        assert slice_geometry.slice_index(node, volume) == index
        assert framed(host) is grade_of(score)
    node.SetOrientation("Axial")


def test_a_moved_volume_is_followed(host, results, overlay):
    import slicer
    import vtk

    volume = graded.volume()
    results.store(volume, graded.assessment())
    graded.scroll(2)
    assert framed(host) is Grade.SEVERE
    move, matrix = (
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode"),
        vtk.vtkMatrix4x4(),
    )
    matrix.SetElement(2, 3, 16.0)
    move.SetMatrixTransformToParent(matrix)
    volume.SetAndObserveTransformNodeID(move.GetID())
    assert framed(host) is Grade.MILD
    volume.SetAndObserveTransformNodeID(None)
    assert framed(host) is Grade.SEVERE


def test_slices_along_another_axis(host, results, overlay):
    """64 sagittal slices: the yellow view shows them."""
    import slicer

    volume = graded.volume()
    results.store(volume, graded.assessment((5, 1) * 32, volume_score=3), slice_axis=0)
    node = slicer.app.layoutManager().sliceWidget("Yellow").mrmlSliceNode()
    for index, expected in ((10, Grade.MILD), (11, Grade.SEVERE)):
        node.JumpSliceByOffsetting(1.5 * index, 0, 0)
        assert framed(host, "Yellow") is expected
    assert framed(host, "Red") is Grade.MODERATE


def test_the_cine_frame_is_followed(host, results, overlay):
    proxy, browser = graded.cine(slices=3, frames=4)
    results.store(proxy, graded.assessment([(5, 5, 5), (3, 3, 3), (1, 1, 1), (5, 3, 1)]))
    graded.scroll(0)
    seen = []
    for frame in range(4):
        browser.SetSelectedItemNumber(frame)
        seen.append(framed(host))
    assert seen == [Grade.MILD, Grade.MODERATE, Grade.SEVERE, Grade.MILD]
    graded.scroll(2)
    assert framed(host) is Grade.SEVERE
    browser.SetSelectedItemNumber(1)
    assert framed(host) is Grade.MODERATE


def test_two_volumes_each_with_its_own(host, results, overlay):
    import slicer

    first, second = graded.volume("a"), graded.volume("b")
    results.store(first, graded.assessment((5,) * 6))
    results.store(second, graded.assessment((1,) * 6))
    graded.scroll(1)
    assert framed(host) is Grade.SEVERE
    slicer.util.setSliceViewerLayers(background=first)
    assert framed(host) is Grade.MILD
    slicer.util.setSliceViewerLayers(background=first, foreground=second, foregroundOpacity=0.8)
    assert framed(host) is Grade.SEVERE
    slicer.mrmlScene.RemoveNode(second)
    assert framed(host) is Grade.MILD
    third = graded.volume("c")
    assert framed(host) is None and third
    slicer.util.setSliceViewerLayers(foreground=first, foregroundOpacity=0.3)
    assert framed(host) is Grade.MILD


def test_it_is_switched_off_and_on(host, results, overlay):
    volume = graded.volume()
    graded.scroll(2)
    bare = host.pixels()
    results.store(volume, graded.assessment())
    overlay.visible = False
    assert np.array_equal(host.pixels(), bare)
    graded.scroll(3)
    assert framed(host) is None
    overlay.visible = True
    assert framed(host) is Grade.SEVERE


def test_closing_leaves_nothing_in_the_views(host, results):
    import slicer

    from MotionQAWidgets.slice_overlay import SliceOverlay

    volume, before = graded.volume(), n_props()
    graded.scroll(2)
    bare = host.pixels()
    results.store(volume, graded.assessment())
    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    observed = node.HasObserver("ModifiedEvent")
    overlay = SliceOverlay(results)
    assert framed(host) is Grade.SEVERE and n_props() != before
    overlay.close()
    overlay.close()
    assert n_props() == before and np.array_equal(host.pixels(), bare)
    assert node.HasObserver("ModifiedEvent") == observed
    graded.scroll(3)
    results.store(volume, graded.assessment((1,) * 6))
    layout = slicer.app.layoutManager()
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert n_props() == before


def test_it_follows_the_layout_and_fits_small_views(host, results, overlay):
    import slicer

    results.store(graded.volume(), graded.assessment())
    layout = slicer.app.layoutManager()
    before = n_props()
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    host.process_events(0.1)
    graded.scroll(2)
    assert framed(host) is Grade.SEVERE and n_props() == before
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
    host.process_events(0.1)
    assert framed(host, "Green") is Grade.SEVERE
    view = layout.sliceWidget("Red").sliceView()
    for size in ((120, 90), (160, 400), (900, 700)):
        view.renderWindow().SetSize(*size)  # the slice node is told nothing
        pixels = host.pixels().astype(int)
        assert pixels.shape[:2] == size[::-1] and framed(host) is Grade.SEVERE
        fill = np.argwhere((np.abs(pixels - rgb(GRADE_COLOURS[Grade.SEVERE].fill)) <= 12).all(2))
        assert fill[:, 1].min() > 3 and fill[:, 1].max() < size[0] - 4
    slicer.app.layoutManager().sliceWidget("Red").resize(300, 300)


def test_a_saved_scene_reopens_with_its_overlay(host, results, overlay, tmp_path):
    import slicer

    results.store(graded.volume(), graded.assessment())
    graded.scroll(2)
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert framed(host) is None and texts("Green") == []
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert framed(host) is Grade.SEVERE
    graded.scroll(0)
    assert framed(host) is Grade.MILD


def test_following_costs_little(host, results, overlay):
    import time

    results.store(graded.volume(), graded.assessment())
    graded.scroll(0)
    before = time.thread_time()
    for _ in range(20):
        overlay.update()
    assert (time.thread_time() - before) / 20 < 0.02
