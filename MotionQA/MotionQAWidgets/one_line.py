"""A label that keeps to one line where it can: in a smaller font, then shortened or wrapped."""

from __future__ import annotations

import qt

SMALLER = (1.0, 0.9, 0.8, 0.75)
"""Shares of the panel's font size, tried from the largest."""


class OneLine(qt.QObject):
    """Writes a sentence into a label of the panel, and fits it anew when the panel is resized.

    Parameters
    ----------
    label : in a column as wide as the panel; its own size asks for nothing
    wraps : what does not fit goes on in a second line, rather than being shortened and told by the
        tooltip
    """

    def __init__(self, label, wraps: bool = False) -> None:
        qt.QObject.__init__(self, label)
        self._label, self._text, self._wraps = label, "", wraps
        self._in_full = False
        self._points = label.font.pointSizeF()
        label.wordWrap = False
        label.sizePolicy = qt.QSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)
        label.installEventFilter(self)

    def say(self, text: str, more: str = "") -> None:
        """Show a sentence, none where it is empty; more is only in the tooltip."""
        self._text, self._in_full = text, False
        self._label.wordWrap = False
        self._label.toolTip = "\n".join(part for part in (text, more) if part)
        self._label.visible = bool(text)
        self._fit()

    def say_in_full(self, text: str) -> None:
        """Show what the user must act upon, on as many lines as it takes."""
        self.say(text)
        self._in_full = True
        self._set_size(SMALLER[0])
        self._label.wordWrap = True
        self._label.text = text

    def eventFilter(self, _label, event) -> bool:  # noqa: N802, Qt's name
        if event.type() == qt.QEvent.Resize:
            self._fit()
        return False

    def _fit(self) -> None:
        if self._in_full:
            return
        room = self._label.width
        for share in SMALLER:
            self._set_size(share)
            metrics = self._label.fontMetrics()
            fits = metrics.boundingRect(self._text).width() <= room - 4
            if fits:
                break
        self._label.wordWrap = self._wraps and not fits
        shown = (
            self._text
            if self._label.wordWrap
            else metrics.elidedText(self._text, qt.Qt.ElideRight, room)
        )
        if self._label.text != shown:
            self._label.text = shown

    def _set_size(self, share: float) -> None:
        points = share * self._points
        if self._points > 0 and abs(self._label.font.pointSizeF() - points) > 0.01:
            font = qt.QFont(self._label.font)
            font.setPointSizeF(points)
            self._label.font = font
