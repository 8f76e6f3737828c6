"""The reliability diagram of a finished training, painted for the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.palette import GRADE_COLOURS
from MotionQALib.scale import Grade

PAPER, INK, FAINT = "#fffdf6", "#1a1a1a", "#c9c5ba"
BLUE = GRADE_COLOURS[Grade.MILD].fill
CENTRE = qt.Qt.AlignCenter


class _Chart:
    """A square picture with a title; positions in shares of its side."""

    def __init__(self, side: int, title: str) -> None:
        self.side = side
        self.pixmap = qt.QPixmap(side, side)
        self.pixmap.fill(qt.QColor(PAPER))
        self.painter = qt.QPainter(self.pixmap)
        self.painter.setRenderHint(qt.QPainter.Antialiasing)
        self.text((0, 0, 1, 0.11), title, size=0.065)

    def rect(self, box: tuple[float, float, float, float]):
        return qt.QRect(*(round(value * self.side) for value in box))

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str) -> None:
        self.painter.setPen(qt.QColor(colour))
        self.painter.drawLine(*(round(value * self.side) for value in (x1, y1, x2, y2)))

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        shade = qt.QColor(colour)
        shade.setAlphaF(0.85)
        self.painter.setPen(qt.QColor(colour))
        self.painter.setBrush(qt.QBrush(shade))
        self.painter.drawEllipse(self.rect((x - radius, y - radius, 2 * radius, 2 * radius)))

    def text(self, box, text: str, colour: str = INK, size: float = 0.052) -> None:
        font = qt.QFont()
        font.setPixelSize(max(8, round(size * self.side)))
        self.painter.setFont(font)
        self.painter.setPen(qt.QColor(colour))
        self.painter.drawText(self.rect(box), CENTRE, text)

    def finished(self):
        self.painter.end()
        return self.pixmap


def reliability(points: Sequence[Mapping[str, float]], side: int):
    """QPixmap of how often the network is right where it is so sure; the diagonal is honest.

    Parameters
    ----------
    points : of slices about equally sure, their mean ``confidence``, the share that is ``right``,
        and their ``count``, which the disc's size shows
    """
    sheet = _Chart(side, _("Right grades, by confidence"))
    left, top, size = 0.15, 0.13, 0.74
    bottom = top + size
    for share in (0.0, 0.5, 1.0):
        y, x = bottom - share * size, left + share * size
        sheet.line(left, y, left + size, y, FAINT)
        sheet.text((0, y - 0.04, left - 0.02, 0.08), f"{share:g}")
        sheet.text((x - 0.06, bottom + 0.02, 0.12, 0.07), f"{share:g}")
    sheet.line(left, bottom, left + size, top, INK)
    total = sum(point["count"] for point in points)
    for point in points:
        x, y = left + point["confidence"] * size, bottom - point["right"] * size
        sheet.disc(x, y, 0.012 + 0.05 * (point["count"] / total) ** 0.5, BLUE)
    return sheet.finished()
