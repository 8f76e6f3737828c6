"""Looking through a result in the panel: its buttons, menus, files, and what it leaves behind."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from host import pythonqt

from . import graded
from .held_resources import observed
from .slice_views import texts

pythonqt(__name__)


@pytest.fixture
def panel(host):
    yield host.enter("MotionQA")
    host.leave()


@pytest.fixture
def results(panel):
    return panel.logic.grading.results


@pytest.fixture
def view(panel):
    view = panel.panel.results_view
    view.mine.name_edit.text = "Zoë Reader"
    view.mine.name_edit.editingFinished.emit()
    return view


@pytest.fixture
def volume(panel, results, view):
    node = graded.volume()
    panel.ui.volumeSelector.setCurrentNode(node)
    results.store(node, graded.assessment())
    graded.scroll(0)
    return node


def shown(node, view: str = "Red") -> int:
    import slicer

    from MotionQAWidgets import slice_geometry

    return slice_geometry.slice_index(
        slicer.app.layoutManager().sliceWidget(view).mrmlSliceNode(), node
    )


def click(table, row: int, column: int) -> None:
    """With the left mouse button, where the cell is drawn."""
    import qt

    middle = table.visualItemRect(table.item(row, column)).center()
    qt.QTest.mouseClick(table.viewport(), qt.Qt.LeftButton, qt.Qt.NoModifier, middle)


def choose(menu, start: str) -> None:
    """Open a menu and take the entry that starts so."""
    menu.aboutToShow.emit()
    (action,) = [action for action in menu.actions() if action.text.startswith(start)]
    assert action.enabled
    action.trigger()


def export(host, view, kind: str, path: Path) -> str:
    host.files.answers.append(str(path))
    choose(view.export.button.menu(), kind)
    return view.message.text


def test_it_is_there_only_with_a_result(panel, results, view, volume):
    assert view.widget.visible
    panel.ui.volumeSelector.setCurrentNode(graded.volume("other"))
    assert not view.widget.visible
    panel.ui.volumeSelector.setCurrentNode(volume)
    assert view.widget.visible
    results.remove(volume)
    assert not view.widget.visible


def test_a_click_on_the_strip_jumps_and_scrolling_is_followed(host, view, volume):
    host.process_events(0.05)
    click(view.strip.widget, 1, 3)
    assert shown(volume) == 3 and view.mine.slice_button.text == "Slice 3: my grade"
    graded.scroll(5)
    bold = [view.strip.widget.item(0, column).font().bold() for column in range(6)]
    assert bold.index(True) == 5 and bold.count(True) == 1
    click(view.table.widget, 3, 1)
    assert shown(volume) == 2
    graded.scroll(40)  # beyond the slices
    assert not view.mine.slice_button.enabled and "slice view" in view.mine.slice_button.toolTip


def test_a_volume_that_no_view_shows_is_brought_into_them(host, view, volume):
    import slicer

    graded.volume("other")
    assert not view.mine.slice_button.enabled
    view.strip.widget.setCurrentCell(1, 4)
    assert shown(volume) == 4 and view.mine.slice_button.enabled
    layers = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    assert layers.GetBackgroundVolumeID() == volume.GetID()


def test_next_worst_goes_from_the_worst_on_and_round_again(view, volume):
    visited = []
    for _ in range(7):
        view.next_button.click()
        visited.append(shown(volume))
    assert visited == [2, 3, 1, 5, 4, 0, 2]  # scores 1, 2, 3, 3, 4, 5, and again
    assert "slice 3: 2 · severe" in view.next_button.toolTip


def test_one_slice_has_no_next(panel, results, view):
    node = graded.volume(slices=2)
    panel.ui.volumeSelector.setCurrentNode(node)
    results.store(node, graded.assessment((4, 2)))
    assert view.next_button.enabled
    one = graded.volume("one", slices=1)
    panel.ui.volumeSelector.setCurrentNode(one)
    both = graded.assessment((4, 2))
    results.store(
        one, replace(both, probabilities=both.probabilities[:, :1], uncertain=both.uncertain[:, :1])
    )
    assert not view.next_button.enabled and "one slice only" in view.next_button.toolTip


def test_a_cine_is_followed_and_its_worst_frames_are_found(panel, results, view):
    node, browser = graded.cine(slices=3, frames=4)
    panel.ui.volumeSelector.setCurrentNode(node)
    results.store(node, graded.assessment([(5, 5, 4), (3, 4, 5), (1, 5, 5), (4, 5, 2)]))
    graded.scroll(1)
    browser.SetSelectedItemNumber(1)
    strip = view.strip.widget
    assert strip.verticalHeaderItem(1).text() == "frame 1"
    assert [strip.item(1, column).text() for column in range(3)] == ["3", "4?", "5"]
    strip.setCurrentCell(2, 2)  # its worst frame
    assert (browser.GetSelectedItemNumber(), shown(node)) == (3, 2)
    view.next_button.click()
    assert (browser.GetSelectedItemNumber(), shown(node)) == (2, 0)
    choose(view.mine.slice_button.menu(), "4")
    assert list(results.result_for(node).overrides) == [(2, 0)]


def test_my_grade_stands_beside_the_networks_and_goes_again(host, panel, results, view, volume):
    graded.scroll(2)
    choose(view.mine.slice_button.menu(), "4 · good (mild)")
    choose(view.mine.volume_button.menu(), "3")
    result = results.result_for(volume)
    assert (result.row_for(0, 2).score, result.override_for(0, 2).score) == (1, 4)
    assert result.override_for(0, 2).reader == "Zoë Reader" and result.override_for(0, 2).time
    assert view.mine.slice_button.text == "Slice 2: 4 · mild"
    assert view.strip.widget.item(1, 2).text() == "1"
    assert view.strip.widget.item(2, 2).text() == "4"
    assert texts() == ["1 · severe 85 %\nZoë Reader: 4 · mild"]
    assert "Volume: 2 · severe (77 %); Zoë Reader: 3 · moderate" in panel.ui.resultLabel.text
    view.mine.slice_button.menu().aboutToShow.emit()
    ticked = [action.text for action in view.mine.slice_button.menu().actions() if action.checked]
    assert ticked == ["4 · good (mild)"]
    for button in (view.mine.slice_button, view.mine.volume_button):
        choose(button.menu(), "Remove my grade")
    assert results.result_for(volume).overrides == {}
    assert "Zoë" not in panel.ui.resultLabel.text and view.strip.widget.rowCount == 2


def test_the_context_menus_of_strip_and_table_grade_too(host, results, view, volume):
    host.process_events(0.05)
    for table, row in ((view.strip.widget, 1), (view.table.widget, 0)):
        place = table.visualItemRect(table.item(row, 1)).center()
        table.customContextMenuRequested.emit(place)
        choose(view.mine.menu, "5")
        view.mine.menu.hide()
    assert set(results.result_for(volume).overrides) == {(0, 1), (None, None)}


def test_another_readers_grade_is_replaced_only_when_asked_for(host, results, view, volume):
    results.set_override(volume, 0, 0, score=1, reader="B. Other")
    host.dialogs.answers = [False, True]
    choose(view.mine.slice_button.menu(), "5")
    assert results.result_for(volume).override_for(0, 0).reader == "B. Other"
    choose(view.mine.slice_button.menu(), "5")
    assert results.result_for(volume).override_for(0, 0).reader == "Zoë Reader"
    assert len(host.dialogs.shown) == 2


def test_the_name_is_remembered_and_needed(host, results, view, volume):
    from MotionQAWidgets import reader_name
    from MotionQAWidgets.my_grade import MyGrade

    assert reader_name.remembered() == "Zoë Reader"
    other = MyGrade(results, view.widget)
    assert other.reader == "Zoë Reader"
    view.mine.name_edit.text = "  "
    menu = view.mine.slice_button.menu()
    menu.aboutToShow.emit()
    assert menu.actions()[0].text == "Type your name first"
    assert not any(action.enabled for action in menu.actions() if action.text)
    reader_name.remember("")
    assert reader_name.remembered()  # who the computer says it is


def test_it_is_written_in_each_format(host, view, volume, tmp_path):
    graded.scroll(2)
    choose(view.mine.slice_button.menu(), "4")
    for kind in ("CSV", "JSON", "HTML"):
        path = tmp_path / f"grades.{kind.lower()}"
        assert export(host, view, kind, path.with_suffix("")) == f"Written: {path}"
    rows = list(csv.DictReader((tmp_path / "grades.csv").open(encoding="utf-8")))
    assert (rows[2]["score"], rows[2]["override_score"], rows[2]["reader"]) == (
        "1", "4", "Zoë Reader",
    )  # fmt: skip
    (found,) = json.loads((tmp_path / "grades.json").read_text("utf-8"))["assessments"]
    assert found["overrides"][0]["score"] == 4
    page = (tmp_path / "grades.html").read_text("utf-8")
    assert page.count("<figure") == 6 and "Zoë Reader: 4 mild" in page
    assert host.files.asked[-1][1][2].endswith("heart-motion.html")


def test_what_cannot_be_written_is_said_and_cancelling_says_nothing(host, view, volume, tmp_path):
    (tmp_path / "file").write_text("no folder")
    path = tmp_path / "file" / "x.csv"
    said = export(host, view, "CSV", path)
    assert said.startswith(str(path)) and "could not be written" in said
    view.message.text = ""
    choose(view.export.button.menu(), "CSV")
    assert view.message.text == ""
    (tmp_path / "x.csv").write_text("the old one")
    host.dialogs.answers = [False]
    export(host, view, "CSV", tmp_path / "x")
    assert (tmp_path / "x.csv").read_text() == "the old one"


def test_copy_says_so(view, volume):
    import qt

    view.copy_button.click()
    assert qt.QApplication.clipboard().text() == view.table.text()
    assert view.message.text == "Copied."


def test_it_comes_back_with_the_scene(panel, results, view, volume, tmp_path):
    import slicer

    graded.scroll(2)
    choose(view.mine.slice_button.menu(), "4")
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    assert not view.widget.visible
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert view.widget.visible
    assert view.strip.widget.item(2, 2).text() == "4"
    graded.scroll(2)
    assert view.mine.slice_button.text == "Slice 2: 4 · mild"


def test_two_volumes_keep_theirs(panel, results, view, volume):
    other = graded.volume("other", slices=2)
    results.store(other, graded.assessment((1, 1)))
    panel.ui.volumeSelector.setCurrentNode(other)
    assert view.strip.widget.columnCount == 2
    panel.ui.volumeSelector.setCurrentNode(volume)
    assert view.strip.widget.columnCount == 6


def test_left_it_follows_nothing_and_closed_it_hears_nothing(host, results, view, volume):
    import slicer

    node = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    host.leave()
    text = view.mine.slice_button.text
    graded.scroll(4)
    assert view.mine.slice_button.text == text
    from MotionQAWidgets.results_view import ResultsView

    heard, tags = len(results.changed.slots), node.HasObserver("ModifiedEvent")
    other = ResultsView(results)
    other.set_volume(volume)
    held = observed(node)
    other.enter()
    assert observed(node) > held
    other.leave()
    assert observed(node) == held
    other.enter()
    other.close()
    other.widget.deleteLater()
    assert len(results.changed.slots) == heard
    assert node.HasObserver("ModifiedEvent") == tags
    results.set_override(volume, 0, 0, score=2, reader="R")
    graded.scroll(1)
