"""The network's probabilities beside the labels, as CSV: from it, anyone can get the figures again.

A row for each labelled volume and slice. ``score`` is the reported one, the median of p1 to p5, and
``grade`` is its grade: accuracy and κ compare ``grade`` with ``label_grade``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from MotionQALib.scale import SCORES, grade_of, median_score
from MotionQALib.whole_files import written_whole

from .labelled_predictions import GradedImages, LabelledPredictions

COLUMNS = (
    *("unit", "image", "subject", "frame", "slice", "label_score", "label_grade"),
    *("score", "grade", *(f"p{score}" for score in SCORES)),
)
"""``unit`` is volume or slice; ``label_score`` is empty where the label is only a grade."""


def write_predictions(path: str | Path, graded: GradedImages) -> None:
    """Write what grading gave, volumes first; the file is there whole or not at all."""
    with written_whole(path, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows("volume", graded.volumes))
        writer.writerows(_rows("slice", graded.slices))


def _rows(unit: str, labelled: LabelledPredictions) -> Iterator[list]:
    for label, probabilities in zip(labelled.labels, labelled.probabilities, strict=True):
        score = int(median_score(np.asarray(probabilities)))
        row = [
            *(unit, _text(label.image), _text(label.subject or ""), label.frame, label.slice),
            *(label.score, label.grade and label.grade.label, score, grade_of(score).label),
            *(repr(float(value)) for value in probabilities),  # every digit
        ]
        yield ["" if cell is None else cell for cell in row]


def _text(name: str) -> str:
    """A spreadsheet takes a cell that starts so for a formula, and would run it."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name
