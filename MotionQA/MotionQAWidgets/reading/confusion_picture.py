"""A confusion matrix as a picture: how often one reader's score met another's."""

from __future__ import annotations

import numpy as np
import qt
from slicer.i18n import tr as _

from MotionQALib.palette import GRADE_COLOURS, rgb
from MotionQALib.scale import SCORES, Grade

CELL, MARGIN = 25, 38
INK = GRADE_COLOURS[Grade.MILD].fill


def confusion_picture(counts: np.ndarray, rows: str, columns: str):
    """Draw counts as a QPixmap.

    Parameters
    ----------
    counts : (5, 5) int, of scores 1 to 5; rows are one reader's, columns the other's
    rows, columns : the readers' names
    """
    size = MARGIN + CELL * len(SCORES) + 1
    picture = qt.QPixmap(size, size)
    picture.fill(qt.QColor("#ffffff"))
    painter = qt.QPainter(picture)
    try:
        _draw_names(painter, size, rows, columns)
        most = max(1, int(np.max(counts)))
        for row in range(len(SCORES)):
            for column in range(len(SCORES)):
                _draw_cell(painter, row, column, int(counts[row][column]), most)
        painter.setPen(qt.QPen(qt.QColor("#202020")))
        for number, score in enumerate(SCORES):
            offset = MARGIN + number * CELL
            _write(painter, MARGIN - 18, offset, 18, CELL, str(score))
            _write(painter, offset, MARGIN - 18, CELL, 18, str(score))
    finally:
        painter.end()
    return picture


def summary(counts: np.ndarray, rows: str, columns: str) -> str:
    """For who cannot see the picture."""
    text = _("{rows} against {columns}: {same} of {all} scores the same")
    same, everything = int(np.trace(counts)), int(np.sum(counts))
    return text.format(rows=rows, columns=columns, same=same, all=everything)


def _draw_names(painter, size: int, rows: str, columns: str) -> None:
    painter.setPen(qt.QPen(qt.QColor("#202020")))
    _write(painter, MARGIN, 1, size - MARGIN, 18, columns)
    painter.save()
    painter.translate(1, size)
    painter.rotate(-90)
    _write(painter, 0, 0, size - MARGIN, 18, rows)
    painter.restore()


def _draw_cell(painter, row: int, column: int, count: int, most: int) -> None:
    left, top = MARGIN + column * CELL, MARGIN + row * CELL
    share = count / most
    colour = [round(255 + share * (part - 255)) for part in rgb(INK)]
    painter.fillRect(left, top, CELL, CELL, qt.QColor(*colour))
    same = row == column  # a frame, so that agreement is seen without colour
    painter.setPen(qt.QPen(qt.QColor("#202020" if same else "#c8c8c8")))
    painter.drawRect(left, top, CELL - 1, CELL - 1)
    if count:
        painter.setPen(qt.QPen(qt.QColor("#ffffff" if share > 0.55 else "#202020")))
        _write(painter, left, top, CELL, CELL, str(count))


def _write(painter, left: int, top: int, width: int, height: int, text: str) -> None:
    painter.drawText(qt.QRect(left, top, width, height), qt.Qt.AlignCenter, text)
