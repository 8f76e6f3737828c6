"""The reading list as a table: which cases are scored, in colour and in words."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.palette import GRADE_COLOURS
from MotionQALib.scale import grade_of
from MotionQALib.signals import Signal

from .score_buttons import score_in_words

Line = tuple[str, str, int | None, bool]
"""The case's name, its status in words, the score it was given if it is one, whether it is done."""

OPEN_COLOUR, DONE_COLOUR = "#8a8a8a", "#2e7d32"


class WorklistTable:
    """A table of cases; the current one is selected.

    Signals
    -------
    chosen(row) : the user clicked on a case
    """

    def __init__(self, table) -> None:
        self.chosen = Signal()
        self._table = table
        table.columnCount = 2
        table.setHorizontalHeaderLabels([_("Case"), _("Status")])
        table.horizontalHeader().stretchLastSection = True
        table.cellClicked.connect(lambda row, *_args: self.chosen.emit(row))

    def show(self, lines: Sequence[Line]) -> None:
        if self._table.rowCount != len(lines):
            self._table.rowCount = len(lines)
        for row, line in enumerate(lines):
            self.show_line(row, line)

    def show_line(self, row: int, line: Line) -> None:
        name, status, score, done = line
        colour = DONE_COLOUR if done else OPEN_COLOUR
        if score is not None:
            colour = GRADE_COLOURS[grade_of(score)].fill
        self._cell(row, 0).setText(name)
        cell = self._cell(row, 1)
        cell.setText(status)
        cell.setIcon(_dot(colour, full=done))

    def select(self, row: int) -> None:
        if self._table.currentRow() != row:
            self._table.setCurrentCell(row, 0)
            self._table.scrollToItem(self._cell(row, 0))

    def _cell(self, row: int, column: int):
        cell = self._table.item(row, column)
        if cell is None:
            cell = qt.QTableWidgetItem()
            self._table.setItem(row, column, cell)
        return cell


def status_of(scores: Sequence[int | None]) -> tuple[str, int | None, bool]:
    """Words, score and whether all is done, from the scores of a case's parts."""
    given = [score for score in scores if score is not None]
    if len(given) < len(scores):
        if not given:
            return _("not scored"), None, False
        text = _("{done} of {all} slices")
        return text.format(done=len(given), all=len(scores)), None, False
    if len(given) == 1:
        return score_in_words(given[0]), given[0], True
    return _("all {all} slices scored").format(all=len(given)), None, True


def _dot(colour: str, *, full: bool):
    size = 12
    picture = qt.QPixmap(size, size)
    picture.fill(qt.QColor(0, 0, 0, 0))
    painter = qt.QPainter(picture)
    painter.setRenderHint(qt.QPainter.Antialiasing)
    painter.setPen(qt.QPen(qt.QColor(colour)))
    if full:
        painter.setBrush(qt.QBrush(qt.QColor(colour)))
    painter.drawEllipse(1, 1, size - 3, size - 3)
    painter.end()
    return qt.QIcon(picture)
