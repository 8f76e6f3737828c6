"""Which slices of a series were acquired before, in the same study."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from .arrival_entry import Entry, Repeated

ALIGNED = math.cos(math.radians(5))
"""Of two slices' normals; a repeated slice is planned where the first was."""

NEAR = 3.0
"""mm along the normal: less than half of the distance between neighbouring slices."""

AROUND = 60.0
"""mm in the plane: the field of view may be moved between acquisitions, not to another organ."""


def with_repeated(entry: Entry, earlier: Iterable[Entry]) -> Entry:
    """The entry with what it acquired again.

    Parameters
    ----------
    earlier : graded entries, oldest first; those of other studies and its own are passed over.
        Where a slice was acquired several times, the latest counts.
    """
    before = [
        old
        for old in earlier
        if old.status == "graded" and old.study == entry.study and old.series != entry.series
    ]
    found: dict[int, tuple[Entry, int]] = {}
    for new in range(len(entry.scores)):
        for old in reversed(before):
            index = _same_slice(entry, new, old)
            if index is not None:
                found[new] = (old, index)
                break
    repeated = []
    for old in before:
        pairs = sorted((index, new) for new, (other, index) in found.items() if other is old)
        if pairs:
            repeated.append(
                Repeated(
                    old.series,
                    old.number,
                    tuple(pairs),
                    tuple(old.scores[a] for a, _ in pairs),
                    tuple(entry.scores[b] for _, b in pairs),
                )
            )
    return replace(entry, repeated=tuple(repeated))


def _same_slice(entry: Entry, new: int, old: Entry) -> int | None:
    """The slice of ``old`` that lies where the entry's slice lies; None if there is none."""
    place, normal = _at(entry, new)
    if place is None or normal is None or not entry.scores[new]:
        return None
    best, nearest = None, NEAR
    for index in range(len(old.scores)):
        other, direction = _at(old, index)
        if not old.scores[index] or other is None or direction is None:
            continue
        if abs(_dot(normal, direction)) < ALIGNED:
            continue
        offset = tuple(a - b for a, b in zip(place, other, strict=True))
        along = abs(_dot(offset, normal))
        across = math.sqrt(max(0.0, _dot(offset, offset) - along * along))
        if along <= nearest and across <= AROUND:
            best, nearest = index, along
    return best


def _at(entry: Entry, index: int):
    if index >= len(entry.places) or index >= len(entry.normals):
        return None, None
    return entry.places[index], entry.normals[index]


def _dot(a, b) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
