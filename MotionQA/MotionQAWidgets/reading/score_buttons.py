"""The five scores in the scale's own words, one button each, the best on top."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from MotionQALib.palette import GRADE_COLOURS
from MotionQALib.scale import SCORES, grade_of
from MotionQALib.signals import Signal

from ..wording import grade_name, score_word

STYLE = """
QPushButton {{ text-align: left; padding: 7px 10px; font-size: 14px; border-radius: 4px;
    border: 1px solid palette(mid); border-left: 8px solid {fill}; }}
QPushButton:hover {{ border-color: {fill}; }}
QPushButton:checked {{ background: {fill}; color: {text}; font-weight: bold; }}
QPushButton:disabled {{ color: palette(mid); }}
"""


def score_in_words(score: int) -> str:
    """Such as "4 · good"."""
    return _("{score} · {word}").format(score=score, word=score_word(score))


class ScoreButtons:
    """Buttons in a frame; the one of the given score is down.

    Signals
    -------
    pressed(score)
    """

    def __init__(self, frame) -> None:
        self.pressed = Signal()
        column = qt.QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.spacing = 3
        self._buttons = {}
        for score in reversed(SCORES):
            grade = grade_of(score)
            button = qt.QPushButton()
            text = _("{score}   {word}   ({grade})")
            button.text = text.format(score=score, word=score_word(score), grade=grade_name(grade))
            button.name = f"score{score}Button"
            button.toolTip = _("Give this score (key {score}).").format(score=score)
            button.checkable = True
            # A click must not take the focus from the image, nor Space press it again.
            button.focusPolicy = qt.Qt.NoFocus
            colour = GRADE_COLOURS[grade]
            button.styleSheet = STYLE.format(fill=colour.fill, text=colour.text)
            button.clicked.connect(lambda *_args, score=score: self._on_clicked(score))
            column.addWidget(button)
            self._buttons[score] = button

    def show(self, given: int | None) -> None:
        self._given = given
        for score, button in self._buttons.items():
            button.checked = score == given

    @property
    def enabled(self) -> bool:
        return all(button.enabled for button in self._buttons.values())

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        for button in self._buttons.values():
            button.enabled = bool(enabled)

    def _on_clicked(self, score: int) -> None:
        self.show(self._given)  # down means saved, not clicked
        self.pressed.emit(score)

    _given: int | None = None
