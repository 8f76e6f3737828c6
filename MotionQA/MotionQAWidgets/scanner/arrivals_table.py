"""The series that arrived, newest first: time, description, grade, slices to acquire again.

table = ArrivalsTable()
layout.addWidget(table.widget)
table.chosen.connect(f)   # f(Entry): the user wants to see it
table.show(entries)       # newest first
"""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.arrivals.arrival_entry import Entry
from MotionQALib.scale import grade_of
from MotionQALib.signals import Signal

from ..slice_strip import grade_brushes
from .arrival_words import clock_time, grade_text, slices_text, title

TIME, SERIES, GRADE, SLICES = range(4)

SHOWN = 200
"""Newest series; all of them are in the results' folder."""


class ArrivalsTable:
    """See the top of this file."""

    def __init__(self) -> None:
        self.chosen = Signal()
        self._entries: list[Entry] = []
        self._written: list[tuple] = []
        self._current = ""
        self.widget = _bare_table()
        self.widget.cellClicked.connect(self._on_clicked)
        self.widget.cellActivated.connect(self._on_clicked)
        self.widget.horizontalHeader().sectionResized.connect(self._on_resized)
        self._fitting = qt.QTimer(self.widget)
        self._fitting.interval = 50
        self._fitting.timeout.connect(self._fit_rows)

    def show(self, entries: Sequence[Entry]) -> None:
        table = self.widget
        self._entries = list(entries)[:SHOWN]
        lines = [
            (
                entry,
                (clock_time(entry), title(entry), grade_text(entry), slices_text(entry, entries)),
            )
            for entry in self._entries
        ]
        if lines == self._written:
            return
        self._written = lines
        table.blockSignals(True)
        table.rowCount = len(lines)
        for row, (entry, texts) in enumerate(lines):
            self._write(row, entry, texts)
        self._fit_rows()
        rows = [row for row, entry in enumerate(self._entries) if entry.series == self._current]
        if rows:
            table.selectRow(rows[0])
        else:
            table.clearSelection()
        table.blockSignals(False)

    def entry_at(self, row: int) -> Entry | None:
        return self._entries[row] if 0 <= row < len(self._entries) else None

    def _write(self, row: int, entry: Entry, texts: tuple[str, ...]) -> None:
        graded = entry.status == "graded"
        about = _("Click to open it with its grades.") if graded else entry.reason
        for column, text in enumerate(texts):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(f"{text}\n{about}")
            item.setTextAlignment(qt.Qt.AlignLeft | qt.Qt.AlignVCenter)
            if not graded:
                item.setForeground(self._faint())
            elif column == GRADE:
                brush, pen = grade_brushes(grade_of(entry.score))
                item.setBackground(brush)
                item.setForeground(pen)
            self.widget.setItem(row, column, item)

    def _faint(self):
        return qt.QBrush(self.widget.palette.color(qt.QPalette.Disabled, qt.QPalette.Text))

    def _on_resized(self, *_args) -> None:
        self._fitting.start()

    def _fit_rows(self, *_args) -> None:
        """Wrapped texts need the more lines the narrower their column is."""
        self._fitting.stop()
        self.widget.resizeRowsToContents()

    def _on_clicked(self, row: int, *_args) -> None:
        entry = self.entry_at(row)
        if entry is not None:
            self._current = entry.series
            self.chosen.emit(entry)


def _bare_table():
    table = qt.QTableWidget()
    table.objectName = "MotionQAArrivalsTable"
    table.accessibleName = _("Series that arrived, newest first")
    table.columnCount = SLICES + 1
    table.setHorizontalHeaderLabels([_("Time"), _("Series"), _("Grade"), _("Slices")])
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.selectionBehavior = qt.QAbstractItemView.SelectRows
    table.selectionMode = qt.QAbstractItemView.SingleSelection
    table.tabKeyNavigation = False
    table.wordWrap = True
    table.verticalHeader().hide()
    across = table.horizontalHeader()
    across.highlightSections = False
    across.setSectionResizeMode(SLICES, qt.QHeaderView.Stretch)
    for column, width in ((TIME, 64), (SERIES, 110), (GRADE, 96)):
        table.setColumnWidth(column, width)
    table.minimumHeight = 160
    return table
