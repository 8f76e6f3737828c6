"""Grades in words, the same in overlay, strip and table."""

from __future__ import annotations

from slicer.i18n import tr as _

from MotionQALib.results import Override, Row
from MotionQALib.scale import Grade


def grade_of_row(row: Row | Override) -> Grade:
    return Grade[row.grade.upper()]


def grade_name(grade: Grade) -> str:
    names = {
        Grade.MILD: _("mild"),
        Grade.MODERATE: _("moderate"),
        Grade.SEVERE: _("severe"),
    }
    return names[grade]


def score_word(score: int) -> str:
    """The scale's own word."""
    words = {
        5: _("excellent"),
        4: _("good"),
        3: _("adequate"),
        2: _("poor"),
        1: _("non-diagnostic"),
    }
    return words[score]


def probability(row: Row) -> float:
    """Of the row's grade: its scores' together."""
    probabilities = (row.p1, row.p2, row.p3, row.p4, row.p5)
    return sum(probabilities[score - 1] for score in grade_of_row(row).scores)


def in_words(row: Row) -> str:
    """Such as "3 · moderate 71 %"."""
    text = _("{score} · {grade} {percent} %")
    percent = round(100 * probability(row))
    return text.format(score=row.score, grade=grade_name(grade_of_row(row)), percent=percent)


def override_in_words(override: Override) -> str:
    """Such as "4 · mild", or "mild" where the reader gave no score."""
    grade = grade_name(grade_of_row(override))
    if override.score is None:
        return grade
    return _("{score} · {grade}").format(score=override.score, grade=grade)


def place(frame: int | None, index: int | None, frames: int) -> str:
    """Such as "slice 4, frame 0"; slices and frames count from 0 as in the files."""
    if index is None:
        return _("volume")
    text = _("slice {slice}") if frames == 1 else _("slice {slice}, frame {frame}")
    return text.format(slice=index, frame=frame)


def no_grade(frame: int, index: int, frames: int) -> str:
    """Of an image that is blank, or missing from its series."""
    text = _("{place}: no grade, it is blank or missing")
    return text.format(place=place(frame, index, frames))


def summary(row: Row, override: Override | None, frames: int) -> str:
    """One line that says all of a place."""
    parts = [f"{place(row.frame, row.slice, frames)}: {in_words(row)}"]
    if row.uncertain:
        parts.append(_("uncertain"))
    if override is not None:
        text = _("{reader}: {grade}")
        parts.append(text.format(reader=override.reader, grade=override_in_words(override)))
    return ", ".join(parts)
