"""What would be trained and tested on at once: one person, or one image, under two subjects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from MotionQALib.subjects import similar_subjects, subject_of

from .splits import Split, SplitError

SAMPLE = 1 << 16
"""Bytes from the middle of files of one size that tell most of them apart."""

CONFIRM = "data.distinct_subjects"
"""The setting by which somebody confirms that subjects who look like one are different people."""


def similar_subjects_apart(
    subjects: Iterable[str],
    split: Split | None = None,
    by_file: Mapping[str, Iterable[str]] | None = None,
) -> list[str]:
    """Sentences on subjects who look like one person and would be on both sides of a split.

    Parameters
    ----------
    split : by default any, so that no two of them may look so
    by_file : person that files tell -> the subjects whom labels name for that person's images
    """
    sentences = []
    for group in similar_subjects(subjects):
        if pair := _apart(group, split):
            person = subject_of(pair[0])
            sentences.append(f"The subjects {pair[0]} and {pair[1]} look like one person, {person}")
    for person, named in (by_file or {}).items():
        pair = _apart(sorted(set(named)), split)
        if pair and not any(pair[0] in text and pair[1] in text for text in sentences):
            sentences.append(
                f"The images of the subjects {pair[0]} and {pair[1]} are of one person by their "
                f"files, {person}"
            )
    return [
        f"{text}, who would be both trained and tested on; give them one name in the subject "
        f"column or, if they are different people, confirm it (--distinct-subjects)."
        for text in sentences
    ]


def refuse_similar_subjects(subjects: Iterable[str], split: Split | None, confirmed: bool) -> None:
    """Raise SplitError where subjects look like one person's, unless that was looked at."""
    sentences = [] if confirmed else similar_subjects_apart(subjects, split)
    if sentences:
        more = f" (And {len(sentences) - 1} more.)" if len(sentences) > 1 else ""
        raise SplitError(sentences[0] + more)


def same_image_apart(
    groups: Iterable[Sequence[str]], subject: Mapping[str, str], split: Split | None = None
) -> list[str]:
    """Sentences on groups of equal images that would be on both sides of a split.

    Parameters
    ----------
    groups : images whose content is the same
    subject : image -> subject
    """
    sentences = []
    for images in groups:
        pairs = combinations(images, 2)
        pair = next((p for p in pairs if _apart([subject[name] for name in p], split)), None)
        if pair:
            sentences.append(
                f"{pair[0]} and {pair[1]} are the same image under two subjects, so that what is "
                "trained on would be tested on; keep one."
            )
    return sentences


def _apart(subjects: Sequence[str], split: Split | None) -> tuple[str, str] | None:
    """Two different ones of the subjects that a split, or any split, may put on two sides."""
    for one, other in combinations(subjects, 2):
        if one != other and (split is None or split.part_of(one) != split.part_of(other)):
            return one, other
    return None


def slice_marks(slices: np.ndarray) -> list[str]:
    """A mark of each slice's content (…, rows, columns); "" of a slice that is all one value.

    Equal numbers give equal marks, however they were stored or compressed.
    """
    rows, columns = slices.shape[-2:]
    marks = []
    for image in slices.reshape(-1, rows, columns):
        plain = np.ascontiguousarray(image, dtype=np.float32)
        blank = plain.size == 0 or plain.min() == plain.max()
        digest = hashlib.blake2b(repr(plain.shape).encode() + plain.tobytes(), digest_size=12)
        marks.append("" if blank else digest.hexdigest())
    return marks


def sharing(marks: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Groups of images that have a slice's content in common."""
    holders: dict[str, dict[str, None]] = {}
    for image, of in marks.items():
        for mark in of:
            if mark:
                holders.setdefault(mark, {})[image] = None
    groups = {tuple(images) for images in holders.values() if len(images) > 1}
    return sorted(map(list, groups))


def same_files(paths: Mapping[str, Path]) -> list[list[str]]:
    """Groups of images whose files are equal, byte for byte."""
    groups = [list(paths)]
    keys: Sequence[Callable[[Path], Any]] = (lambda p: p.stat().st_size, _sample, _digest)
    for key in keys:
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
