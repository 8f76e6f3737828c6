"""Labelled files graded as the user's files are, and set against their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from MotionQALib import volumes
from MotionQALib.assessment import AssessmentError, Assessor

from ..data.labels import Label, Levels
from ..data.matching import by_image, match


@dataclass
class LabelledPredictions:
    """Labels and probabilities side by side, of slices or of volumes."""

    labels: list[Label] = field(default_factory=list)
    probabilities: list[np.ndarray] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def levels(self) -> list[Levels]:
        return [label.levels for label in self.labels]

    @property
    def subjects(self) -> list[str]:
        return [label.subject for label in self.labels]

    def add(self, label: Label, probabilities: np.ndarray) -> None:
        self.labels.append(label)
        self.probabilities.append(probabilities)


@dataclass
class GradedImages:
    """What grading gave: ``slices`` and ``volumes`` that have a label, and what went wrong."""

    slices: LabelledPredictions = field(default_factory=LabelledPredictions)
    volumes: LabelledPredictions = field(default_factory=LabelledPredictions)
    remarks: list[str] = field(default_factory=list)


def grade(
    assessor: Assessor,
    data: str | Path,
    labels: Iterable[Label],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> GradedImages:
    """Grade every labelled image below ``data``. A file that cannot be graded is a remark.

    Raises DataError where no image belongs to the labels.
    """
    spoken = by_image(labels)
    paths, remarks = match(data, spoken)
    # Images of other subjects lie in the folder too: that they have no label here says nothing.
    graded = GradedImages(remarks=[text for text in remarks if "have no label" not in text])
    for done, (image, path) in enumerate(paths.items(), start=1):
        try:
            assessment = assessor.assess(volumes.read(path))
        except (volumes.VolumeError, AssessmentError) as error:
            graded.remarks.append(str(error))
            continue
        _set_against(graded, spoken[image], assessment)
        progress(done, len(paths))
    return graded


def _set_against(graded: GradedImages, labels: Sequence[Label], assessment) -> None:
    frames, slices = assessment.probabilities.shape[:2]
    for label in labels:
        if label.slice is None:
            if label.frame is None:
                graded.volumes.add(label, assessment.volume_probabilities)
        elif label.slice < slices and (label.frame or 0) < frames:
            # A slice labelled without a frame is graded as a volume is: the mean over frames.
            frame = slice(None) if label.frame is None else [label.frame]
            seen = assessment.graded[frame, label.slice]
            if seen.any():
                mean = assessment.probabilities[frame, label.slice][seen].mean(axis=0)
                graded.slices.add(label, mean)
            else:
                graded.remarks.append(f"{label.image} is blank in slice {label.slice}.")
        else:
            graded.remarks.append(
                f"{label.image} has no slice {label.slice} in frame {label.frame or 0}."
            )
