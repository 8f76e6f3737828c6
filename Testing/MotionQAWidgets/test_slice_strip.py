"""The strip along the slices: what stands in its cells, and what a click or a key does."""

from __future__ import annotations

import pytest

from host import pythonqt
from MotionQALib.palette import GRADE_COLOURS
from MotionQALib.scale import grade_of

from . import graded

pythonqt(__name__)


@pytest.fixture
def results(host):
    from MotionQAWidgets.scene_results import SceneResults

    results = SceneResults()
    yield results
    results.close()


@pytest.fixture
def strip(results):
    from MotionQAWidgets.slice_strip import SliceStrip

    return SliceStrip()


def words(strip) -> list[list[str]]:
    table = strip.widget
    rows, columns = range(table.rowCount), range(table.columnCount)
    return [[table.item(row, column).text() for column in columns] for row in rows]


def labels(strip) -> list[str]:
    table = strip.widget
    return [table.verticalHeaderItem(row).text() for row in range(table.rowCount)]


def test_a_cell_a_slice_in_the_overlays_colours(results, strip):
    volume = graded.volume()
    results.store(volume, graded.assessment())
    strip.show(results.result_for(volume))
    assert words(strip) == [list("012345"), ["5", "3?", "1", "2", "4", "3"]]
    for column, score in enumerate(graded.SCORES):
        item = strip.widget.item(1, column)
        assert item.background().color().name() == GRADE_COLOURS[grade_of(score)].fill
        assert item.foreground().color().name() == GRADE_COLOURS[grade_of(score)].text
    assert strip.widget.item(1, 1).toolTip() == "slice 1: 3 · moderate 80 %, uncertain"
    strip.show(None)
    assert words(strip) == []


def test_the_readers_grades_have_a_row_of_their_own(results, strip):
    volume = graded.volume()
    results.store(volume, graded.assessment())
    results.set_override(volume, 0, 2, score=4, reader="Zoë")
    strip.show(results.result_for(volume))
    assert labels(strip) == ["slice", "score", "reader"]
    assert words(strip)[1:] == [["5", "3?", "1", "2", "4", "3"], ["", "", "4", "", "", ""]]
    assert "Zoë: 4 · mild" in strip.widget.item(1, 2).toolTip()
    results.clear_override(volume, 0, 2)
    strip.show(results.result_for(volume))
    assert labels(strip) == ["slice", "score"]


def test_the_shown_slice_is_marked_and_the_arrow_keys_go_on_from_it(results, strip):
    import qt

    volume, chosen = graded.volume(), []
    results.store(volume, graded.assessment())
    strip.show(results.result_for(volume))
    strip.chosen.connect(lambda *place: chosen.append(place))
    strip.mark(0, 3)
    bold = [strip.widget.item(0, column).font().bold() for column in range(6)]
    assert bold == [False, False, False, True, False, False] and chosen == []
    qt.QTest.keyClick(strip.widget, qt.Qt.Key_Right)
    assert chosen == [(0, 4)]
    qt.QTest.keyClick(strip.widget, qt.Qt.Key_Left)
    assert chosen[-1] == (0, 3)


def test_many_slices_go_on_below(results, strip):
    volume = graded.volume(slices=31)
    results.store(volume, graded.assessment([3] * 31))
    strip.show(results.result_for(volume))
    cells = words(strip)
    assert [number for row in cells[::2] for number in row if number] == [
        str(number) for number in range(31)
    ]
    assert strip.widget.columnCount == 11 and strip.place_at(5, 8) == (0, 30)
    assert strip.place_at(5, 9) is None and strip.place_at(-1, 0) is None


def test_a_cine_shows_its_frame_and_the_worst_one(results, strip):
    volume, browser = graded.cine(slices=3, frames=4)
    results.store(volume, graded.assessment([(5, 5, 4), (3, 4, 5), (1, 5, 5), (4, 5, 2)]))
    strip.show(results.result_for(volume))
    strip.mark(1, 0)
    assert labels(strip) == ["slice", "frame 1", "worst"]
    assert words(strip)[1:] == [["3", "4?", "5"], ["1", "4?", "2"]]
    assert [strip.place_at(2, column) for column in range(3)] == [(2, 0), (1, 1), (3, 2)]
    assert "frame 3" in strip.widget.item(2, 2).toolTip()
    strip.mark(None, 1)  # a frame without grades
    assert words(strip)[1] == ["", "", ""] and strip.place_at(1, 1) is None
    assert strip.place_at(0, 2) == (3, 2) and browser is not None
