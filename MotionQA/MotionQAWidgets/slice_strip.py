"""A strip along the slices: every slice's score in its grade's colour, the shown one marked.

    strip = SliceStrip()
    layout.addWidget(strip.widget)
    strip.chosen.connect(f)      # f(frame, index): the user wants to see it
    strip.menu_wanted.connect(f)  # f(frame, index, point): a right click, in screen coordinates
    strip.show(result)           # SceneResult, or None
    strip.mark(frame, index)     # what the views show

Of a cine it shows the frame that is shown, and below it each slice's worst frame. Where a reader
gave grades of their own, these have a row of their own.
"""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from MotionQALib.palette import GRADE_COLOURS
from MotionQALib.scale import Grade
from MotionQALib.signals import Signal

from . import wording
from .scene_results import RowKey, SceneResult

LONGEST = 15
"""Slices side by side; more go on below, so that all of them fit a narrow panel."""

TALLEST = 20
"""Rows before it scrolls."""

UNGRADED = "#808080"
"""Of what stands where there is no grade."""

NUMBER, SHOWN, WORST, READER = range(4)


class SliceStrip:
    """A table of cells: arrow keys walk along it as a mouse does; see the top of this file."""

    def __init__(self) -> None:
        self.chosen, self.menu_wanted = Signal(), Signal()
        self._result: SceneResult | None = None
        self._frame: int | None = None
        self._index: int | None = None
        self._kinds: list[int] = []
        self._columns = 0
        self.widget = _bare_table()
        self.widget.cellClicked.connect(self._on_chosen)
        self.widget.currentCellChanged.connect(self._on_chosen)
        self.widget.customContextMenuRequested.connect(self._on_menu)

    def show(self, result: SceneResult | None) -> None:
        self._result = result
        self._lay_out()
        self._fill()

    def mark(self, frame: int | None, index: int | None) -> None:
        """Mark a slice as shown; ``frame`` is None where the shown frame has no grades."""
        self._frame, self._index = frame, index
        self._fill()
        if index is not None and self._result is not None and index < self._n:
            self._move_to(index)

    def place_at(self, row: int, column: int) -> RowKey | None:
        """(frame, slice) of a cell; None where it has no grade."""
        if self._result is None or row < 0 or column < 0:
            return None
        band, line = divmod(row, len(self._kinds))
        index = band * self._columns + column
        if column >= self._columns or index >= self._n:
            return None
        frame = self._frame_of(self._kinds[line], index)
        return None if frame is None else (frame, index)

    # Cells

    @property
    def _n(self) -> int:
        return self._result.assessment.n_slices

    def _frame_of(self, kind: int, index: int) -> int | None:
        ungraded = kind == NUMBER and self._frame is None
        return self._worst[index] if kind == WORST or ungraded else self._frame

    def _lay_out(self) -> None:
        """Rows and columns for the result, in bands of equal length."""
        table, result = self.widget, self._result
        table.blockSignals(True)
        table.clear()
        if result is None:
            table.rowCount = table.columnCount = 0
        else:
            cine = result.assessment.n_frames > 1
            self._worst = result.assessment.worst_frames.tolist()
            self._frame = result.current_frame
            self._kinds = [NUMBER, SHOWN]
            self._kinds += [WORST] if cine else []
            self._kinds += [READER] if any(i is not None for _f, i in result.overrides) else []
            bands = -(-self._n // LONGEST)
            self._columns = -(-self._n // bands)
            table.columnCount = self._columns
            table.rowCount = bands * len(self._kinds)
            for row in range(table.rowCount):
                for column in range(self._columns):
                    table.setItem(row, column, qt.QTableWidgetItem())
            self._fit_height(cine)
        table.blockSignals(False)

    def _fit_height(self, cine: bool) -> None:
        table = self.widget
        height = table.fontMetrics().height()
        table.verticalHeader().minimumSectionSize = height
        for row in range(table.rowCount):
            number = self._kinds[row % len(self._kinds)] == NUMBER
            table.setRowHeight(row, height + 4 if number else height + 7)
        rows = min(table.rowCount, TALLEST)
        table.setFixedHeight(sum(table.rowHeight(row) for row in range(rows)) + 2)
        # The number of the frame changes while a cine plays; the strip must not shake.
        widest = _("frame {frame}").format(frame=99) if cine else _("reader")
        table.verticalHeader().setFixedWidth(table.fontMetrics().boundingRect(widest).width() + 14)

    def _fill(self) -> None:
        if self._result is None:
            return
        table = self.widget
        table.blockSignals(True)
        names = {
            NUMBER: _("slice"),
            SHOWN: _("score"),
            WORST: _("worst"),
            READER: _("reader"),
        }
        if self._result.assessment.n_frames > 1:
            frame = "–" if self._frame is None else self._frame
            names[SHOWN] = _("frame {frame}").format(frame=frame)
        table.setVerticalHeaderLabels(
            [names[self._kinds[row % len(self._kinds)]] for row in range(table.rowCount)]
        )
        for row in range(table.rowCount):
            band, line = divmod(row, len(self._kinds))
            for column in range(self._columns):
                index = band * self._columns + column
                item = table.item(row, column)
                if index >= self._n:
                    item.setFlags(qt.Qt.NoItemFlags)
                else:
                    self._fill_cell(item, self._kinds[line], index)
        table.blockSignals(False)

    def _fill_cell(self, item, kind: int, index: int) -> None:
        frame, result = self._frame_of(kind, index), self._result
        row, override = result.row_for(frame, index), result.override_for(frame, index)
        about = wording.place(frame, index, result.assessment.n_frames)
        if row is not None:
            about = wording.summary(row, override, result.assessment.n_frames)
        text, brush, pen = "", qt.QBrush(), qt.QBrush()
        if kind == NUMBER:
            text = str(index)
            if index == self._index:
                brush, pen = _highlight(self.widget)
        elif kind == READER and override is not None:
            score = override.score
            text = (
                wording.grade_name(wording.grade_of_row(override))[:3]
                if score is None
                else str(score)
            )
            brush, pen = grade_brushes(wording.grade_of_row(override))
        elif kind != READER and row is not None:
            text = _("{score}?").format(score=row.score) if row.uncertain else str(row.score)
            brush, pen = grade_brushes(wording.grade_of_row(row))
        elif kind != READER and frame is not None and not result.assessment.graded[frame, index]:
            text, pen = "–", qt.QBrush(qt.QColor(UNGRADED))
            about = wording.no_grade(frame, index, result.assessment.n_frames)
        font = qt.QFont(self.widget.font)
        font.setBold(kind != NUMBER or index == self._index)
        item.setFont(font)
        item.setText(text)
        item.setTextAlignment(qt.Qt.AlignCenter)
        item.setBackground(brush)
        item.setForeground(pen)
        item.setToolTip(about)
        item.setData(qt.Qt.AccessibleTextRole, about)
        item.setFlags(qt.Qt.ItemIsEnabled)

    def _move_to(self, index: int) -> None:
        """Let the arrow keys go on from the shown slice, in the row where they are."""
        table, kinds = self.widget, len(self._kinds)
        band, column = divmod(index, self._columns)
        line = table.currentRow() % kinds if table.currentRow() >= 0 else self._kinds.index(SHOWN)
        row = band * kinds + line
        if (row, column) != (table.currentRow(), table.currentColumn()):
            table.blockSignals(True)
            table.setCurrentCell(row, column)
            table.blockSignals(False)

    # What the user does

    def _on_chosen(self, row: int, column: int, *_args) -> None:
        place = self.place_at(row, column)
        if place is not None:
            self.chosen.emit(*place)

    def _on_menu(self, position) -> None:
        table = self.widget
        place = self.place_at(table.rowAt(position.y()), table.columnAt(position.x()))
        if place is not None:
            self.menu_wanted.emit(*place, table.viewport().mapToGlobal(position))


def grade_brushes(grade: Grade) -> tuple:
    """Background and foreground of a grade, the overlay's own."""
    colour = GRADE_COLOURS[grade]
    return qt.QBrush(qt.QColor(colour.fill)), qt.QBrush(qt.QColor(colour.text))


def _highlight(widget) -> tuple:
    """Copies: PythonQt's brushes of a palette end with it."""
    colours = widget.palette
    roles = (qt.QPalette.Highlight, qt.QPalette.HighlightedText)
    return tuple(qt.QBrush(colours.brush(role)) for role in roles)


def _bare_table():
    table = qt.QTableWidget()
    table.objectName = "MotionQASliceStrip"
    table.accessibleName = _("Scores along the slices")
    table.editTriggers = qt.QAbstractItemView.NoEditTriggers
    table.selectionMode = qt.QAbstractItemView.NoSelection  # it would hide the grades' colours
    table.horizontalScrollBarPolicy = qt.Qt.ScrollBarAlwaysOff
    table.contextMenuPolicy = qt.Qt.CustomContextMenu
    table.textElideMode = qt.Qt.ElideNone
    table.tabKeyNavigation = False
    table.frameShape = qt.QFrame.NoFrame
    table.viewport().autoFillBackground = False  # only the grades are coloured
    across, down = table.horizontalHeader(), table.verticalHeader()
    across.hide()
    across.minimumSectionSize = 12
    across.setSectionResizeMode(qt.QHeaderView.Stretch)
    down.setSectionResizeMode(qt.QHeaderView.Fixed)
    return table
