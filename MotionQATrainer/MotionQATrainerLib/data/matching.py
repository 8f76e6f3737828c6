"""Which file each label speaks of, and which of its slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from MotionQALib import volumes
from MotionQALib.image_names import ImageNames, Matches
from MotionQALib.subjects import persons

from .labels import Label, Levels, read_labels

FrameAndSlice = tuple[int, int]
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


@dataclass(frozen=True)
class LabelledImages:
    """Labels set against files.

    Parameters
    ----------
    labels : image -> its labels, each with the person as its subject
    paths : image -> file, of those that have one
    by_file : image -> person, where a PatientID or a scheme of names tells, whatever the labels say
    remarks : sentences about what does not match
    doubts : sentences about persons that cannot be told
    """

    labels: dict[str, list[Label]]
    paths: dict[str, Path]
    by_file: dict[str, str]
    remarks: list[str]
    doubts: list[str]

    def subject_of(self, image: str) -> str:
        return self.labels[image][0].subject


def labelled_images(data: str | Path, labels: str | Path) -> LabelledImages:
    """Read labels, find their images, and tell whose they are.

    A subject that the labels name counts; else DICOM's PatientID, a name of BIDS, CMRxMotion or
    ACDC in the image's path; else the image's own name.

    Raises LabelError, VolumeError or DataError.
    """
    spoken = by_image(read_labels(labels))
    paths, remarks = match(data, spoken, labels)
    told = persons(paths, Path(data))
    spoken = {image: _of_person(of, told.of.get(image)) for image, of in spoken.items()}
    found = LabelledImages(spoken, paths, told.named, remarks, told.remarks)
    subjects = {found.subject_of(image) for image in paths}
    if 1 < len(paths) == len(subjects) and not told.of:
        found.doubts.append(
            "Each image counts as a person of its own, because no name tells otherwise; if some "
            "are of one person, add a subject column, or training and testing are not apart."
        )
    return found


def _of_person(labels: list[Label], person: str | None) -> list[Label]:
    if person is None or labels[0].subject_given:
        return labels
    return [replace(label, subject=person) for label in labels]


def match(
    data: str | Path, images: Iterable[str], labels: str | Path = "the labels"
) -> tuple[dict[str, Path], list[str]]:
    """Find each image's file below a folder, by its name or by its path within it.

    Returns the files, and sentences about images without labels and labels without images.
    Raises DataError where nothing matches, a name fits several files, or two names fit one.
    """
    data, images = Path(data), list(images)
    files = volumes.find(data)
    names: ImageNames[Path] = ImageNames(data)
    for path in files:
        names.add(path, path)
    found = names.match(images)
    for image, fitting in found.several.items():
        raise DataError(
            f"{data} has {len(fitting)} images named {image}, such as {fitting[0]} and "
            f"{fitting[1]}; give the path within the folder as the image's name in {labels}."
        )
    for one, other in found.same:
        path = found.found[one]
        raise DataError(f"{one} and {other} in {labels} are the same image, {path}; keep one.")
    if not found.found:
        raise DataError(
            f"None of the {len(images)} images named in {labels} is in {data} (the first is "
            f"{images[0]}, a file there {files[0].name}); check that they belong together."
        )
    return found.found, _remarks(data, files, found)


def _remarks(data: Path, files: Sequence[Path], found: Matches[Path]) -> list[str]:
    missing, remarks = found.missing, []
    if missing:
        remarks.append(
            f"{len(missing)} labelled images have no file in {data}, such as {missing[0]}."
        )
    if found.elsewhere:
        name = found.elsewhere[0]
        remarks.append(
            f"{len(found.elsewhere)} labels name paths from another place, taken by their ends: "
            f"{name} is {found.found[name]}."
        )
    unlabelled = len(set(files) - set(found.found.values()))
    if unlabelled:
        remarks.append(f"{unlabelled} images in {data} have no label; they are left out.")
    return remarks


def first_few(remarks: Sequence[str], most: int = 3) -> list[str]:
    """Remarks for a message that is still read: of many files, each with its fault, the first."""
    more = len(remarks) - most
    return [*remarks[:most], f"(and {more} more)"] if more > 1 else list(remarks)


def frames_and_slices(
    labels: Sequence[Label], n_frames: int, n_slices: int
) -> tuple[list[FrameAndSlice], int]:
    """Which slices of one image its labels speak of, and how many lie outside the image."""
    detailed = [label for label in labels if label.slice is not None]
    found: dict[FrameAndSlice, None] = {}
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
