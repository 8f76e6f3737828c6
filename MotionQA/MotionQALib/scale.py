"""The radiologists' scale: Likert scores 5 to 1 and the three grades made of them.

Scores and grades are those of the CMRxMotion challenge (Wang et al., 2022, arXiv:2210.06385):
5 excellent … 1 non-diagnostic; 4-5 mild, 3 moderate, 1-2 severe respiratory motion.
Probabilities are always arrays of shape (…, 5) whose column i is score i + 1.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

SCALE_VERSION = "cmrxmotion-2022"

SCORES = (1, 2, 3, 4, 5)

SCORE_WORDS = {
    5: "excellent",
    4: "good",
    3: "adequate",
    2: "poor",
    1: "non-diagnostic",
}


class Grade(IntEnum):
    """Severity of motion artefacts; the numbers are those of CMRxMotion's ``IQA.csv``."""

    MILD = 1
    MODERATE = 2
    SEVERE = 3

    @property
    def label(self) -> str:
        return self.name.lower()

    @property
    def scores(self) -> tuple[int, ...]:
        return tuple(score for score in SCORES if grade_of(score) is self)


def grade_of(score: int) -> Grade:
    """Return the grade that a score from 1 to 5 belongs to."""
    if score not in SCORES:
        raise ValueError(f"A score is one of 1, 2, 3, 4, 5; got {score!r}.")
    if score >= 4:
        return Grade.MILD
    return Grade.MODERATE if score == 3 else Grade.SEVERE


GRADE_OF_SCORE = np.array([grade_of(score) for score in SCORES])
"""Grade numbers, shape (5,): ``GRADE_OF_SCORE[scores - 1]`` grades a whole array."""


def expected_score(probabilities: np.ndarray) -> np.ndarray:
    """Mean score of (…, 5) probabilities, shape (…,)."""
    return np.asarray(probabilities) @ np.asarray(SCORES, dtype=np.float64)


def median_score(probabilities: np.ndarray) -> np.ndarray:
    """Median score of (…, 5) probabilities, shape (…,), the score that MotionQA reports.

    The median errs least in absolute terms, and a grade taken from it never contradicts it.
    """
    cumulative = np.cumsum(np.asarray(probabilities, dtype=np.float64), axis=-1)
    return 1 + np.argmax(cumulative >= 0.5 * cumulative[..., -1:], axis=-1)


def grade_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Sum (…, 5) score probabilities into (…, 3): mild, moderate, severe."""
    membership = GRADE_OF_SCORE[:, None] == np.array(list(Grade))[None, :]
    return np.asarray(probabilities) @ membership.astype(np.float64)


def uncertainty(probabilities: np.ndarray) -> np.ndarray:
    """1 - P(the reported grade), shape (…,), of (…, 5) probabilities."""
    reported = GRADE_OF_SCORE[median_score(probabilities) - 1] - Grade.MILD
    grades = grade_probabilities(probabilities)
    return 1.0 - np.take_along_axis(grades, reported[..., None], axis=-1)[..., 0]


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Probabilities (…, 5) of logits (…, 5) divided by the temperature."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def is_uncertain(
    probabilities: np.ndarray, uncertain_above: float, severe_above: float = 1.0
) -> np.ndarray:
    """Which of (…, 5) probabilities leave doubt, (…,) bool.

    Parameters
    ----------
    uncertain_above : doubtful is whose 1 - P(reported grade) exceeds this
    severe_above : and whatever is not graded severe while P(severe) exceeds this
    """
    shape = np.shape(probabilities)[:-1]
    flat = np.reshape(probabilities, (-1, np.shape(probabilities)[-1]))
    severe = grade_probabilities(flat)[:, Grade.SEVERE - 1]
    missed = (GRADE_OF_SCORE[median_score(flat) - 1] != Grade.SEVERE) & (severe > severe_above)
    return ((uncertainty(flat) > uncertain_above) | missed).reshape(shape)
