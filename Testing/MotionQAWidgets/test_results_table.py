"""The table of all grades: sorted as numbers, copied, and with the reader's beside."""

from __future__ import annotations

import pytest

from host import pythonqt

from . import graded
from .timers import timers_running

pythonqt(__name__)


@pytest.fixture
def results(host):
    from MotionQAWidgets.scene_results import SceneResults

    results = SceneResults()
    yield results
    results.close()


@pytest.fixture
def table(results):
    from MotionQAWidgets.results_table import ResultsTable

    return ResultsTable()


def column(table, number: int) -> list[str]:
    return [table.widget.item(row, number).text() for row in range(table.widget.rowCount)]


def press_header(table, number: int) -> None:
    table.widget.horizontalHeader().sectionClicked.emit(number)


def test_it_sorts_as_numbers_and_the_volume_stays_on_top(results, table):
    from MotionQAWidgets.results_table import EXPECTED, SCORE, SLICE, UNCERTAIN

    volume = graded.volume(slices=12)
    results.store(volume, graded.assessment((5, 3, 1, 2, 4, 3, 5, 4, 1, 2, 3, 5)))
    table.show(results.result_for(volume))
    assert column(table, SLICE) == ["volume", *map(str, range(12))]
    press_header(table, SLICE)
    assert column(table, SLICE) == ["volume", *map(str, range(11, -1, -1))]
    press_header(table, EXPECTED)
    expected = [float(text) for text in column(table, EXPECTED)[1:]]
    assert expected == sorted(expected) and column(table, SLICE)[0] == "volume"
    assert set(column(table, SLICE)[1:3]) == {"2", "8"}
    press_header(table, SCORE)
    press_header(table, SCORE)
    assert column(table, SCORE)[1:] == sorted(column(table, SCORE)[1:], reverse=True)
    for _ in range(2):  # what is empty comes last, either way
        press_header(table, UNCERTAIN)
        assert column(table, UNCERTAIN)[1:3] == ["?", ""]


def test_copied_as_it_is_sorted_with_the_columns_that_are_seen(results, table):
    import qt

    from MotionQAWidgets.results_table import SCORE

    volume = graded.volume(slices=3)
    results.store(volume, graded.assessment((5, 3, 1)))
    table.show(results.result_for(volume))
    press_header(table, SCORE)
    table.copy()
    lines = qt.QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == [
        "Slice", "Score", "Grade", "Probability (%)", "Expected score", "Uncertain",
    ]  # fmt: skip
    assert [line.split("\t")[:2] for line in lines[1:]] == [
        ["volume", "2"], ["2", "1"], ["1", "3"], ["0", "5"],
    ]  # fmt: skip
    results.set_override(volume, 0, 1, score=4, reader="Zoë")
    table.show(results.result_for(volume))
    table.widget.selectRow(2)
    table.widget.item(0, SCORE).setSelected(True)
    lines = table.text().splitlines()
    assert len(lines) == 3 and lines[2].split("\t")[3::4] == ["4 · mild", "Zoë"]
    assert lines[2].split("\t")[0] == "1"


def test_ctrl_c_copies(host, results, table):
    import qt

    volume = graded.volume(slices=3)
    results.store(volume, graded.assessment((5, 3, 1)))
    table.show(results.result_for(volume))
    qt.QApplication.clipboard().clear()
    table.widget.show()
    table.widget.activateWindow()
    table.widget.setFocus()
    host.process_events(0.1)
    qt.QTest.keyClick(table.widget, qt.Qt.Key_C, qt.Qt.ControlModifier)
    assert qt.QApplication.clipboard().text() == table.text()
    table.widget.hide()


def test_the_reader_stands_beside_the_network(results, table):
    from MotionQAWidgets.results_table import GRADE, MINE, READER, SCORE, TIME

    volume = graded.volume()
    results.store(volume, graded.assessment())
    table.show(results.result_for(volume))
    assert all(table.widget.isColumnHidden(number) for number in (MINE, READER, TIME))
    before = column(table, SCORE), column(table, GRADE)
    results.set_override(volume, 0, 3, score=5, reader="Zoë")
    results.set_override(volume, None, None, score=3, reader="Zoë")
    table.show(results.result_for(volume))
    assert (column(table, SCORE), column(table, GRADE)) == before
    assert not table.widget.isColumnHidden(MINE)
    assert column(table, MINE) == ["3 · moderate", "", "", "", "5 · mild", "", ""]
    assert column(table, READER)[4] == "Zoë" and len(column(table, TIME)[4]) == 16


def test_a_row_leads_to_its_slice(results, table):
    volume, chosen = graded.cine(slices=2, frames=3)[0], []
    results.store(volume, graded.assessment([(5, 4), (3, 2), (1, 5)]))
    table.chosen.connect(lambda *place: chosen.append(place))
    table.show(results.result_for(volume))
    assert chosen == [] and not table.widget.isColumnHidden(0)
    table.widget.setCurrentCell(5, 1)  # as the arrow keys do
    table.widget.setCurrentCell(0, 1)  # the volume is no slice
    assert chosen == [(1, 1)]


def test_a_cine_is_written_some_rows_at_a_time(host, results, table):
    from MotionQAWidgets.results_table import AT_ONCE, SCORE

    volume = graded.cine(slices=6, frames=30)[0]
    scores = [(5, 4, 3, 2, 1, 1 + frame % 5) for frame in range(30)]
    results.store(volume, graded.assessment(scores))
    table.show(results.result_for(volume))
    item = table.widget.item
    assert item(AT_ONCE - 1, SCORE) is not None and item(AT_ONCE, SCORE) is None
    assert table.text().count("\n") == 1 + 1 + 6 * 30  # what is copied is whole at once
    table.sort_by(SCORE, descending=True)
    host.wait_until(lambda: item(6 * 30, SCORE) is not None)
    assert column(table, SCORE)[1:] == sorted((str(s) for f in scores for s in f), reverse=True)
    table.show(None)
    host.process_events(0.05)
    assert table.widget.rowCount == 0 and not timers_running(table.widget)
