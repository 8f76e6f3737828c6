"""The colours of the grades: the only definition.

Blue, amber and crimson stay apart in the three common kinds of colour blindness and in print. A
colour never stands alone: the grade's name or the score is always beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .scale import Grade


@dataclass(frozen=True)
class Colour:
    """One grade's colours, as ``#rrggbb``.

    Parameters
    ----------
    fill, text : of a label, and of the words on it
    on_dark : of lines and words over an image or a dark page
    """

    fill: str
    text: str
    on_dark: str


GRADE_COLOURS: dict[Grade, Colour] = {
    Grade.MILD: Colour(fill="#1f5f9e", text="#ffffff", on_dark="#6fb0f0"),
    Grade.MODERATE: Colour(fill="#d9a21b", text="#1a1a1a", on_dark="#f2c75c"),
    Grade.SEVERE: Colour(fill="#b0304f", text="#ffffff", on_dark="#f0708a"),
}

RELEVANCE = (
    (0.00, "#000000"),
    (0.35, "#5b1a6e"),
    (0.65, "#d8457f"),
    (1.00, "#ffd9a0"),
)
"""Relevance from 0 to 1, for overlays; lightness rises all the way, so that it reads in grey."""


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` to three numbers from 0 to 255."""
    return tuple(int(colour[start : start + 2], 16) for start in (1, 3, 5))
