"""What grading a volume gives: probabilities, and everything that follows from them.

Needs NumPy only, so that reports and Slicer's side can use it without torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from .scale import (
    GRADE_OF_SCORE,
    SCORES,
    Grade,
    expected_score,
    grade_of,
    median_score,
)


class Row(NamedTuple):
    """One line of a table of results; its field names are the columns that MotionQA promises.

    ``frame`` and ``slice`` count from 0 along the file's own axes; None in the volume's row.
    """

    volume: str
    frame: int | None
    slice: int | None
    score: int
    expected_score: float
    grade: str
    p1: float
    p2: float
    p3: float
    p4: float
    p5: float
    uncertain: bool


class Override(NamedTuple):
    """A reader's own grade of a slice or, where both numbers are None, of the volume.

    It stands beside the network's, never instead of it. ``score`` is None where the reader only
    gave a grade; ``time`` is ISO 8601.
    """

    frame: int | None
    slice: int | None
    score: int | None
    grade: str
    reader: str
    time: str


Failure = tuple[str, str]
"""A file that could not be graded, and the sentence that says why."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The grades of one volume.

    Parameters
    ----------
    volume, source, identity : the volume's name, file and content key; identity is None where
        it was not known yet, because finding it means reading all voxels once more
    checkpoint, notice : what graded it, and what a user must be told about that
    probabilities : (frames, slices, 5) of the scores 1 to 5; NaN where there is no grade, because
        the image is blank or missing
    volume_probabilities : (5,)
    uncertain, volume_uncertain : (frames, slices) bool, bool
    device, precision : where and how it was computed, such as ``"cpu"`` and ``"bf16"``
    seconds : time taken, without reading the file
    remarks : sentences for the user: what was assumed, left out or doubted when the volume was
        read, and how grading went, such as memory running out
    overrides : what readers think of its grades, at most one a slice and frame
    """

    volume: str
    source: str | None
    identity: str | None
    checkpoint: str
    notice: str
    probabilities: np.ndarray
    volume_probabilities: np.ndarray
    uncertain: np.ndarray
    volume_uncertain: bool
    device: str
    precision: str
    seconds: float
    remarks: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def n_frames(self) -> int:
        return self.probabilities.shape[0]

    @property
    def n_slices(self) -> int:
        return self.probabilities.shape[1]

    @property
    def graded(self) -> np.ndarray:
        """(frames, slices) bool: where there is a grade."""
        return ~np.isnan(self.probabilities).any(axis=-1)

    @property
    def scores(self) -> np.ndarray:
        """(frames, slices) int, 1 to 5; 0 where there is no grade."""
        return np.where(self.graded, median_score(self.probabilities), 0)

    @property
    def expected_scores(self) -> np.ndarray:
        """(frames, slices) float, 1 to 5; NaN where there is no grade."""
        return expected_score(self.probabilities)

    @property
    def grades(self) -> np.ndarray:
        """(frames, slices) int, numbers of ``Grade``; 0 where there is no grade."""
        return np.where(self.graded, GRADE_OF_SCORE[self.scores - 1], 0)

    @property
    def worst_frames(self) -> np.ndarray:
        """(slices,) int: the frame in which each slice has the lowest expected score."""
        return self._lowest.argmin(axis=0)

    @property
    def slices_from_worst(self) -> list[int]:
        """All slices, the lowest expected score (in its worst frame) first, ungraded ones last."""
        return self._lowest.min(axis=0).argsort(kind="stable").tolist()

    @property
    def _lowest(self) -> np.ndarray:
        return np.where(self.graded, self.expected_scores, np.inf)

    def slices_graded(self, grade: Grade) -> list[int]:
        """Slices that have this grade in their worst frame."""
        grades = self.grades[self.worst_frames, np.arange(self.n_slices)]
        return np.flatnonzero(grades == grade).tolist()

    @property
    def volume_score(self) -> int:
        return int(median_score(self.volume_probabilities))

    @property
    def volume_expected_score(self) -> float:
        return float(expected_score(self.volume_probabilities))

    @property
    def volume_grade(self) -> Grade:
        return grade_of(self.volume_score)

    def rows(self) -> Iterator[Row]:
        """Frames in order, in each its graded slices in order, then the volume's own row."""
        scores, expected, graded = self.scores, self.expected_scores, self.graded
        for frame, index in np.ndindex(scores.shape):
            if not graded[frame, index]:
                continue
            yield self._row(
                frame,
                index,
                int(scores[frame, index]),
                float(expected[frame, index]),
                self.probabilities[frame, index],
                bool(self.uncertain[frame, index]),
            )
        yield self._row(
            None,
            None,
            self.volume_score,
            self.volume_expected_score,
            self.volume_probabilities,
            self.volume_uncertain,
        )

    def _row(self, frame, index, score, expected, probabilities, uncertain) -> Row:
        grade = grade_of(score).label
        p = (float(value) for value in probabilities)
        return Row(self.volume, frame, index, score, expected, grade, *p, uncertain)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``from_dict`` gives back the same numbers."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["overrides"] = [override._asdict() for override in self.overrides]
        values = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }
        for frame, index in np.argwhere(~self.graded):  # JSON has no NaN
            values["probabilities"][frame][index] = [None] * len(SCORES)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Assessment:
        """Rebuild from ``to_dict``; keys of later versions are ignored, a missing one is a
        TypeError, misshapen probabilities a ValueError."""
        known = {field.name for field in fields(cls)}
        given = {name: value for name, value in values.items() if name in known}
        for name, kind in (
            ("probabilities", float),
            ("volume_probabilities", float),
            ("uncertain", bool),
        ):
            if name in given:
                given[name] = np.asarray(given[name], dtype=kind)
        given["remarks"] = tuple(given.get("remarks", ()))
        given["overrides"] = tuple(Override(**o) for o in given.get("overrides", ()))
        assessment = cls(**given)
        shape = assessment.probabilities.shape
        if shape != (*assessment.uncertain.shape, len(SCORES)) or len(shape) != 3:
            raise ValueError(f"probabilities of shape {shape} are not (frames, slices, 5).")
        return assessment
