"""The network's probabilities beside the labels, as CSV: from it, anyone can get the figures again.

A row for each labelled volume and slice. ``score`` is the reported one, the median of p1 to p5, and
``grade`` is its grade: accuracy and κ compare ``grade`` with ``label_grade``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MotionQALib.scale import SCORES, grade_of, median_score
from MotionQALib.spreadsheet_files import write_rows

from .labelled_predictions import GradedImages, LabelledPredictions

COLUMNS = (
    *("unit", "image", "subject", "frame", "slice", "label_score", "label_grade"),
    *("score", "grade", *(f"p{score}" for score in SCORES)),
)
"""``unit`` is volume or slice; ``label_score`` is empty where the label is only a grade."""


def write_predictions(path: str | Path, graded: GradedImages) -> None:
    """Write what grading gave, volumes first; the file is there whole or not at all."""
    rows = (*_rows("volume", graded.volumes), *_rows("slice", graded.slices))
    write_rows(path, COLUMNS, rows)


def _rows(unit: str, labelled: LabelledPredictions) -> Iterator[list]:
    for label, probabilities in zip(labelled.labels, labelled.probabilities, strict=True):
        score = int(median_score(np.asarray(probabilities)))
        yield [
            *(unit, label.image, label.subject, label.frame, label.slice),
            *(label.score, label.grade and label.grade.label, score, grade_of(score).label),
            *(repr(float(value)) for value in probabilities),  # every digit
        ]
