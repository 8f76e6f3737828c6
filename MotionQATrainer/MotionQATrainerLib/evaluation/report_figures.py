"""figures.json of a finished run: what its report draws of the errors, for others to draw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from MotionQALib.scale import GRADE_OF_SCORE, Grade, median_score, uncertainty
from MotionQALib.whole_files import write_whole

BINS = 10


def confusion_matrix(levels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Slices by grade, (3, 3) int: rows as labelled, columns as graded.

    Parameters
    ----------
    levels : (n, 5) bool, the scores that each label allows
    probabilities : (n, 5), calibrated
    """
    truth, reported = _grades(levels, probabilities)
    return np.array([[((truth == a) & (reported == b)).sum() for b in Grade] for a in Grade])


def reliability_points(
    levels: np.ndarray, probabilities: np.ndarray, n_bins: int = BINS
) -> list[dict[str, float]]:
    """Of slices about equally sure: mean ``confidence``, share ``right``, and ``count``."""
    truth, reported = _grades(levels, probabilities)
    right, confidence = truth == reported, 1 - uncertainty(probabilities)
    order = np.argsort(confidence, kind="stable")
    return [
        {
            "confidence": float(confidence[part].mean()),
            "right": float(right[part].mean()),
            "count": len(part),
        }
        for part in np.array_split(order, min(n_bins, len(order)))
    ]


def write_figures(path: Path, part: str, levels: np.ndarray, probabilities: np.ndarray) -> None:
    """Write both as JSON, with the name of the subjects' part that they speak of."""
    content = {
        "part": part,
        "confusion": confusion_matrix(levels, probabilities).tolist(),
        "reliability": reliability_points(levels, probabilities),
    }
    write_whole(path, json.dumps(content))


def _grades(levels: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grade numbers as labelled and as graded, (n,) each."""
    return (
        GRADE_OF_SCORE[levels.argmax(axis=1)],
        GRADE_OF_SCORE[median_score(probabilities) - 1],
    )
