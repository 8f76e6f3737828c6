"""`check`: what is wrong with labels and images, before anything is trained on them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MotionQALib import volumes
from MotionQALib.scale import Grade

from .labels import Label
from .leaks import same_files, same_image_apart, sharing, similar_subjects_apart, slice_marks
from .matching import DataError, LabelledImages, first_few, labelled_images
from .splits import Split, SplitError


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
    doubts : sentences about persons that cannot be told
    similar : sentences about subjects who look like one person; problems, unless it was confirmed
        that they are different people
    distinct_subjects : that confirmation
    problems : DataError or SplitError; with one of them, nothing can be trained that would hold
    remarks : sentences about what will be left out, and the doubts
    """

    volumes: Counter[Grade] = field(default_factory=Counter)
    slices: Counter[Grade] = field(default_factory=Counter)
    subjects: dict[str, Counter[Grade]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)
    distinct_subjects: bool = False
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
    distinct_subjects: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DataCheck:
    """Set labels against images, and say what would spoil a training run.

    Parameters
    ----------
    split : to be looked at for leaks
    read : read every image, which takes minutes for hundreds, to find the unreadable ones, and
        equal voxels in different files
    distinct_subjects : somebody has looked at those who look like one person: they are not
    progress : called with images read and images to read

    Raises LabelError, VolumeError, DataError or SplitError where there is nothing to look at.
    """
    images = labelled_images(data, labels)
    paths = images.paths
    present = {image: images.labels[image] for image in paths}
    found = DataCheck(missing=[image for image in images.labels if image not in paths])
    found.distinct_subjects = distinct_subjects
    found.unlabelled = sorted(map(str, {*volumes.find(data)} - {*paths.values()}))
    marks: dict[str, set[str]] = {}
    if read:
        marks, found.unreadable = _read_all(paths, progress)
        present = {i: of for i, of in present.items() if str(paths[i]) not in found.unreadable}
    _count(found, present)
    _remark(found)
    found.doubts = images.doubts
    found.remarks += images.doubts
    split = Split.load(split) if isinstance(split, (str, Path)) else split
    _find_problems(found, present, images, marks, split)
    if distinct_subjects:
        found.remarks += [f"Confirmed as different people: {text}" for text in found.similar]
    return found


def _read_all(
    paths: Mapping[str, Path], progress: Callable[[int, int], None]
) -> tuple[dict[str, set[str]], dict[str, str]]:
    """Marks of each image's slices, and why files cannot be read."""

    def look(image: str) -> set[str] | str:
        try:
            return set(slice_marks(volumes.read(paths[image]).voxels))
        except volumes.VolumeError as error:
            return str(error)

    marks, faults = {}, {}
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for done, (image, seen) in enumerate(zip(paths, pool.map(look, paths), strict=True), 1):
            if isinstance(seen, str):
                faults[str(paths[image])] = seen
            else:
                marks[image] = seen
            progress(done, len(paths))
    return marks, faults


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


def _find_problems(
    found, present, images: LabelledImages, marks: Mapping[str, set[str]], split: Split | None
) -> None:
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
    found.problems += map(SplitError, _leaks(found, present, images, marks, split))


def _leaks(found, present, images: LabelledImages, marks, split: Split | None) -> list[str]:
    """Sentences about one person, or one image, that would be on both sides of a split."""
    subject = {image: images.subject_of(image) for image in present}
    named: dict[str, list[str]] = {}
    for image, person in images.by_file.items():
        if image in present:
            named.setdefault(person, []).append(subject[image])
    found.similar = similar_subjects_apart(subject.values(), split, named)
    equal = same_files({image: images.paths[image] for image in present})
    same = same_image_apart([*equal, *sharing(marks)], subject, split)
    return [*([] if found.distinct_subjects else found.similar), *dict.fromkeys(same)]
