"""All grades of a volume in a table that sorts, copies and leads to the slices.

table = ResultsTable()
layout.addWidget(table.widget)
table.chosen.connect(f)      # f(frame, index): the user wants to see it
table.menu_wanted.connect(f)  # f(frame, index, point); both None: the volume
table.show(result)           # SceneResult, or None
table.copy()                 # the selected rows, else all, as tab-separated text
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import qt
from slicer.i18n import tr as _

from MotionQALib.results import Override, Row
from MotionQALib.signals import Signal

from . import wording
from .scene_results import RowKey, SceneResult
from .slice_strip import grade_brushes

ROWS = 14
"""So many are seen before it scrolls."""

AT_ONCE = 40
"""Rows that are written before Slicer's window may answer again: a cine has hundreds."""

FRAME, SLICE, SCORE, GRADE, MINE, PERCENT, EXPECTED, UNCERTAIN, READER, TIME = range(10)


SIDES = dict.fromkeys((FRAME, SLICE, PERCENT, EXPECTED), qt.Qt.AlignRight) | dict.fromkeys(
    (SCORE, UNCERTAIN), qt.Qt.AlignHCenter
)


class Cell(NamedTuple):
    """What is read, and what it sorts by; ``key`` is None in an empty cell."""

    text: str
    key: float | str | None


class ResultsTable:
    """The volume's own row stays on top, whatever the others are sorted by."""

    def __init__(self) -> None:
        self.chosen, self.menu_wanted = Signal(), Signal()
        self._result: SceneResult | None = None
        self._lines: list[tuple[RowKey, list[Cell]]] = []
        self._filled: list[tuple | None] = []
        self._column, self._descending = SLICE, False
        self.widget = _bare_table()
        self.widget.horizontalHeader().sectionClicked.connect(self._on_header)
        self.widget.currentCellChanged.connect(self._on_chosen)
        self.widget.cellClicked.connect(self._on_chosen)
        self.widget.customContextMenuRequested.connect(self._on_menu)
        self._filling = qt.QTimer(self.widget)
        self._filling.timeout.connect(self._fill_some)
        self._copying = qt.QShortcut(qt.QKeySequence("Ctrl+C"), self.widget)
        self._copying.context = qt.Qt.WidgetWithChildrenShortcut
        self._copying.activated.connect(self.copy)

    def show(self, result: SceneResult | None) -> None:
        self._result = result
        self._lines = []
        if result is not None:
            for place, row in result.rows.items():
                self._lines.append((place, cells_of(row, result.override_for(*place))))
            for frame, index in np.argwhere(~result.assessment.graded).tolist():
                override = result.override_for(frame, index)
                self._lines.append(((frame, index), ungraded_cells(frame, index, override)))
        self._sort()

    def sort_by(self, column: int, descending: bool = False) -> None:
        self._column, self._descending = column, descending
        self._sort()

    def place_at(self, row: int) -> RowKey | None:
        """(frame, slice) of a row; (None, None) is the volume."""
        return self._lines[row][0] if 0 <= row < len(self._lines) else None

    def text(self) -> str:
        """The selected rows, or all where fewer than two are, under the columns' names."""
        table = self.widget
        columns = [c for c in range(table.columnCount) if not table.isColumnHidden(c)]
        items = [table.item(number, SCORE) for number in range(len(self._lines))]
        chosen = [n for n, item in enumerate(items) if item is not None and item.isSelected()]
        lines = [[titles()[column] for column in columns]]
        for number in chosen if len(chosen) > 1 else range(len(self._lines)):
            cells = self._lines[number][1]
            lines.append([cells[column].text for column in columns])
        return "\n".join("\t".join(line) for line in lines) + "\n"

    def copy(self, *_args) -> None:
        if self._lines:
            qt.QApplication.clipboard().setText(self.text())

    # Within

    def _sort(self) -> None:
        table, column = self.widget, self._column
        here = self.place_at(table.currentRow())

        def full(line) -> bool:
            return line[1][column].key is not None

        volume = [line for line in self._lines if line[0] == (None, None)]
        others = [line for line in self._lines if line[0] != (None, None)]
        graded = sorted(
            filter(full, others), key=lambda line: line[1][column].key, reverse=self._descending
        )
        self._lines = volume + graded + [line for line in others if not full(line)]
        order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
        table.horizontalHeader().setSortIndicator(column, order)
        table.blockSignals(True)
        self._fill()
        places = [place for place, _cells in self._lines]
        if here in places:
            table.setCurrentCell(places.index(here), table.currentColumn())
        table.blockSignals(False)

    def _fill(self) -> None:
        table, lines = self.widget, self._lines
        sized = table.rowCount == len(lines)
        table.rowCount = len(lines)
        self._filled = (self._filled + [None] * len(lines))[: len(lines)]
        result = self._result
        table.setColumnHidden(FRAME, result is None or result.assessment.n_frames == 1)
        for column in (MINE, READER, TIME):
            table.setColumnHidden(column, result is None or not result.overrides)
        self._fill_some()
        if not sized:
            bars = (table.horizontalHeader(), table.horizontalScrollBar())
            rows = min(len(lines), ROWS) * table.verticalHeader().defaultSectionSize
            table.setFixedHeight(rows + sum(bar.sizeHint.height() for bar in bars) + 2)

    def _fill_some(self, *_args) -> None:
        """Write some of the rows that changed, the others when Slicer has had its turn."""
        changed = [n for n, line in enumerate(self._lines) if line != self._filled[n]]
        for number in changed[:AT_ONCE]:
            self._filled[number] = self._lines[number]
            self._fill_row(number, *self._lines[number])
        if len(changed) > AT_ONCE:
            self._filling.start()
        else:
            self._filling.stop()
            self.widget.resizeColumnsToContents()

    def _fill_row(self, number: int, place: RowKey, cells: list[Cell]) -> None:
        row, override = self._result.row_for(*place), self._result.override_for(*place)
        frames = self._result.assessment.n_frames
        if row is None:
            about = wording.no_grade(*place, frames)
        else:
            about = wording.summary(row, override, frames)
        for column, cell in enumerate(cells):
            item = qt.QTableWidgetItem(cell.text)
            item.setToolTip(about)
            side = SIDES.get(column, qt.Qt.AlignLeft)
            item.setTextAlignment(side | qt.Qt.AlignVCenter)
            if place == (None, None):
                font = qt.QFont(self.widget.font)
                font.setBold(True)
                item.setFont(font)
            graded = {SCORE: row, MINE: override}.get(column)
            if graded is not None:
                brush, pen = grade_brushes(wording.grade_of_row(graded))
                item.setBackground(brush)
                item.setForeground(pen)
            self.widget.setItem(number, column, item)

    # What the user does

    def _on_header(self, column: int) -> None:
        self.sort_by(column, column == self._column and not self._descending)

    def _on_chosen(self, row: int, *_args) -> None:
        place = self.place_at(row)
        if place is not None and place != (None, None):
            self.chosen.emit(*place)

    def _on_menu(self, position) -> None:
        place = self.place_at(self.widget.rowAt(position.y()))
        if place is not None:
            self.menu_wanted.emit(*place, self.widget.viewport().mapToGlobal(position))


