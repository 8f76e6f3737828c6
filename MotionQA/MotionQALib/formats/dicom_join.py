"""Series that make one stack: a series for each slice, and slices that were acquired again."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np

from .dicom_stack import SAME_PLACE, slices_of
from .image_stack import Stack

IN_LINE = 2.0
"""mm; slices of one stack are shifted against each other within their planes by less."""

FARTHEST = 25.0
"""mm between neighbouring slices; farther ones belong to something else."""


def joined(stacks: list[Stack]) -> list[Stack]:
    """Join stacks of one study that are slices of one, and keep the others as they are."""
    groups: dict[tuple, list[Stack]] = {}
    for stack in stacks:
        groups.setdefault(_what(stack), []).append(stack)
    found = []
    for alike in groups.values():
        for aligned in _in_line(alike):
            for fitting in _by_frames(aligned):
                found += _joined(fitting)
    return found


def _what(stack: Stack) -> tuple:
    """Only stacks that agree in all of this can be one."""
    first = stack.first
    if first.place is None or first.directions is None or first.mosaic or not stack.series[0]:
        return (id(stack),)
    header = first.file
    if not header.text("StudyInstanceUID") or stack.parts > 1 or not stack.joins:
        return (id(stack),)
    sequence = re.sub(r"\d+", "", header.text("SequenceName") or header.text("PulseSequenceName"))
    return (
        header.text("StudyInstanceUID"),
        header.text("PatientID"),
        header.text("FrameOfReferenceUID"),
        first.size,
        tuple(round(size, 2) for size in first.pixel),
        header.text("ScanningSequence"),
        sequence,
        round(first.variant["echo"] * 2),
        stack.first.variant["contrast"],
    )


def _by_frames(stacks: list[Stack]) -> list[list[Stack]]:
    """Stacks of equally many frames; a slice of its own that was stopped goes with the others."""
    groups: dict[int, list[Stack]] = {}
    for stack in stacks:
        counts = Counter(len(frames) for frames in slices_of(stack.pictures))
        groups.setdefault(counts.most_common(1)[0][0], []).append(stack)
    usual = max(groups, key=lambda count: (len(groups[count]), count))
    if len(groups[usual]) < 2:
        return list(groups.values())
    for count in [count for count in groups if 1 < count < usual]:
        stopped = [stack for stack in groups[count] if len(slices_of(stack.pictures)) == 1]
        groups[usual] += stopped
        groups[count] = [stack for stack in groups[count] if stack not in stopped]
    return [group for group in groups.values() if group]


def _in_line(stacks: list[Stack]) -> list[list[Stack]]:
    """Stacks whose slices lie behind each other, not beside."""
    groups: list[list[Stack]] = []
    for stack in stacks:
        for group in groups:
            if len(group[0].pictures) and _behind(group[0], stack):
                group.append(stack)
                break
        else:
            groups.append([stack])
    return groups


def _behind(one: Stack, other: Stack) -> bool:
    a, b = one.first, other.first
    if a.place is None or b.place is None or a.directions is None or b.directions is None:
        return False
    if np.abs(a.directions - b.directions).max() > 0.02:
        return False
    step = b.place - a.place
    return bool(np.abs(a.directions.reshape(2, 3) @ step).max() <= IN_LINE)


def _joined(stacks: list[Stack]) -> list[Stack]:
    """Join what completes each other; a whole stack acquired again stays apart."""
    if len(stacks) < 2:
        return stacks
    places = {id(stack): _places(stack) for stack in stacks}
    order = sorted(stacks, key=lambda s: (-len(places[id(s)]), places[id(s)].min()))
    groups: list[list[Stack]] = []
    for stack in order:
        for group in groups:
            have = np.concatenate([places[id(member)] for member in group])
            again = _again(places[id(stack)], have)
            repeats = (
                len(places[id(stack)]) > 1
                and again.all()
                and len(places[id(stack)]) >= max(len(places[id(member)]) for member in group)
            )
            if not repeats and _near(places[id(stack)], have):
                group.append(stack)
                break
        else:
            groups.append([stack])
    return [_merged(group) for group in groups]


def _places(stack: Stack) -> np.ndarray:
    """Positions of its slices along the normal, mm."""
    directions = stack.first.directions
    normal = np.cross(directions[:3], directions[3:])
    return np.array([float(frames[0].place @ normal) for frames in slices_of(stack.pictures)])


def _again(places: np.ndarray, have: np.ndarray) -> np.ndarray:
    return (np.abs(places[:, None] - have[None, :]) <= SAME_PLACE).any(axis=1)


def _near(places: np.ndarray, have: np.ndarray) -> bool:
    """Whether a slice of one lies as near to one of the other as slices of a stack do."""
    steps = np.diff(np.sort(np.concatenate([places, have])))
    steps = steps[steps > SAME_PLACE]
    if not len(steps):
        return True
    between = float(np.abs(places[:, None] - have[None, :]).min())
    return between <= max(FARTHEST, 3 * float(np.median(steps)))


def _merged(stacks: list[Stack]) -> Stack:
    if len(stacks) == 1:
        return stacks[0]
    stacks = sorted(stacks, key=lambda s: (s.first.acquisition[1], s.series))
    numbers = [s.first.acquisition[1] for s in stacks if math.isfinite(s.first.acquisition[1])]
    remarks = list(dict.fromkeys(remark for stack in stacks for remark in stack.remarks))
    written = ", ".join(f"{number:g}" for number in numbers[:12]) + (
        ", …" if len(numbers) > 12 else ""
    )
    remarks.insert(0, f"Joined from {len(stacks)} series of one study (numbers {written}).")
    return Stack(
        pictures=[picture for stack in stacks for picture in stack.pictures],
        files=set().union(*(stack.files for stack in stacks)),
        series=tuple(uid for stack in stacks for uid in stack.series),
        remarks=remarks,
    )
