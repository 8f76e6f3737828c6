"""`check`: what is wrong with labels and images, before anything is trained on them."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from MotionQALib import volumes
from MotionQALib.scale import Grade

from .labels import Label, read_labels, subject_of
from .matching import DataError, by_image, first_few, match
from .splits import Split, SplitError

SAMPLE = 1 << 16
"""Bytes from the middle of files of one size that tell most of them apart."""


@dataclass
class DataCheck:
    """Labels set against images.

    Parameters
    ----------
    volumes, slices : labels of each grade
    subjects : subject -> volumes of each grade; a volume without a label of its own has its
        worst slice's
    missing : labelled images without a file
    unlabelled : files without a label
    unreadable : file -> why it cannot be read; empty unless the files were read
    problems : DataError or SplitError; with one of them, nothing can be trained that would hold
    remarks : sentences about what will be left out
    """

    volumes: Counter[Grade] = field(default_factory=Counter)
    slices: Counter[Grade] = field(default_factory=Counter)
    subjects: dict[str, Counter[Grade]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    problems: list[ValueError] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def refuse(self) -> None:
        """Raise the problems, if there are any, as one error of the first one's kind."""
        if self.problems:
            kind = type(self.problems[0])
            raise kind(" ".join(first_few(list(map(str, self.problems)))))

    def table(self) -> str:
        """Counts per grade and subject as Markdown, then what is missing and what is wrong."""
        grades = list(Grade)
        lines = [["subject", *(grade.label for grade in grades)]]
        lines += [[name, *(of[g] for g in grades)] for name, of in sorted(self.subjects.items())]
        lines.append([f"all {len(self.subjects)}", *(self.volumes[g] for g in grades)])
        if self.slices:
            lines.append(["labelled slices", *(self.slices[g] for g in grades)])
        rows = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
        rows.insert(1, "|" + " --- |" + " ---: |" * len(grades))
        parts = ["\n".join(rows)]
        for title, names in (
            ("Labelled, but not there", self.missing),
            ("There, but not labelled", self.unlabelled),
            ("Not readable", [f"{name}: {why}" for name, why in self.unreadable.items()]),
            ("Remarks", self.remarks),
            ("Problems", self.problems),
        ):
            if names:
                parts.append("\n".join([f"{title} ({len(names)}):", *(f"  {n}" for n in names)]))
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; grades by their names."""

        def named(counts: Mapping[Grade, int]) -> dict[str, int]:
            return {grade.label: counts.get(grade, 0) for grade in Grade}

        return {
            **vars(self),
            "volumes": named(self.volumes),
            "slices": named(self.slices),
            "subjects": {name: named(counts) for name, counts in self.subjects.items()},
            "problems": list(map(str, self.problems)),
        }


def check(
    data: str | Path,
    labels: str | Path,
    split: str | Path | Split | None = None,
    *,
    read: bool = True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DataCheck:
    """Set labels against images, and say what would spoil a training run.

    Parameters
    ----------
    split : to be looked at for leaks
    read : read every image, which takes minutes for hundreds, to find the unreadable ones
    progress : called with images read and images to read

    Raises LabelError, VolumeError, DataError or SplitError where there is nothing to look at.
    """
    spoken = by_image(read_labels(labels))
    paths, _ = match(data, spoken, labels)
    present = {image: spoken[image] for image in paths}
    found = DataCheck(missing=[image for image in spoken if image not in paths])
    found.unlabelled = sorted(map(str, {*volumes.find(data)} - {*paths.values()}))
    if read:
        found.unreadable = _unreadable(paths.values(), progress)
        present = {i: of for i, of in present.items() if str(paths[i]) not in found.unreadable}
    _count(found, present)
    _remark(found)
    split = Split.load(split) if isinstance(split, (str, Path)) else split
    _find_problems(found, present, paths, split)
    return found


def _unreadable(paths: Iterable[Path], progress: Callable[[int, int], None]) -> dict[str, str]:
    def fault(path: Path) -> str:
        try:
            volumes.read(path)
        except volumes.VolumeError as error:
            return str(error)
        return ""

    paths, faults = list(paths), {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done, (path, text) in enumerate(zip(paths, pool.map(fault, paths), strict=True), 1):
            if text:
                faults[str(path)] = text
            progress(done, len(paths))
    return faults


def _count(found: DataCheck, present: Mapping[str, list[Label]]) -> None:
    for labels in present.values():
        wholes = [label.grade for label in labels if label.slice is None]
        of_slices = [label.grade for label in labels if label.slice is not None]
        grade = max(g for g in wholes or of_slices if g is not None)
        found.volumes[grade] += 1
        found.slices.update(of_slices)
        found.subjects.setdefault(labels[0].subject, Counter())[grade] += 1


def _remark(found: DataCheck) -> None:
    for names, text in (
        (found.missing, "labelled images have no file, such as"),
        (found.unlabelled, "images have no label and are left out, such as"),
        (list(found.unreadable), "images cannot be read and are left out, such as"),
    ):
        if names:
            found.remarks.append(f"{len(names)} {text} {names[0]}.")


def _find_problems(found, present, paths, split: Split | None) -> None:
    subjects = found.subjects
    if not subjects:
        found.problems.append(DataError("None of the labelled images can be read."))
        return
    if len(subjects) == 1:
        found.problems.append(
            DataError(
                f"All labels are of one subject, {next(iter(subjects))}; label at least two, "
                "because one cannot both train and validate."
            )
        )
    kinds = {levels for labels in present.values() for levels in (of.levels for of in labels)}
    if len(kinds) == 1:
        word = next(iter(found.volumes)).label
        found.problems.append(
            DataError(
                f"All labels are the same ({word}), so there is nothing to tell apart; label "
                "images of other grades too."
            )
        )
    if split is not None:
        try:
            split.check(subjects)
        except SplitError as error:
            found.problems.append(error)
            return
    found.problems += map(SplitError, _leaks(present, paths, split))


def _leaks(present, paths, split: Split | None) -> list[str]:
    """Sentences about one person, or one image, that would be on both sides of a split."""

    def apart(one: str, other: str) -> bool:
        if one == other:
            return False
        return split is None or split.part_of(one) != split.part_of(other)

    sentences = []
    owner = {image: labels[0].subject for image, labels in present.items()}
    people: dict[str, list[str]] = {}
    for subject in sorted(set(owner.values())):
        people.setdefault(subject_of(subject), []).append(subject)
    for person, names in people.items():
        pair = next(((a, b) for a, b in combinations(names, 2) if apart(a, b)), None)
        if pair:
            sentences.append(
                f"The subjects {pair[0]} and {pair[1]} look like one person, {person}, who would "
                "be both trained and tested on; give them one name in the subject column."
            )
    for images in _same_content({image: paths[image] for image in present}):
        pair = next(((a, b) for a, b in combinations(images, 2) if apart(owner[a], owner[b])), None)
        if pair:
            sentences.append(
                f"{pair[0]} and {pair[1]} are the same image under two subjects, so that what is "
                "trained on would be tested on; keep one."
            )
    return sentences


def _same_content(paths: Mapping[str, Path]) -> list[list[str]]:
    """Groups of images whose files are equal, byte for byte."""
    groups = [list(paths)]
    for key in (lambda p: p.stat().st_size, _sample, _digest):
        finer: list[list[str]] = []
        for group in groups:
            parts: dict[Any, list[str]] = {}
            for image in group:
                if paths[image].is_file():  # a DICOM series is a folder
                    parts.setdefault(key(paths[image]), []).append(image)
            finer += [part for part in parts.values() if len(part) > 1]
        groups = finer
    return groups


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size // 2 - SAMPLE // 2))
        return hashlib.blake2b(file.read(SAMPLE)).digest()


def _digest(path: Path) -> bytes:
    digest = hashlib.blake2b()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.digest()