def titles() -> list[str]:
    """Of the columns, in order, as they are copied."""
    return [
        _("Frame"),
        _("Slice"),
        _("Score"),
        _("Grade"),
        _("Reader's grade"),
        _("Probability (%)"),
        _("Expected score"),
        _("Uncertain"),
        _("Reader"),
        _("Time"),
    ]


def cells_of(row: Row, override: Override | None) -> list[Cell]:
    """A line of the table; frame and slice are empty in the volume's."""
    grade = wording.grade_of_row(row)
    mine, reader, time = _cells_of_reader(override)
    return [
        Cell("" if row.frame is None else str(row.frame), row.frame),
        Cell(_("volume") if row.slice is None else str(row.slice), row.slice),
        Cell(str(row.score), row.score),
        Cell(wording.grade_name(grade), int(grade)),
        mine,
        Cell(str(round(100 * wording.probability(row))), wording.probability(row)),
        Cell(f"{row.expected_score:.2f}", row.expected_score),
        Cell("?" if row.uncertain else "", 0 if row.uncertain else None),
        reader,
        time,
    ]


def ungraded_cells(frame: int, index: int, override: Override | None) -> list[Cell]:
    """The line of an image that is blank or missing."""
    nothing, empty = Cell("–", None), Cell("", None)
    mine, reader, time = _cells_of_reader(override)
    number = Cell(str(frame), frame), Cell(str(index), index)
    return [*number, nothing, nothing, mine, empty, empty, empty, reader, time]


def _cells_of_reader(override: Override | None) -> tuple[Cell, Cell, Cell]:
    """Grade, name and time."""
    if override is None:
        return (Cell("", None),) * 3
    scores = wording.grade_of_row(override).scores if override.score is None else (override.score,)
    return (
        # A grade without a score sorts amid its scores.
        Cell(wording.override_in_words(override), sum(scores) / len(scores)),
        Cell(override.reader, override.reader.casefold()),
        Cell(override.time[:16].replace("T", " "), override.time),
    )


def _bare_table():
    table = qt.QTableWidget()
    table.objectName = "MotionQAResultsTable"
    table.accessibleName = _("Grades of all slices")
    table.columnCount = TIME + 1
    short = {PERCENT: "%", EXPECTED: _("Expected"), UNCERTAIN: "?", MINE: _("Reader's")}
    for column, title in enumerate(titles()):
        item = qt.QTableWidgetItem(short.get(column, title))
        item.setToolTip(title)
        table.setHorizontalHeaderItem(column, item)
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.contextMenuPolicy = qt.Qt.CustomContextMenu
    table.tabKeyNavigation = False
    table.showGrid = False
    down = table.verticalHeader()
    down.hide()
    height = table.fontMetrics().height() + 6
    down.minimumSectionSize = height
    down.defaultSectionSize = height
    table.horizontalHeader().highlightSections = False
    table.horizontalHeader().showSortIndicator = True
    return table
