"""Where the images of a DICOM volume are stored, and where and when they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Instance:
    """One stored image.

    Parameters
    ----------
    path : its file
    frame : its number in the file, from 0 (DICOM's ReferencedFrameNumber counts from 1)
    n_frames : images that the file holds
    sop_class_uid, sop_instance_uid, series_uid : empty where an anonymiser took them away
    """

    path: Path
    frame: int
    n_frames: int
    sop_class_uid: str
    sop_instance_uid: str
    series_uid: str


@dataclass(frozen=True, eq=False)
class Origin:
    """Whence the images of a volume come.

    Parameters
    ----------
    instances : (frames, slices) of `Instance`; None where a ragged series lacks the image
    times : (frames, slices) float, ms after the R wave; NaN where not given
    positions : (slices, 3) mm, of the first pixel in DICOM's patient axes; None where unknown
    directions : (2, 3) unit vectors: along a row, then along a column; None where unknown
    study_uid, frame_of_reference_uid, patient_id : of the first image, empty where not given
    """

    instances: np.ndarray
    times: np.ndarray
    positions: np.ndarray | None
    directions: np.ndarray | None
    study_uid: str = ""
    frame_of_reference_uid: str = ""
    patient_id: str = ""

    @property
    def series_uids(self) -> tuple[str, ...]:
        """Of the series that its images come from, each once."""
        uids = (one.series_uid for one in self.instances.T.flat if one is not None)
        return tuple(dict.fromkeys(uids))

    @property
    def files(self) -> tuple[Path, ...]:
        """Each once, slice by slice."""
        return tuple(dict.fromkeys(one.path for one in self.instances.T.flat if one is not None))

    @property
    def frame_times(self) -> list[float]:
        """ms after the R wave of each frame, the median over its slices; empty where unknown."""
        times = [row[np.isfinite(row)] for row in self.times]
        if len(times) < 2 or not all(len(row) for row in times):
            return []
        found = [float(np.median(row)) for row in times]
        return found if all(a < b for a, b in pairwise(found)) else []

    def affine(self, gap: float, pixel: tuple[float, float]) -> np.ndarray | None:
        """(4, 4) from (column, row, slice) to DICOM's patient axes in mm; None where unknown.

        Parameters
        ----------
        gap : mm between slices
        pixel : mm between rows, between columns
        """
        if self.positions is None or self.directions is None:
            return None
        along_row, along_column = self.directions
        step = np.cross(along_row, along_column) * gap
        if len(self.positions) > 1:  # oblique stacks may shear: the positions are the truth
            step = (self.positions[-1] - self.positions[0]) / (len(self.positions) - 1)
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1] = along_row * pixel[1], along_column * pixel[0]
        affine[:3, 2], affine[:3, 3] = step, self.positions[0]
        return affine
