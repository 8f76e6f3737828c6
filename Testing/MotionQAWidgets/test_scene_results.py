"""Results in the scene: what is stored is found again, also in a saved scene."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt
from MotionQALib.scale import Grade

from . import graded
from .held_resources import observed

pythonqt(__name__)


@pytest.fixture
def results(host):
    from MotionQAWidgets.scene_results import SceneResults

    results = SceneResults()
    yield results
    results.close()


def same(a, b) -> bool:
    for name in ("volume", "source", "identity", "checkpoint", "notice", "device", "remarks"):
        assert getattr(a, name) == getattr(b, name)
    for name in ("probabilities", "volume_probabilities", "seconds"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), atol=1e-5)
    for name in ("uncertain", "volume_uncertain", "scores", "volume_score", "overrides"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    return True


def test_what_is_stored_is_found_under_the_volume(results):
    import slicer

    volume, told = graded.volume(), []
    results.changed.connect(lambda: told.append(1))
    assert results.result_for(volume) is None and results.volume_nodes() == []
    table = results.store(volume, graded.assessment(), slice_axis=2)
    result = results.result_for(volume)
    assert told and same(result.assessment, graded.assessment())
    assert (result.table_node, result.slice_axis) == (table, 2)
    assert results.volume_nodes() == [volume]
    assert result.row_for(0, 2).score == 1 and result.row_for(None, None).score == 2
    assert result.row_for(0, 6) is None
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(table)
    assert hierarchy.GetItemParent(item) == hierarchy.GetItemByDataNode(volume)


def test_the_table_has_the_columns_of_the_csv(results):
    from MotionQALib.results import Row

    table = results.store(graded.volume(), graded.assessment()).GetTable()
    columns = [table.GetColumnName(number) for number in range(table.GetNumberOfColumns())]
    assert columns[: len(Row._fields)] == list(Row._fields)
    assert table.GetNumberOfRows() == len(graded.SCORES) + 1
    assert table.GetColumnByName("slice").GetValue(2) == "2"
    assert table.GetColumnByName("slice").GetValue(6) == ""


def test_assessing_again_replaces_the_result_and_keeps_what_the_reader_said(results):
    import slicer

    volume = graded.volume()
    first = results.store(volume, graded.assessment())
    results.set_override(volume, 0, 4, score=5, reader="R")
    second = results.store(volume, graded.assessment((1,) * 6))
    assert first is second
    assert len(slicer.util.getNodesByClass("vtkMRMLTableNode")) == 1
    result = results.result_for(volume)
    assert result.row_for(0, 0).score == 1 and result.override_for(0, 4).score == 5
    results.store(volume, graded.assessment((1, 2)))
    assert results.result_for(volume).overrides == {}


def test_an_override_stands_beside_the_networks_grade(results):
    volume = graded.volume()
    results.store(volume, graded.assessment())
    results.set_override(volume, 0, 2, score=4, reader="Zoë\tR")
    results.set_override(volume, None, None, grade=Grade.MODERATE, reader="R")
    result = results.result_for(volume)
    assert result.row_for(0, 2).score == 1
    said = result.override_for(0, 2)
    assert (said.score, said.grade, said.reader) == (4, "mild", "Zoë R") and "T" in said.time
    assert result.override_for(None, None)[2:5] == (None, "moderate", "R")
    results.clear_override(volume, 0, 2)
    assert list(results.result_for(volume).overrides) == [(None, None)]
    with pytest.raises(KeyError):
        results.set_override(volume, 0, 9, score=4, reader="R")
    with pytest.raises(ValueError):
        results.set_override(volume, 0, 2, reader="R")


@pytest.mark.parametrize("kind", ["volume", "cine"])
def test_a_saved_scene_brings_it_back(results, tmp_path, kind):
    import slicer

    if kind == "volume":
        volume, given = graded.volume(), graded.assessment()
    else:
        volume, given = graded.cine()[0], graded.assessment([(5, 4, 3), (1, 2, 3)] * 2)
    name = volume.GetName()
    results.store(volume, given, slice_axis=2)
    results.set_override(volume, 0, 2, score=4, reader="Zoë")
    results.set_override(volume, None, None, grade=Grade.SEVERE, reader="Zoë")
    before = results.result_for(volume)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert results.volume_nodes() == []
    told = []
    results.changed.connect(lambda: told.append(1))
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    volume = slicer.util.getNode(name)
    result = results.result_for(volume)
    assert told and result is not None
    assert same(result.assessment, before.assessment)
    assert (result.slice_axis, result.overrides) == (2, before.overrides)
    assert result.browser_node is not None or kind == "volume"
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(result.table_node)
    assert hierarchy.GetItemParent(item) == hierarchy.GetItemByDataNode(volume)


@pytest.mark.parametrize("name", ['5" "heart"', "a\tb\nc", "#1 心臓", " a\\n "])
def test_a_saved_scene_brings_back_odd_names(results, tmp_path, name):
    import slicer

    volume = graded.volume("odd")
    results.store(volume, graded.assessment(name=name))
    results.set_override(volume, 0, 2, score=4, reader=name)
    before = results.result_for(volume)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    result = results.result_for(slicer.util.getNode("odd"))
    assert result is not None and same(result.assessment, before.assessment)


def test_the_frame_is_its_own_sequences_also_where_another_one_leads(results):
    import slicer

    browser = graded.cine(frames=8)[1]
    slow = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "slow")
    for moment in ("0", "4"):
        still = graded.volume("still", 3, shown=False)
        slow.SetDataNodeAtValue(still, moment)
        slicer.mrmlScene.RemoveNode(still)
    browser.AddSynchronizedSequenceNodeID(slow.GetID())
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    volume = browser.GetProxyNode(slow)
    results.store(volume, graded.assessment([(5, 4, 3), (1, 2, 3)]))
    result = results.result_for(volume)
    shown = []
    for item in range(8):
        browser.SetSelectedItemNumber(item)
        shown.append(result.current_frame)
    assert shown == sorted(shown) and (shown[0], shown[4], shown[7]) == (0, 1, 1)
    result.show_frame(0)
    assert (browser.GetSelectedItemNumber(), result.current_frame) == (0, 0)
    result.show_frame(1)
    assert browser.GetSelectedItemNumber() == 4
    slicer.mrmlScene.RemoveNode(browser)
    assert result.current_frame is None  # the image stays, and nothing tells which it is


def test_it_goes_with_its_volume_and_only_with_it(results):
    import slicer

    first, second = graded.volume("a"), graded.volume("b")
    for volume in (first, second):
        results.store(volume, graded.assessment(name=volume.GetName()))
    slicer.mrmlScene.RemoveNode(first)
    assert results.volume_nodes() == [second]
    assert len(slicer.util.getNodesByClass("vtkMRMLTableNode")) == 1
    told = []
    results.changed.connect(lambda: told.append(1))
    results.remove(second)
    assert told and results.result_for(second) is None
    assert slicer.util.getNodesByClass("vtkMRMLTableNode") == []


def test_another_ones_results_are_found_when_they_come(results):
    from MotionQAWidgets.scene_results import SceneResults

    volume, other = graded.volume(), SceneResults()
    assert results.result_for(volume) is None
    other.store(volume, graded.assessment())
    other.set_override(volume, 0, 0, score=1, reader="R")
    other.close()
    assert results.result_for(volume).override_for(0, 0).score == 1


def test_a_damaged_table_counts_as_none(results, caplog):
    volume = graded.volume()
    table = results.store(volume, graded.assessment())
    table.GetTable().RemoveRow(2)
    assert results.result_for(volume) is None and "cannot read" in caplog.text
    table.GetTable().RemoveColumnByName("p1")
    assert results.result_for(volume) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [("slice", "4000000000"), ("slice", "-1"), ("p1", 7.0), ("p1", float("nan"))],
)
def test_a_table_edited_to_nonsense_counts_as_none(results, column, value):
    volume = graded.volume()
    table = results.store(volume, graded.assessment()).GetTable()
    table.GetColumnByName(column).SetValue(0, value)
    table.Modified()
    assert results.result_for(volume) is None


def test_closing_leaves_no_observer(host):
    import slicer

    from MotionQAWidgets.scene_results import SceneResults

    scene = slicer.mrmlScene
    held = observed(scene)
    results, told = SceneResults(), []
    assert observed(scene) > held
    results.changed.connect(lambda: told.append(1))
    results.close()
    graded.volume()
    scene.Clear(False)
    assert told == [] and observed(scene) == held
