"""A cine's table is long: its rows are written a few at a time, and none is lost."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt

from . import graded
from .timers import timers_running

pythonqt(__name__)

FRAMES, SLICES = 30, 12


@pytest.fixture
def results(host):
    from MotionQAWidgets.scene_results import SceneResults

    results = SceneResults()
    yield results
    results.close()


@pytest.fixture
def table(host, results):
    from MotionQAWidgets.results_table import ResultsTable

    proxy, _browser = graded.cine(SLICES, frames=2)
    scores = np.random.default_rng(1).integers(1, 6, (FRAMES, SLICES))
    results.store(proxy, graded.assessment(scores))
    table = ResultsTable()
    table.show(results.result_for(proxy))
    yield table
    table.widget.deleteLater()


def written(table) -> list[str]:
    """The scores that the table shows, down to the first row that has none yet."""
    from MotionQAWidgets.results_table import SCORE

    items = [table.widget.item(row, SCORE) for row in range(table.widget.rowCount)]
    upto = items.index(None) if None in items else len(items)
    return [item.text() for item in items[:upto]]


def test_what_is_seen_is_written_at_once_and_the_rest_soon(host, table):
    from MotionQAWidgets.results_table import AT_ONCE, ROWS

    assert table.widget.rowCount == 1 + FRAMES * SLICES
    assert ROWS < len(written(table)) == AT_ONCE
    lines = table.text().splitlines()[1:]  # all are there to be copied
    assert len(lines) == 1 + FRAMES * SLICES
    host.wait_until(lambda: len(written(table)) == len(lines))
    assert written(table) == [line.split("\t")[2] for line in lines]


def test_sorted_while_it_is_written_the_rows_are_those_of_the_last_order(host, table):
    from MotionQAWidgets.results_table import SCORE

    host.process_events()
    table.sort_by(SCORE)
    table.sort_by(SCORE, descending=True)
    lines = table.text().splitlines()[2:]
    shown = [line.split("\t")[2] for line in lines]
    assert shown == sorted(shown, reverse=True)
    host.wait_until(lambda: written(table)[1:] == shown)


def test_a_shorter_result_ends_the_writing(host, table):
    table.show(None)
    host.process_events(0.1)
    assert table.widget.rowCount == 0 and not timers_running(table.widget)
