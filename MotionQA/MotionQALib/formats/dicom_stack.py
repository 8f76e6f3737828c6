"""Where and when each image of a DICOM series was taken, and the stack that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from .refusals import refusal
from .stored import colour, singular

SAME_PLACE = 0.1
"""mm; images nearer to each other than this along the normal show one slice."""


@dataclass(frozen=True)
class Picture:
    """One image: where it is stored, where and when it was taken, and its scaling."""

    path: Path
    index: int
    instance: float
    place: np.ndarray | None  # (3,) mm
    directions: np.ndarray | None  # (6,): along a row, then along a column
    time: float  # ms after the R wave; 0 where not given
    pixel: tuple[float, ...]  # mm between rows, between columns
    gap: float  # mm between slices, as far as one image knows
    slope: float
    intercept: float


def pictures_of(path: Path, headers: dict) -> Iterator[Picture]:
    for file, header in headers.items():
        if int(header.get("SamplesPerPixel", 1)) > 1 or "PALETTE" in str(
            header.get("PhotometricInterpretation", "")
        ):
            raise colour(path)
        shared = (header.get("SharedFunctionalGroupsSequence") or [None])[0]
        groups = header.get("PerFrameFunctionalGroupsSequence") or []
        for index in range(int(header.get("NumberOfFrames") or 1)):
            sources = (groups[index] if index < len(groups) else None, shared, header)
            yield _picture(path, file, index, [s for s in sources if s is not None])


def _picture(path: Path, file: Path, index: int, sources: list) -> Picture:
    """Gather an image's facts from its own, the shared and the file's groups, in that order."""

    def fact(keyword: str, *groups: str):
        for source in sources:
            for group in (None, *groups):
                held = source if group is None else (source.get(group) or [None])[0]
                value = None if held is None else held.get(keyword)
                if value not in (None, ""):
                    return value
        return None

    def number(default: float, keyword: str, *groups: str) -> float:
        value = fact(keyword, *groups)
        return default if value is None else float(value)

    pixel = fact("PixelSpacing", "PixelMeasuresSequence") or fact("ImagerPixelSpacing")
    if pixel is None or len(pixel) != 2:
        raise refusal(path, "gives no pixel spacing in its DICOM headers; export it again.")
    directions = fact("ImageOrientationPatient", "PlaneOrientationSequence")
    place = fact("ImagePositionPatient", "PlanePositionSequence")
    thickness = number(1.0, "SliceThickness", "PixelMeasuresSequence")
    time = number(0.0, "TriggerTime")
    transform = "PixelValueTransformationSequence"
    return Picture(
        path=file,
        index=index,
        instance=number(0.0, "InstanceNumber"),
        place=None if place is None else np.array(place, dtype=np.float64),
        directions=None if directions is None else np.array(directions, dtype=np.float64),
        time=number(time, "NominalCardiacTriggerDelayTime", "CardiacSynchronizationSequence"),
        pixel=tuple(map(float, pixel)),
        gap=number(thickness, "SpacingBetweenSlices", "PixelMeasuresSequence"),
        slope=number(1.0, "RescaleSlope", transform),
        intercept=number(0.0, "RescaleIntercept", transform),
    )


def stack_of(path: Path, pictures: Iterable[Picture]) -> list[list[Picture]]:
    """Sort images into slices along the normal, each slice's by time."""
    pictures = list(pictures)
    along = _along_normal(path, pictures)
    order = sorted(range(len(pictures)), key=lambda i: (along[i], pictures[i].instance))
    stack: list[list[Picture]] = []
    previous = None
    for i in order:
        if previous is None or along[i] - previous > SAME_PLACE:
            stack.append([])
        stack[-1].append(pictures[i])
        previous = along[i]
    counts = sorted({len(frames) for frames in stack})
    if len(counts) > 1:
        raise refusal(
            path,
            f"is incomplete: its slices have from {counts[0]} to {counts[-1]} frames; "
            "export the whole series again.",
        )
    return [sorted(frames, key=lambda p: (p.time, p.instance, p.index)) for frames in stack]


def _along_normal(path: Path, pictures: list[Picture]) -> list[float]:
    """Each image's position along the slices' normal, in mm; their count where none is known."""
    if any(p.place is None or p.directions is None for p in pictures):
        files = {p.path: None for p in pictures}
        return [10.0 * list(files).index(p.path) for p in pictures]
    first = pictures[0].directions
    if any(np.abs(p.directions - first).max() > 0.01 for p in pictures):
        raise refusal(
            path,
            "holds slices of several orientations, which make no stack; "
            "export each orientation as a series of its own.",
        )
    normal = np.cross(first[:3], first[3:])
    if not np.isfinite(normal).all() or np.linalg.norm(normal) < 1e-3:
        raise singular(path)
    return [float(p.place @ normal / np.linalg.norm(normal)) for p in pictures]


def gap_of(stack: list[list[Picture]]) -> float:
    """mm between slices: between their positions, else what the header says."""
    first = stack[0][0]
    if len(stack) > 1 and first.place is not None:
        places = [frames[0].place for frames in stack]
        steps = [np.linalg.norm(b - a) for a, b in pairwise(places)]
        return float(np.median(steps))
    return abs(first.gap)
