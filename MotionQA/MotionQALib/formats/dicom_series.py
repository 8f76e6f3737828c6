"""DICOM files sorted into series and stacks, by headers alone, in time linear in their number.

A stack is what one volume is made of: images of one study, one orientation, size, spacing and
contrast. Scanners write it as one series or as a series for each slice; a disc spreads a series
over folders; and one series may hold magnitude and phase, echoes, or several orientations.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .dicom_header import StoredFile, header_of
from .dicom_join import joined
from .dicom_kinds import LOCALISER
from .dicom_localisers import hidden_localisers, without_strays
from .dicom_picture import Picture, called_localiser, pictures_of
from .dicom_stack import slices_of
from .image_stack import Stack
from .volume_error import VolumeError

SAME_DIRECTION = 0.02
"""Largest difference of direction cosines within one orientation, about a degree."""

VARIANTS = ("echo", "echo number", "b-value", "inversion time", "contrast", "kind of image")
"""What tells images of one place and moment apart; the first of each is graded."""


@dataclass
class Sorted:
    """What a set of files holds.

    Parameters
    ----------
    stacks : volumes, in the order of their series' numbers
    left_out : {kind in the plural: its files} of images that no grade describes
    damaged : {file: the sentence that says so}
    """

    stacks: list[Stack]
    left_out: dict[str, set[Path]]
    damaged: dict[Path, VolumeError]

    def stack_with(self, file: Path) -> Stack | None:
        return next((stack for stack in self.stacks if file in stack.files), None)


def sort_files(files: Iterable[Path]) -> Sorted:
    """Read the files' headers and sort their images into stacks."""
    found: list[StoredFile] = []
    damaged: dict[Path, VolumeError] = {}
    for file in files:
        try:
            stored = header_of(file)
        except VolumeError as error:
            damaged[file] = error
            continue
        if stored is not None:
            found.append(stored)
    left_out: dict[str, set[Path]] = defaultdict(set)
    stacks: list[Stack] = []
    for series, members in _by_series(found).items():
        stacks += _stacks_of_series(series, members, left_out)
    stacks = joined(stacks)
    # A series that was only named a localiser is left out where there is something better.
    named = [stack for stack in stacks if all(map(called_localiser, stack.pictures[:1]))]
    if len(named) < len(stacks):
        for stack in named:
            left_out[LOCALISER] |= stack.files
        stacks = [stack for stack in stacks if stack not in named]
    else:
        for stack in named:
            stack.remarks.append("Its description calls it a localiser.")
    stacks.sort(key=lambda s: (s.first.acquisition[1], s.series, s.part))
    return Sorted(stacks, dict(left_out), damaged)


def _by_series(found: list[StoredFile]) -> dict[tuple, list[StoredFile]]:
    """Files of one series, also where a disc spread it over folders.

    Anonymisers gave the same UIDs to different patients: files in several folders are one series
    only if their numbers do not clash.
    """
    series: dict[tuple, dict[Path, list[StoredFile]]] = {}
    for stored in found:
        first = pictures_of(stored)[0]
        key = (stored.text("StudyInstanceUID"), stored.text("PatientID"), first.series)
        series.setdefault(key, {}).setdefault(stored.path.parent, []).append(stored)
    whole: dict[tuple, list[StoredFile]] = {}
    for key, folders in series.items():
        numbers = Counter(n for files in folders.values() for n in {_number(f) for f in files})
        apart = len(folders) > 1 and (
            key[2].startswith("none ") or any(n > 1 for n in numbers.values())
        )
        for folder, files in folders.items():
            whole.setdefault((*key, folder if apart else None), []).extend(files)
    return whole


def _number(stored: StoredFile) -> float:
    number = pictures_of(stored)[0].instance
    return -1.0 if math.isnan(number) else number


def _stacks_of_series(
    key: tuple, files: list[StoredFile], left_out: dict[str, set[Path]]
) -> list[Stack]:
    pictures = [picture for stored in files for picture in pictures_of(stored)]
    good = [picture for picture in pictures if picture.kind is None]
    others = Counter(picture.kind for picture in pictures if picture.kind is not None)
    beside = {picture.path for picture in pictures if picture.kind is not None}
    for picture in pictures:
        if picture.kind is not None and not good:
            left_out[picture.kind].add(picture.path)
    if not good:
        return []
    groups, localisers = _sets_of(good, named=not key[2].startswith("none "))
    if localisers:
        left_out[LOCALISER] |= {p.path for p in (localisers if groups else pictures)}
    stacks = []
    for group in groups:
        remarks: list[str] = []
        kept = _one_variant(group, remarks)
        without = sum(math.isnan(p.pixel[0]) for p in kept)
        if 0 < without < len(kept):
            remarks.append(f"{without} of its images give no pixel spacing; the others' is taken.")
        # What lies twice in different folders is no second acquisition.
        joins = key[3] is None
        stacks.append(Stack(kept, {p.path for p in group}, (key[2],), remarks, joins))
    if others:
        said = " and ".join(f"{number} {kind}" for kind, number in others.items())
        for stack in stacks:
            stack.remarks.insert(0, f"Left out beside the magnitude images: {said}.")
            stack.files |= beside if stack is stacks[0] else set()
    for number, stack in enumerate(stacks):
        stack.part, stack.parts = number, len(stacks)
    if len(stacks) > 1:
        for stack in stacks:
            stack.remarks.append(
                f"Its series holds images of {len(stacks)} orientations or sizes; each is a volume."
            )
    return stacks


