"""A batch's results in a table, worst first, with a picture of each one's worst slice.

    table = BatchTable()
    layout.addWidget(table.widget)
    table.chosen.connect(f)   # f(VolumeGraded): the user wants to see it
    table.show(results)       # a sorted list of VolumeGraded, which may be thousands

Only the rows that are in sight are written, and only their pictures read.
"""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.batch_runs.batch_messages import VolumeGraded
from MotionQALib.scale import grade_of
from MotionQALib.signals import Signal

from ..slice_strip import grade_brushes
from ..wording import grade_name
from .batch_words import slices_to_see

PICTURE, NAME, SCORE, GRADE, SLICES = range(5)

SIDE = 56
"""Pixels of a picture."""

ROWS = 3
"""In sight however small the window; more where there is room."""

PICTURES_KEPT = 200


class BatchTable:
    """See the top of this file."""

    def __init__(self) -> None:
        self.chosen = Signal()
        self._results: Sequence[VolumeGraded] = ()
        self._written: list[VolumeGraded | None] = []
        self._icons: dict[str, object] = {}
        self._current: VolumeGraded | None = None
        self.widget = _bare_table()
        self.widget.cellClicked.connect(self._on_clicked)
        self.widget.cellActivated.connect(self._on_clicked)
        self.widget.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self._writing = qt.QTimer(self.widget)
        self._writing.interval = 50
        self._writing.timeout.connect(self._write)

    def show(self, results: Sequence[VolumeGraded]) -> None:
        """Show these, soon; those that are added to the same list later need another call."""
        self._results = results
        if not self._writing.active:
            self._writing.start()

    def result_at(self, row: int) -> VolumeGraded | None:
        return self._results[row] if 0 <= row < len(self._results) else None

    # Within

    def _write(self, *_args) -> None:
        self._writing.stop()
        table = self.widget
        if table.rowCount != len(self._results):
            table.rowCount = len(self._results)
            self._written = [None] * len(self._results)
        first = max(0, table.rowAt(0))
        last = table.rowAt(table.viewport().height - 1)
        last = len(self._results) - 1 if last < 0 else last
        for row in range(first, min(last, first + 60) + 1):
            if self._written[row] is not self._results[row]:
                self._written[row] = self._results[row]
                self._write_row(row, self._results[row])
        self._follow_current()

    def _write_row(self, row: int, result: VolumeGraded) -> None:
        grade = grade_of(result.score)
        score = _("{score}?") if result.uncertain else "{score}"
        cells = {
            PICTURE: "",
            NAME: result.name,
            SCORE: score.format(score=result.score),
            GRADE: grade_name(grade),
            SLICES: slices_to_see(result.severe, result.moderate),
        }
        about = _("{name}: score {score}, expected {expected:.2f}; click to open it").format(
            name=result.name, score=result.score, expected=result.expected
        )
        for column, text in cells.items():
            item = qt.QTableWidgetItem(text)
            item.setToolTip(about)
            if column == PICTURE:
                item.setData(qt.Qt.AccessibleTextRole, about)
                icon = self._icon(result.picture)
                if icon is not None:
                    item.setIcon(icon)
            elif column == SCORE:
                item.setTextAlignment(qt.Qt.AlignCenter)
                brush, pen = grade_brushes(grade)
                item.setBackground(brush)
                item.setForeground(pen)
            self.widget.setItem(row, column, item)

    def _icon(self, path: str):
        if not path:
            return None
        if path not in self._icons:
            while len(self._icons) >= PICTURES_KEPT:
                del self._icons[next(iter(self._icons))]
            self._icons[path] = qt.QIcon(qt.QPixmap(path))
        return self._icons[path]

    def _follow_current(self) -> None:
        """Keep the mark on the volume that was opened while others come before it."""
        table = self.widget
        if self._current is None:
            return
        row = next((n for n, r in enumerate(self._results) if r is self._current), -1)
        if row >= 0 and table.currentRow() != row:
            table.blockSignals(True)
            table.selectRow(row)
            table.blockSignals(False)

    def _on_scrolled(self, *_args) -> None:
        self._write()

    def _on_clicked(self, row: int, *_args) -> None:
        result = self.result_at(row)
        if result is not None:
            self._current = result
            self.chosen.emit(result)


def _bare_table():
    table = qt.QTableWidget()
    table.objectName = "MotionQABatchTable"
    table.accessibleName = _("Results, worst first")
    table.columnCount = SLICES + 1
    table.setHorizontalHeaderLabels(["", _("Volume"), _("Score"), _("Grade"), _("Slices")])
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.selectionMode = qt.QAbstractItemView.SingleSelection
    table.verticalScrollMode = qt.QAbstractItemView.ScrollPerItem
    table.tabKeyNavigation = False
    table.showGrid = False
    table.wordWrap = True
    table.iconSize = qt.QSize(SIDE, SIDE)
    down, across = table.verticalHeader(), table.horizontalHeader()
    down.hide()
    down.setSectionResizeMode(qt.QHeaderView.Fixed)
    down.defaultSectionSize = SIDE + 4
    across.highlightSections = False
    across.setSectionResizeMode(NAME, qt.QHeaderView.Stretch)
    across.setSectionResizeMode(SLICES, qt.QHeaderView.Stretch)
    table.setColumnWidth(PICTURE, SIDE + 8)
    table.setColumnWidth(SCORE, 48)
    table.setColumnWidth(GRADE, 72)
    table.minimumHeight = ROWS * (SIDE + 4) + 30
    return table
