"""A confusion matrix as a picture for a panel, laid out as in the reports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import qt
from slicer.i18n import tr as _

from MotionQALib.confusion_drawing import LEFT, REST, TOP, draw_confusion
from MotionQALib.palette import GRADE_COLOURS, rgb
from MotionQALib.scale import Grade

PAPER, INK, FAINT = "#ffffff", "#202020", "#c8c8c8"
FULL = GRADE_COLOURS[Grade.MILD].fill


def confusion_picture(
    counts: np.ndarray,
    names: Sequence[str],
    rows: str,
    columns: str,
    *,
    width: int = 184,
    of_rows: bool = False,
):
    """Draw counts (n, n) as a QPixmap of so many pixels across; see `draw_confusion`."""
    sheet = _Sheet(width)
    try:
        draw_confusion(sheet, counts, names, rows, columns, of_rows=of_rows)
    finally:
        sheet.painter.end()
    return sheet.pixmap


def summary(counts: np.ndarray, rows: str, columns: str) -> str:
    """For who cannot see the picture."""
    text = _("{rows} against {columns}: {same} of {all} scores the same")
    same, everything = int(np.trace(counts)), int(np.sum(counts))
    return text.format(rows=rows, columns=columns, same=same, all=everything)


class _Sheet:
    """A `MotionQALib.confusion_drawing.Sheet` of Qt's."""

    def __init__(self, width: int) -> None:
        self.side = width / (LEFT + 1 + REST)
        self.pixmap = qt.QPixmap(width, round(self.side * (TOP + 1 + REST)))
        self.pixmap.fill(qt.QColor(PAPER))
        self.painter = qt.QPainter(self.pixmap)
        font = qt.QFont()
        font.setPixelSize(max(9, round(0.085 * self.side)))
        self.painter.setFont(font)

    def cell(self, x: float, y: float, side: float, shade: float, same: bool) -> None:
        left, top = round(x * self.side), round(y * self.side)
        length = round((x + side) * self.side) - left
        colour = [round(255 + shade * (part - 255)) for part in rgb(FULL)]
        self.painter.fillRect(left, top, length, length, qt.QColor(*colour))
        # A frame, so that agreement is seen without colour.
        self.painter.setPen(qt.QPen(qt.QColor(INK if same else FAINT)))
        self.painter.drawRect(left, top, length - 1, length - 1)

    def text(self, x: float, y: float, text: str, *, shade: float = 0.0, turned=False) -> None:
        self.painter.setPen(qt.QPen(qt.QColor("#ffffff" if shade > 0.55 else INK)))
        self.painter.save()
        self.painter.translate(round(x * self.side), round(y * self.side))
        if turned:
            self.painter.rotate(-90)
        half = round(self.side / 2)
        box = qt.QRect(-half, -10, 2 * half, 20)
        self.painter.drawText(box, qt.Qt.AlignCenter, text)
        self.painter.restore()