def _sets_of(pictures: list[Picture], named: bool) -> tuple[list[list[Picture]], list[Picture]]:
    """Images of a series that belong together, one list a set; and those of localisers."""
    groups = _by_geometry(pictures) if named else _by_protocol(pictures)
    localisers = hidden_localisers(groups)
    if named and len(localisers) * 2 >= len(pictures):
        localisers = []
    if named and not localisers and _is_three_plane(groups):
        return [], pictures
    if localisers:
        hidden = {id(picture) for picture in localisers}
        groups = [[p for p in group if id(p) not in hidden] for group in groups]
        groups = [group for group in groups if group]
    if not named:
        groups = [part for group in groups for part in without_strays(group)]
    return groups, localisers


def _by_protocol(pictures: list[Picture]) -> list[list[Picture]]:
    """Images that nothing but their looks keeps apart: of one geometry, thickness and sequence."""
    groups: dict[tuple, list[Picture]] = defaultdict(list)
    for picture in pictures:
        header = picture.file
        thickness = header.number("SliceThickness", 0.0)
        told = (f"{thickness:.2g}", header.text("ScanningSequence"), header.text("ProtocolName"))
        groups[told].append(picture)
    found = [group for alike in groups.values() for group in _by_geometry(alike)]
    return sorted(found, key=len, reverse=True)


def _by_geometry(pictures: list[Picture]) -> list[list[Picture]]:
    """Images of one orientation, size and pixel spacing."""
    groups: dict[tuple, list[tuple[np.ndarray | None, list[Picture]]]] = {}
    sizes = Counter(_written(p) for p in pictures if not math.isnan(p.pixel[0]))
    usual = sizes.most_common(1)[0][0] if sizes else ()
    for picture in pictures:
        pixel = usual if math.isnan(picture.pixel[0]) else _written(picture)
        alike = groups.setdefault((picture.size, pixel, picture.mosaic), [])
        for directions, members in alike:
            if _same_direction(directions, picture.directions):
                members.append(picture)
                break
        else:
            alike.append((picture.directions, [picture]))
    found = [members for alike in groups.values() for _directions, members in alike]
    return sorted(found, key=len, reverse=True)


def _written(picture: Picture) -> tuple[str, ...]:
    return tuple(f"{size:.3g}" for size in picture.pixel)


def _same_direction(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.abs(one - other).max() <= SAME_DIRECTION)


def _is_three_plane(groups: list[list[Picture]]) -> bool:
    """A few images in planes that stand upright on each other."""
    if len(groups) < 2 or max(map(len, groups)) > 5:
        return False
    normals = []
    for group in groups:
        directions = group[0].directions
        if directions is None:
            return False
        normals.append(np.cross(directions[:3], directions[3:]))
    upright = [abs(float(a @ b)) < 0.3 for i, a in enumerate(normals) for b in normals[i + 1 :]]
    return all(upright) if len(normals) < 4 else sum(upright) * 2 > len(upright)


def _one_variant(pictures: list[Picture], remarks: list[str]) -> list[Picture]:
    """Of images that show each place several times, those of one echo, b-value, contrast, …"""
    for name in VARIANTS:
        values = Counter(picture.variant[name] for picture in pictures)
        if len(values) < 2:
            continue
        slices = slices_of(pictures)
        mixed = [len({p.variant[name] for p in frames}) > 1 for frames in slices]
        if sum(mixed) * 2 < len(slices):
            continue  # it changes from slice to slice, as the inversion time of a series may
        if name == "inversion time" and _is_timed(slices):
            continue  # a cine with inversion: each moment has its own
        chosen = _first_variant(name, values, pictures)
        rest = sum(values.values()) - values[chosen]
        remarks.append(
            f"It holds {len(values)} {_plural(name)} ({_listed(values)}); {_said(name, chosen)} is "
            f"graded, {rest} images are left out."
        )
        pictures = [p for p in pictures if p.variant[name] == chosen]
    return pictures


def _is_timed(slices: list[list[Picture]]) -> bool:
    return all(len({p.times["trigger"] for p in frames}) == len(frames) for frames in slices)


def _first_variant(name: str, values: Counter, pictures: list[Picture]):
    if name in ("contrast", "kind of image"):
        most = max(values.values())
        fitting = {value for value, number in values.items() if number == most}
        return min((p for p in pictures if p.variant[name] in fitting), key=_rank).variant[name]
    return min(values)


def _rank(picture: Picture) -> tuple:
    return (math.inf if math.isnan(picture.instance) else picture.instance, str(picture.path))


def _plural(name: str) -> str:
    return {"echo": "echo times", "contrast": "contrasts", "kind of image": "kinds of image"}.get(
        name, f"{name}s"
    )


def _said(name: str, value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value or "the one without a name")


def _listed(values: Counter) -> str:
    some = [_said("", value) for value in list(values)[:4]]
    return ", ".join(some) + (", …" if len(values) > 4 else "")
