"""A volume's grades in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence

from .results import Assessment
from .scale import SCORE_WORDS, Grade


def summary(assessment: Assessment) -> str:
    """What is to be known of a volume, in a few sentences.

    >>> summary(assessment)
    'Severe motion: score 2 of 5 (poor). Severe: slices 0-3; moderate: slice 4.'
    """
    score, grade = assessment.volume_score, assessment.volume_grade
    sentences = [f"{grade.label.capitalize()} motion: score {score} of 5 ({SCORE_WORDS[score]})."]
    found = {grade: assessment.slices_graded(grade) for grade in (Grade.SEVERE, Grade.MODERATE)}
    named = [f"{grade.label}: {in_words(slices)}" for grade, slices in found.items() if slices]
    if named:
        worst = ", each in its worst frame" if assessment.n_frames > 1 else ""
        sentences.append(_sentence("; ".join(named) + worst))
    elif assessment.n_slices > 1:
        graded = int(assessment.graded.any(axis=0).sum())
        which = "" if graded == assessment.n_slices else "graded "
        sentences.append(f"All {graded} {which}slices are mild.")
    if assessment.volume_uncertain:
        sentences.append("The volume's grade is uncertain.")
    return " ".join(sentences)


def in_words(slices: Sequence[int]) -> str:
    """Rising numbers of slices as ranges: [0, 1, 2, 5] is "slices 0-2, 5"."""
    runs: list[list[int]] = []
    for index in slices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    parts = [str(a) if a == b else f"{a}{', ' if b == a + 1 else '-'}{b}" for a, b in runs]
    return f"slice{'s' if len(slices) > 1 else ''} {', '.join(parts)}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
