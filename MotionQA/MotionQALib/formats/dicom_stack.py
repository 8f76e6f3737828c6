"""From the images of one kind and orientation to slices and frames: a `Layout`.

Real series are ragged: images exported twice, slices acquired again, scans that were stopped,
frames that were deleted. Whatever was decided about them is remarked.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .dicom_header import StoredFile
from .dicom_picture import TIMES, Picture
from .dicom_pixels import raw_bytes

SAME_PLACE = 0.5
"""mm; images nearer to each other along the normal show one slice: tables jitter."""

GAP = 1.5
"""A step between slices that is so many times the usual one leaves some out."""

NAMED = 6
"""So many slices or files are named in a remark; of more, only how many there are."""

Order = Callable[[Picture], float]


@dataclass
class Layout:
    """Slices and frames.

    Parameters
    ----------
    grid : [slice][frame] of pictures; None where one is missing
    times : name of what told the frames' order; "instance" where only their numbers did
    gap : mm between slices
    """

    grid: list[list[Picture | None]]
    times: str
    gap: float
    remarks: list[str] = field(default_factory=list)

    @property
    def n_frames(self) -> int:
        return len(self.grid[0])

    @property
    def pictures(self) -> list[Picture]:
        return [picture for frames in self.grid for picture in frames if picture is not None]


def layout_of(pictures: list[Picture]) -> Layout:
    """Sort images of one orientation into slices along their normal, each slice's by time."""
    remarks: list[str] = []
    slices = slices_of(pictures, remarks)
    slices = _without_copies(slices, remarks)
    order = _order_of(slices)
    key = _key(order, slices)
    slices = [_latest(number, frames, key, slices, remarks) for number, frames in enumerate(slices)]
    slices = [sorted(frames, key=lambda p: (key(p), p.instance, p.index)) for frames in slices]
    if order == "instance" and len(slices[0]) > 1 and _undecided(slices):
        remarks.append("Nothing tells the order of its frames: they are in the order of the files.")
    elif order == "instance" and _leaps(slices):
        remarks.append("Its frames give no time and their numbers leap: they may be no cine.")
    grid = _filled(slices, key, order, remarks)
    gap = _gap(slices, remarks)
    return Layout(grid, order, gap, remarks)


def slices_of(pictures: list[Picture], remarks: list[str] | None = None) -> list[list[Picture]]:
    """Images by their place along the normal, from the lowest on."""
    along = _along(pictures, remarks if remarks is not None else [])
    near = min(SAME_PLACE, max(0.1, 0.25 * abs(pictures[0].gap or 1.0)))
    order = sorted(range(len(pictures)), key=lambda i: along[i])
    slices: list[list[Picture]] = []
    first = -math.inf
    for i in order:
        if along[i] - first > near:
            slices.append([])
            first = along[i]
        slices[-1].append(pictures[i])
    return slices


