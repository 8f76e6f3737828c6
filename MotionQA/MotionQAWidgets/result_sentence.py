"""A volume's result in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from slicer.i18n import tr as _

from MotionQALib.scale import Grade, grade_probabilities

from .scene_results import SceneResult
from .wording import grade_name, override_in_words


def ranges(numbers: Iterable[int]) -> str:
    """Rising numbers, neighbours joined: 1, 4–6."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def result_sentence(result: SceneResult) -> str:
    """Score and grade of the volume, and which slices to look at; they count from 0."""
    assessment = result.assessment
    grade = assessment.volume_grade
    share = grade_probabilities(assessment.volume_probabilities)[grade - 1]
    text = _("Volume: {score} · {grade} ({percent} %)")
    head = text.format(
        score=assessment.volume_score, grade=grade_name(grade), percent=round(100 * share)
    )
    if assessment.volume_uncertain:
        head = _("{result}, uncertain").format(result=head)
    override = result.override_for(None, None)
    if override is not None:
        text = _("{result}; {reader}: {grade}")
        head = text.format(result=head, reader=override.reader, grade=override_in_words(override))
    return f"{head} — {_slices(assessment)}"


def remarks_in_sentences(result: SceneResult) -> str:
    """What was assumed, left out or doubted; empty where nothing was."""
    remarks = result.assessment.remarks
    return " ".join(one if one.endswith((".", "!", "?")) else f"{one}." for one in remarks)


def _slices(assessment) -> str:
    severe = assessment.slices_graded(Grade.SEVERE)
    moderate = assessment.slices_graded(Grade.MODERATE)
    if len(severe) == 1:
        return _("slice {slice} severe: consider re-acquiring").format(slice=severe[0])
    if severe:
        return _("slices {slices} severe: consider re-acquiring").format(slices=ranges(severe))
    if len(moderate) == 1:
        return _("slice {slice} moderate, none severe").format(slice=moderate[0])
    if moderate:
        return _("slices {slices} moderate, none severe").format(slices=ranges(moderate))
    if not assessment.graded.any(axis=0).all():
        return _("all graded slices mild")
    return _("all slices mild")
