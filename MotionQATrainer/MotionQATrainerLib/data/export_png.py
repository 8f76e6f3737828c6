"""Labelled slices as PNG files, one folder a label: what image classifiers elsewhere train on.

The layout is torchvision's ImageFolder: ``OUT/<grade or score>/<image>_<slice>.png``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from MotionQALib import volumes
from MotionQALib.subjects import without_suffix

from .labels import Label, Levels
from .matching import DataError, first_few, frames_and_slices, labelled_images, nearest_levels


def export_png(
    data: str | Path,
    labels: str | Path,
    out: str | Path,
    *,
    axis: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, list[str]]:
    """Write every labelled slice; returns how many, and sentences about what was left out.

    Parameters
    ----------
    data, labels : folder of images, and CSV file
    axis : the files' axis that slices count along; by default found from each file's geometry
    progress : called with images done and images to do

    A slice's brightness runs from black to white between its volume's extremes, 8 bits.
    """
    images = labelled_images(data, labels)
    spoken, remarks = images.labels, images.remarks
    read = [label for of in spoken.values() for label in of]
    by_grade = any(label.score is None for label in read)  # then "moderate" is no score either
    written = 0
    for done, (image, path) in enumerate(images.paths.items(), start=1):
        try:
            volume = volumes.read(path, slice_axis=axis)
            written += _export(volume, image, spoken[image], Path(out), by_grade)
        except volumes.VolumeError as error:
            remarks.append(str(error))
        if progress:
            progress(done, len(images.paths))
    if not written:
        raise DataError(" ".join(["No slice could be written.", *first_few(remarks)]))
    return written, remarks


def _export(volume: volumes.Volume, name: str, labels: list[Label], out: Path, by_grade) -> int:
    from PIL import Image

    chosen, _ = frames_and_slices(labels, volume.n_frames, volume.n_slices)
    stem = re.sub(r"[/\\]", "_", without_suffix(name))
    low, high = float(volume.voxels.min()), float(volume.voxels.max())
    for frame, index in chosen:
        image = np.asarray(volume.voxels[frame, index], dtype=np.float32)
        grey = np.rint((image - low) * (255 / max(high - low, 1e-30))).astype(np.uint8)
        folder = out / folder_of(nearest_levels(labels, frame, index), by_grade)
        folder.mkdir(parents=True, exist_ok=True)
        part = f"_{frame}" if volume.n_frames > 1 else ""
        Image.fromarray(grey).save(folder / f"{stem}{part}_{index}.png")
    return len(chosen)


def folder_of(levels: Levels, by_grade: bool) -> str:
    """Name of a label's folder: its score, or its grade's word."""
    label = Label("", None, None, levels)
    return label.grade.label if by_grade else str(label.score)
