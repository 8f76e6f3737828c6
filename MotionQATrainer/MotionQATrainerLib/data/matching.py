"""Which file each label speaks of, and which of its slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from MotionQALib import volumes
from MotionQALib.subjects import without_suffix

from .labels import Label, Levels

Place = tuple[int, int]
"""Frame and slice, counted from 0 in the file's own order."""

FRAMES_OF_A_CINE = 4
"""Frames taken of a cine that is labelled as a whole: neighbours show almost the same."""


class DataError(ValueError):
    """Images and labels that cannot be trained on; the message says what to do."""


def by_image(labels: Iterable[Label]) -> dict[str, list[Label]]:
    """Labels grouped by the image that they speak of."""
    groups: dict[str, list[Label]] = {}
    for label in labels:
        groups.setdefault(label.image, []).append(label)
    return groups


def match(
    data: str | Path, images: Iterable[str], labels: str | Path = "the labels"
) -> tuple[dict[str, Path], list[str]]:
    """Find each image's file below a folder, by its name or by its path within it.

    Returns the files, and sentences about images without labels and labels without images.
    Raises DataError where nothing matches, a name fits several files, or two names fit one.
    """
    data, images = Path(data), list(images)
    files = volumes.find(data)
    known: dict[str, list[Path]] = {}
    for path in files:
        inner = path.relative_to(data) if path.is_relative_to(data) else path
        whole = inner.as_posix()
        bare = without_suffix(whole)
        for name in {whole, bare, path.name, bare.rpartition("/")[2]}:
            known.setdefault(name, []).append(path)
    paths, missing = {}, []
    owner: dict[Path, str] = {}
    for image in images:
        fitting = known.get(image.replace("\\", "/"), [])
        if len(fitting) > 1:
            raise DataError(
                f"{data} has {len(fitting)} images named {image}, such as {fitting[0]} and "
                f"{fitting[1]}; give the path within the folder as the image's name in {labels}."
            )
        if fitting:
            earlier = owner.setdefault(fitting[0], image)
            if earlier != image:
                raise DataError(
                    f"{earlier} and {image} in {labels} are the same image, {fitting[0]}; keep one."
                )
            paths[image] = fitting[0]
        else:
            missing.append(image)
    if not paths:
        raise DataError(
            f"None of the {len(images)} images named in {labels} is in {data} (the first is "
            f"{images[0]}, a file there {files[0].name}); check that they belong together."
        )
    unlabelled = len(set(files) - set(paths.values()))
    remarks = []
    if missing:
        remarks.append(
            f"{len(missing)} labelled images have no file in {data}, such as {missing[0]}."
        )
    if unlabelled:
        remarks.append(f"{unlabelled} images in {data} have no label; they are left out.")
    return paths, remarks


def first_few(remarks: Sequence[str], most: int = 3) -> list[str]:
    """Remarks for a message that is still read: of many files, each with its fault, the first."""
    more = len(remarks) - most
    return [*remarks[:most], f"(and {more} more)"] if more > 1 else list(remarks)


def places(labels: Sequence[Label], n_frames: int, n_slices: int) -> tuple[list[Place], int]:
    """Which slices of one image its labels speak of, and how many lie outside the image."""
    detailed = [label for label in labels if label.slice is not None]
    found: dict[Place, None] = {}
    outside = 0
    for label in detailed or labels:
        if label.frame is not None:
            frames = [label.frame]
        else:
            frames = range(0, n_frames, max(1, n_frames // FRAMES_OF_A_CINE))
        slices = range(n_slices) if label.slice is None else [label.slice]
        for frame in frames:
            for index in slices:
                if frame < n_frames and index < n_slices:
                    found[frame, index] = None
                else:
                    outside += 1
    return list(found), outside


def nearest_levels(labels: Sequence[Label], frame: int, index: int) -> Levels:
    """What one image's labels say of a slice: its own, else its frame's, else the whole image's."""
    by_place = {(label.frame, label.slice): label.levels for label in labels}
    for place in ((frame, index), (None, index), (frame, None)):
        if place in by_place:
            return by_place[place]
    return by_place[None, None]
