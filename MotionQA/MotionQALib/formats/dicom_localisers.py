"""Sets of images that lost the name of their series: localisers among others, and what else leaps.

Anonymisers empty SeriesInstanceUID or write the same one everywhere, so that a whole examination
looks like one series. Its parts are told by orientation, and by the numbers of their images.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from .dicom_picture import Picture
from .dicom_stack import SAME_PLACE, slices_of

UPRIGHT = 0.05
"""Cosine between normals; planes of a localiser stand upright on each other."""

MOST_PLANES = 15
"""A localiser has no more images than this."""

LEAP = 3
"""Numbers that leap by so many usual steps begin another set."""


def hidden_localisers(groups: list[list[Picture]]) -> list[Picture]:
    """Images of a three-plane localiser among sets of several orientations, one list a set."""
    where = {id(picture): number for number, group in enumerate(groups) for picture in group}
    pictures = [picture for group in groups for picture in group]
    if len(groups) < 2 or any(p.directions is None or p.n_frames > 1 for p in pictures):
        return []
    runs = runs_of(pictures)
    if len(runs) > 1:
        found = [run for run in runs if len(run) <= MOST_PLANES and _three_planes(run)]
        if found:
            return [picture for run in found for picture in run]
    clashing = {id(p) for group in groups for p in _clashing(group)}
    for run in reversed(runs):
        for last in range(len(run), 2, -1):
            window = run[last - 3 : last]
            sets = [groups[where[id(picture)]] for picture in window]
            alone = all(len(held) == 1 for held in sets)
            if _three_planes(window) and (alone or any(id(p) in clashing for p in window)):
                return window
    return []


def without_strays(group: list[Picture]) -> list[list[Picture]]:
    """Part images of one orientation where their numbers leap and show places that are there.

    The larger set comes first. Images that tell their time are frames or later acquisitions.
    """
    if any(math.isfinite(t) for p in group for t in p.times.values()):
        return [group]
    runs = sorted(runs_of(group), key=len, reverse=True)
    kept, strays = [*runs[0]], []
    for run in runs[1:]:
        there = _places(kept)
        if len(run) < len(runs[0]) and all(_is_at(p, there) for p in run):
            strays.append(run)
        else:
            kept += run
    return [kept, *strays]


def runs_of(pictures: Iterable[Picture]) -> list[list[Picture]]:
    """Images in the order of their numbers, parted where these leap."""
    ordered = sorted(pictures, key=lambda p: (p.instance, str(p.path)))
    if not ordered or not all(math.isfinite(p.instance) for p in ordered):
        return [ordered]
    steps = [after.instance - before.instance for before, after in pairwise(ordered)]
    usual = float(np.median(steps)) if len(steps) > 2 else 1.0
    runs = [[ordered[0]]]
    for step, picture in zip(steps, ordered[1:], strict=True):
        if step > LEAP * max(1.0, usual):
            runs.append([])
        runs[-1].append(picture)
    return runs


def _three_planes(pictures: list[Picture]) -> bool:
    """Whether they show three planes, upright on each other, in equally many images."""
    planes: list[tuple[np.ndarray, int]] = []
    for picture in pictures:
        normal = np.cross(picture.directions[:3], picture.directions[3:])
        for number, (held, count) in enumerate(planes):
            if abs(float(normal @ held)) > 1 - UPRIGHT:
                planes[number] = (held, count + 1)
                break
        else:
            planes.append((normal, 1))
    if len(planes) != 3 or len({count for _normal, count in planes}) != 1:
        return False
    normals = [normal for normal, _count in planes]
    return all(abs(float(normals[a] @ normals[b])) < UPRIGHT for a, b in ((0, 1), (0, 2), (1, 2)))


def _clashing(group: list[Picture]) -> list[Picture]:
    """Images of places that most of the others' places show fewer images of."""
    slices = slices_of(group)
    fewest = min(map(len, slices))
    return [p for frames in slices if len(frames) > fewest or len(slices) == 1 for p in frames]


def _places(pictures: list[Picture]) -> np.ndarray | None:
    if any(p.place is None for p in pictures):
        return None
    return np.stack([p.place for p in pictures])


def _is_at(picture: Picture, places: np.ndarray | None) -> bool:
    if places is None or picture.place is None or picture.directions is None:
        return False
    normal = np.cross(picture.directions[:3], picture.directions[3:])
    return bool((np.abs((places - picture.place) @ normal) <= SAME_PLACE).any())
