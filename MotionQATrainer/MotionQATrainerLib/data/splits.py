"""Which subjects train, which validate and which test.

Everything of a subject stays on one side: acquisitions, ED and ES, frames and slices. They look
so alike that a network which has seen one of them is no longer tested by the others.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from MotionQALib.scale import GRADE_OF_SCORE
from MotionQALib.whole_files import write_whole

PARTS = ("train", "valid", "test")


class SplitError(ValueError):
    """A split that cannot be made, read or trusted; the message says why and what to do."""


@dataclass(frozen=True)
class Split:
    """Subjects of each part; ``test`` may be empty.

    Raises SplitError where a subject is in two parts, or nobody is left to train or validate.
    """

    train: tuple[str, ...]
    valid: tuple[str, ...]
    test: tuple[str, ...] = ()
    seed: int | None = None
    fold: int | None = None

    def __post_init__(self):
        for part in PARTS:
            object.__setattr__(self, part, tuple(sorted(map(str, getattr(self, part)))))
        everyone = self.train + self.valid + self.test
        repeated = [subject for subject, times in Counter(everyone).items() if times > 1]
        if repeated:
            raise SplitError(
                f"Subject {repeated[0]} is listed more than once in this split, so that what is "
                "trained on would be tested on; keep each subject in one part."
            )
        for part, purpose in (("train", "train"), ("valid", "validate")):
            if not getattr(self, part):
                raise SplitError(
                    f"This split has no subject to {purpose}; at least one to train and one to "
                    "validate are needed."
                )

    def part_of(self, subject: str) -> str | None:
        """Return "train", "valid" or "test", or None for a subject that the split lacks."""
        return next((part for part in PARTS if subject in getattr(self, part)), None)

    def indices(self, subjects: Sequence[str], part: str) -> np.ndarray:
        """Return where ``subjects`` (one an image) belong to a part, int64 (m,)."""
        if part not in PARTS:
            raise ValueError(f"A part is one of {', '.join(PARTS)}; got {part!r}.")
        return np.flatnonzero(np.isin(np.asarray(subjects, dtype=str), getattr(self, part)))

    def check(self, subjects: Iterable[str]) -> None:
        """Raise SplitError unless every one of ``subjects`` belongs to a part."""
        known = {*self.train, *self.valid, *self.test}
        for subject in subjects:
            if str(subject) not in known:
                raise SplitError(
                    f"Subject {subject} is in the data but not in this split; make a new split, "
                    "or take the subject out of the labels."
                )

    def save(self, path: str | Path) -> None:
        """Write the split as JSON."""
        content = {key: value for key, value in asdict(self).items() if value is not None}
        write_whole(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Split:
        """Read a split that ``save`` wrote. Raises SplitError naming the file."""
        path = Path(path)
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise SplitError(
                f"{path} cannot be read: {error.strerror or error}; check the path."
            ) from error
        except ValueError as error:
            raise SplitError(f"{path} is not JSON; make the split again.") from error
        if not isinstance(content, dict):
            raise SplitError(f"{path} is not a split: it needs lists named train, valid and test.")
        parts = {part: content.get(part, []) for part in PARTS}
        for part, names in parts.items():
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise SplitError(f"{path}: {part} must be a list of subjects' names.")
        numbers = {key: content.get(key) for key in ("seed", "fold")}
        for key, number in numbers.items():
            if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
                raise SplitError(f"{path}: {key} must be a whole number.")
        try:
            return cls(**parts, **numbers)
        except SplitError as error:
            raise SplitError(f"{path}: {error}") from error


def split_file(checkpoint: str | Path) -> Path:
    """Return where the split of a checkpoint lies: beside it, as ``NAME.split.json``."""
    return Path(checkpoint).with_suffix(".split.json")


def inherited(split: Split, start: str | Path) -> Split:
    """A checkpoint's split, with all whom the checkpoint ``start`` that it began from had seen.

    Those are counted as trained on, also where this split would test on them: nobody of the test
    part is known to the weights, however many checkpoints they went through.
    """
    if not split_file(start).is_file():
        return split
    before = Split.load(split_file(start))
    seen = {*before.train, *before.valid}
    return replace(
        split,
        train={*split.train, *seen} - {*split.valid},
        test={*split.test} - seen,
    )


def by_fractions(
    subjects: Iterable[str],
    *,
    valid: float = 0.15,
    test: float = 0.2,
    worst: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Split:
    """Split subjects at random by fractions.

    Parameters
    ----------
    subjects : one a subject, or one an image: repetitions count once.
    valid, test : fractions of the subjects, 0 <= test, 0 < valid, together below 1.
    worst : the worst grade of each subject (``worst_grades``): every part gets its share of each.
    seed : the same seed and subjects, in any order, give the same split.
    """
    if not (valid > 0 and test >= 0 and valid + test < 1):
        raise SplitError(
            f"Fractions of {valid:g} to validate and {test:g} to test leave nothing to train or "
            "to validate; give fractions that add up to less than 1."
        )
    order = _shuffled(subjects, worst, seed)
    n_valid, n_test = (_count(fraction, len(order)) for fraction in (valid, test))
    if n_valid + n_test >= len(order):
        raise SplitError(
            f"{len(order)} subjects are too few to train, validate and test; "
            "label more subjects, or ask for no test part."
        )
    parts = _deal(order, (len(order) - n_valid - n_test, n_valid, n_test))
    return Split(*parts, seed=seed)


def by_folds(
    subjects: Iterable[str],
    n_folds: int,
    *,
    test: Iterable[str] = (),
    worst: Mapping[str, int] | None = None,
    seed: int = 0,
) -> list[Split]:
    """Return k splits; each subject validates in exactly one, those of ``test`` in none."""
    test = sorted({str(subject) for subject in test})
    order = _shuffled((s for s in subjects if str(s) not in test), worst, seed)
    if not 2 <= n_folds <= len(order):
        raise SplitError(
            f"{len(order)} subjects cannot be split into {n_folds} folds; "
            f"give 2 to {len(order)} folds."
        )
    # Dealt like cards from an order sorted by grade: each fold gets its share of every grade.
    return [
        Split(
            [s for position, s in enumerate(order) if position % n_folds != fold],
            order[fold::n_folds],
            test,
            seed=seed,
            fold=fold,
        )
        for fold in range(n_folds)
    ]


def worst_grades(subjects: Sequence[str], levels: np.ndarray) -> dict[str, int]:
    """Return the worst grade (3 severe … 1 mild) of each subject from labels' (n, 5) bool levels.

    A label of several grades counts as its best: nothing worse was said.
    """
    levels = np.asarray(levels, dtype=bool)
    grades = np.where(levels, GRADE_OF_SCORE[None, :], 9).min(axis=1)
    worst: dict[str, int] = {}
    for subject, grade in zip(subjects, grades.tolist(), strict=True):
        worst[str(subject)] = max(grade, worst.get(str(subject), 0))
    return worst


def _shuffled(subjects: Iterable[str], worst: Mapping[str, int] | None, seed: int) -> list[str]:
    """Return the distinct subjects in random order, and then by worst grade where given."""
    names = sorted({str(subject) for subject in subjects})
    if len(names) < 2:
        raise SplitError(
            f"There {'is only one subject' if names else 'are no subjects'} in the data; "
            "label at least two subjects, because one cannot both train and validate."
        )
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    if worst is not None:
        order.sort(key=lambda name: worst.get(name, 0))  # stable: random within a grade
    return order


def _count(fraction: float, n: int) -> int:
    return max(1, round(fraction * n)) if fraction else 0


def _deal(order: list[str], sizes: Sequence[int]) -> list[list[str]]:
    """Deal ``order`` to parts of the given sizes, always to the one furthest behind its share."""
    parts: list[list[str]] = [[] for _ in sizes]
    for dealt, name in enumerate(order, start=1):
        behind = [
            size * dealt / len(order) - len(part) if len(part) < size else -np.inf
            for part, size in zip(parts, sizes, strict=True)
        ]
        parts[int(np.argmax(behind))].append(name)
    return parts