def _along(pictures: list[Picture], remarks: list[str]) -> list[float]:
    """Each image's position along the slices' normal, in mm."""
    first = pictures[0]
    if all(p.place is not None for p in pictures) and first.directions is not None:
        normal = np.cross(first.directions[:3], first.directions[3:])
        length = np.linalg.norm(normal)
        if length > 1e-3:
            return [float(p.place @ normal / length) for p in pictures]
    if all(math.isfinite(p.location) for p in pictures):
        remarks.append("Its images give no position: slices are in the order of SliceLocation.")
        return [p.location for p in pictures]
    files = sorted({p.file.path: p for p in pictures}.values(), key=lambda p: p.instance)
    step = abs(first.gap) or 1.0
    if len(files) > 1:
        remarks.append("Its images give no position: slices are in the order of their numbers.")
    beats = Counter(p.times["trigger"] for p in files)
    each = len(files) // len(beats) if len(beats) > 1 else len(files)
    if len(beats) > 1 and set(beats.values()) == {each}:  # the heartbeat starts anew each slice
        numbers = {p.file.path: i // len(beats) for i, p in enumerate(files)}
    else:
        numbers = {p.file.path: i for i, p in enumerate(files)}
    return [step * numbers[p.file.path] for p in pictures]


# The same image twice, and slices acquired again


def _without_copies(slices: list[list[Picture]], remarks: list[str]) -> list[list[Picture]]:
    """Copies are copies only if position, time and pixels agree."""
    read: dict[StoredFile, bytes] = {}
    left_out: list[Picture] = []
    kept_slices = []
    for frames in slices:
        groups: dict[tuple, list[Picture]] = defaultdict(list)
        for picture in frames:
            told = tuple(picture.times[name] for name in TIMES[:-2])
            groups[tuple("" if math.isnan(t) else f"{t:g}" for t in told)].append(picture)
        copies: set[int] = set()
        for alike in groups.values():
            if len(alike) > 1:
                copies |= {id(p) for p in _copies(alike, read)}
        left_out += [p for p in frames if id(p) in copies]
        kept_slices.append([p for p in frames if id(p) not in copies])
    if left_out:
        remarks.append(
            f"{_count(len(left_out), 'image')} "
            f"{'are' if len(left_out) > 1 else 'is'} there twice, by position, time and pixels; "
            "the copies are left out."
        )
    return kept_slices


def _copies(alike: list[Picture], read: dict) -> list[Picture]:
    """All but the first of each set of images with the same pixels."""
    if all(p.file is alike[0].file for p in alike):
        return []
    seen: set = set()
    copies = []
    for picture in sorted(alike, key=lambda p: (p.instance, str(p.path))):
        key = id(picture.file)
        if key not in read:
            read[key] = hash(raw_bytes(picture.file))
        content = (read[key], picture.index)
        if content in seen:
            copies.append(picture)
        seen.add(content)
    return copies


def _key(order: str, slices: list[list[Picture]]) -> Order:
    if order != "instance":
        return lambda p: p.times[order]
    ranks: dict[int, float] = {}
    for frames in slices:
        known = all(math.isfinite(p.instance) for p in frames)
        ranked = sorted(frames, key=lambda p: (p.instance if known else 0, str(p.path), p.index))
        ranks |= {id(picture): float(rank) for rank, picture in enumerate(ranked)}
    return lambda p: ranks[id(p)]


def _order_of(slices: list[list[Picture]]) -> str:
    """What tells the frames of a slice apart: the first time that does in most slices."""
    several = [frames for frames in slices if len(frames) > 1]
    if not several:
        return next((n for n in TIMES if all(n_known(f, n) for f in slices)), "instance")

    def share(name: str) -> float:
        if not all(n_known(frames, name) for frames in several):
            return 0.0
        return float(
            np.mean([len({round(p.times[name], 3) for p in f}) == len(f) for f in several])
        )

    for name in TIMES:
        if share(name) > 0.5:
            return name
    for name in TIMES[:3]:  # each moment several times: a scan that was repeated as a whole
        if all(n_known(f, name) and len({p.times[name] for p in f}) > 1 for f in several):
            return name
    return "instance"


def n_known(frames: Iterable[Picture], name: str) -> bool:
    return all(math.isfinite(p.times[name]) for p in frames)


def _latest(
    number: int,
    frames: list[Picture],
    key: Order,
    slices: list[list[Picture]],
    remarks: list[str],
) -> list[Picture]:
    """Of a slice that was acquired several times the last whole acquisition."""
    moments = Counter(round(key(p), 3) for p in frames)
    others = Counter(len(f) for f in slices if f is not frames)
    usual = others.most_common(1)[0][0] if others else 0
    runs: dict[tuple, list[Picture]] = defaultdict(list)
    for picture in frames:
        runs[(picture.series, picture.acquisition[2])].append(picture)
    repeated = max(moments.values(), default=1) > 1
    several_series = len({p.series for p in frames}) > 1
    # One slice of twice the others' images, none of which say when they were taken.
    timeless = all(math.isnan(time) for p in frames for time in p.times.values())
    by_number = len(others) == 1 and others[usual] > 2 and len(frames) == 2 * usual and timeless
    if not repeated and not several_series and not by_number:
        return frames
    if len(runs) > 1 and len(runs) <= max(2, len(frames) // 2 + 1):
        takes = [_once(run, key) for run in runs.values()]
    else:  # nothing names the acquisitions: the k-th image of each moment belongs to the k-th
        times = max(moments.values()) if repeated else 2
        ordered = sorted(frames, key=lambda p: (p.acquisition, str(p.path)))
        if not repeated:
            takes = [ordered[: len(frames) // 2], ordered[len(frames) // 2 :]]
        else:
            seen: Counter = Counter()
            takes = [[] for _ in range(times)]
            for picture in ordered:
                moment = round(key(picture), 3)
                takes[seen[moment]].append(picture)
                seen[moment] += 1
    takes.sort(key=lambda take: max(p.acquisition for p in take))
    whole = max(map(len, takes))
    enough = min(whole, usual) if usual else whole
    chosen = next(take for take in reversed(takes) if len(take) >= enough)
    last = "the last" if chosen is takes[-1] else "the last whole one"
    at = f" (at {_position(frames[0]):.4g} mm)" if frames[0].place is not None else ""
    remarks.append(
        f"Slice {number}{at} was acquired {_times(len(takes))}; {last} is graded, from "
        f"{chosen[0].path.name} on."
    )
    return chosen


def _once(run: list[Picture], key: Order) -> list[Picture]:
    """Of each moment the last image."""
    found: dict[float, Picture] = {}
    for picture in sorted(run, key=lambda p: p.acquisition):
        found[round(key(picture), 3)] = picture
    return list(found.values())


def _undecided(slices: list[list[Picture]]) -> bool:
    several = [frames for frames in slices if len(frames) > 1]
    files = [{p.path for p in frames} for frames in several]
    if all(len(found) == 1 for found in files):
        return False  # the order within a file
    return any(len({p.instance for p in f}) < len(f) for f in several if f[0].n_frames == 1)


def _leaps(slices: list[list[Picture]]) -> bool:
    """Whether the numbers of a slice's images lie farther apart than the series has images."""
    count = sum(map(len, slices))
    steps = [b.instance - a.instance for frames in slices for a, b in pairwise(frames)]
    return any(step > count for step in steps)


# Ragged series


def _filled(
    slices: list[list[Picture]], key: Order, order: str, remarks: list[str]
) -> list[list[Picture | None]]:
    """Slices of equally many frames, None where one is missing."""
    most = max(map(len, slices))
    if all(len(frames) == most for frames in slices):
        return [list(frames) for frames in slices]
    model = next(frames for frames in slices if len(frames) == most)
    grid, incomplete = [], []
    for number, frames in enumerate(slices):
        if len(frames) == most:
            grid.append(list(frames))
            continue
        incomplete.append(f"slice {number} has {len(frames)} of {most}")
        row: list[Picture | None] = [None] * most
        for column, picture in zip(_columns(frames, model, key, order), frames, strict=True):
            row[column] = picture
        grid.append(row)
    some = ", ".join(incomplete[:NAMED])
    more = f" and {len(incomplete) - NAMED} more" if len(incomplete) > NAMED else ""
    remarks.append(
        f"Its slices have different numbers of frames: {some}{more}. Each image that is there is "
        "graded; the missing ones have no grade."
    )
    return grid


def _columns(frames: list[Picture], model: list[Picture], key: Order, order: str) -> list[int]:
    """Where a slice's frames belong: at the nearest moments of a whole slice, else at the first."""
    if order != "instance":
        moments = np.array([key(p) for p in model])
        nearest = [int(np.abs(moments - key(p)).argmin()) for p in frames]
        if len(set(nearest)) == len(nearest):
            return nearest
    return list(range(len(frames)))


def _gap(slices: list[list[Picture]], remarks: list[str]) -> float:
    """mm between slices: between their positions, else what the header says."""
    first = slices[0][0]
    placed = all(frames[0].place is not None for frames in slices)
    if len(slices) < 2 or not placed:
        return abs(first.gap)
    steps = np.array([np.linalg.norm(b[0].place - a[0].place) for a, b in pairwise(slices)])
    usual = float(np.median(steps))
    if len(steps) == 2 and steps.max() > GAP * steps.min():
        usual = float(steps.min())
    for number in np.flatnonzero(steps > GAP * usual):
        lost = round(steps[number] / usual) - 1
        remarks.append(
            f"Between slices {number} and {number + 1} are {steps[number]:.3g} mm, elsewhere "
            f"{usual:.3g} mm: {'a slice is' if lost < 2 else f'{lost} slices are'} missing there."
        )
    return usual


def _position(picture: Picture) -> float:
    normal = np.cross(picture.directions[:3], picture.directions[3:])
    return float(picture.place @ normal / np.linalg.norm(normal)) + 0.0


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
