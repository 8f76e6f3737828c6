"""Labels: which scores each image or slice may have, read from CSV files.

Three forms are read, told apart by their columns (letter case and further columns do not matter):

* ``Image,Label``: CMRxMotion's ``IQA.csv``, a grade per volume: 1 mild, 2 moderate, 3 severe, or
  these words;
* ``image,score``: a score from 1 to 5 per volume;
* ``image,frame,slice,score[,subject][,severity]``: a score per slice, counted from 0; a row with
  an empty slice is the volume's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from MotionQALib.scale import SCORES, Grade, grade_of
from MotionQALib.spreadsheet_files import original, write_rows
from MotionQALib.subjects import subject_of
from MotionQALib.tables import Table, TableError, number_of, read_table

Levels = tuple[bool, bool, bool, bool, bool]

_GRADE_WORDS = {"mild": "1", "moderate": "2", "intermediate": "2", "severe": "3"}

SCORE_COLUMNS = ("image", "frame", "slice", "score", "subject", "severity")


class LabelError(ValueError):
    """A label file that cannot be used; the message names the file, the line and the remedy."""


def levels_of_score(score: int) -> Levels:
    """Return the five flags that allow one score (1 to 5)."""
    grade_of(score)  # refuses anything that is not a score
    return tuple(level == score for level in SCORES)


def levels_of_grade(grade: Grade | int) -> Levels:
    """Return the five flags that allow a grade's scores (1 mild, 2 moderate, 3 severe)."""
    return tuple(level in Grade(grade).scores for level in SCORES)


@dataclass(frozen=True)
class Label:
    """What a reader, or the simulator, said of a volume (``slice`` None) or of one slice."""

    image: str
    frame: int | None
    slice: int | None
    levels: Levels
    subject: str | None = None
    severity: float | None = None  # the simulator's SSIM against the clean image, 1 without motion
    subject_given: bool = field(default=False, compare=False)  # by the file, not by a name

    @property
    def score(self) -> int | None:
        """The score, or None where only a grade of several scores is known."""
        allowed = [score for score, flag in zip(SCORES, self.levels, strict=True) if flag]
        return allowed[0] if len(allowed) == 1 else None

    @property
    def grade(self) -> Grade | None:
        """The grade, or None where the allowed scores span several."""
        allowed = {grade_of(s) for s, flag in zip(SCORES, self.levels, strict=True) if flag}
        return allowed.pop() if len(allowed) == 1 else None


def read_labels(path: str | Path) -> list[Label]:
    """Read a CSV file of labels, in the file's own order; every label has its subject.

    Raises LabelError for a file that cannot be read, has other columns, no rows, several readers, a
    score or grade off the scale, the same image and slice twice, or one image under two subjects.
    """
    try:
        table = read_table(path)
    except TableError as error:
        raise LabelError(str(error)) from error
    columns = _columns(table)
    labels, lines = [], {}
    subjects: dict[str, str] = {}
    for line, cells in table.rows:
        where = f"{path}, line {line}"
        label = _label(where, columns, cells)
        _refuse_repeats(where, label, lines, subjects)
        lines[label.image, label.frame, label.slice] = line
        labels.append(label)
    if not labels:
        raise LabelError(f"{path} has no labels; add one line per image below its column names.")
    return labels


def simulated(labels: Iterable[Label]) -> bool:
    """Whether the simulator gave any of the labels: readers note no severity."""
    return any(label.severity is not None for label in labels)


def write_scores(path: str | Path, labels: Iterable[Label]) -> None:
    """Write the long form (``scores.csv``); a label that is only a grade raises ValueError."""
    rows = []
    for label in labels:
        if label.score is None:
            raise ValueError(f"{label.image} has no single score; write it as a grade instead.")
        rows.append([getattr(label, column) for column in SCORE_COLUMNS])
    write_rows(path, SCORE_COLUMNS, rows)


def write_grades(path: str | Path, labels: Iterable[Label]) -> None:
    """Write volumes' grades as CMRxMotion's ``IQA.csv`` does; slices raise ValueError.

    Simulated volumes have the simulator's subject and severity in further columns: several may
    come from one patient, whom the names do not tell.
    """
    labels = list(labels)
    further = ("subject", "severity") if simulated(labels) else ()
    rows = []
    for label in labels:
        if label.grade is None or label.slice is not None or label.frame is not None:
            raise ValueError(f"{label.image}: this form holds one grade a volume, not its slices.")
        more = [getattr(label, column) for column in further]
        rows.append([label.image, int(label.grade), *more])
    write_rows(path, ("Image", "Label", *(column.title() for column in further)), rows)


def _columns(table: Table) -> dict[str, int]:
    """Return where each known column is."""
    where, names = f"{table.path}, line {table.header_line}", table.columns
    known = [name for name in names if name in (*SCORE_COLUMNS, "label")]
    if not any(names):
        raise LabelError(
            f"{table.path} is empty; its first line must name columns, such as image,score."
        )
    for name in known:
        if known.count(name) > 1:
            raise LabelError(f"{where}: the column {name} is there twice; keep one.")
    if "image" not in known or ("score" in known) == ("label" in known):
        raise LabelError(
            f"{where}: the columns are {', '.join(names)}; "
            "needed are image and either score (1 to 5) or Label (1 to 3)."
        )
    if "reader" in names:
        _refuse_several_readers(table)
    return {name: names.index(name) for name in known}


def _refuse_several_readers(table: Table) -> None:
    place = table.columns.index("reader")
    readers = sorted({cells[place] for _, cells in table.rows if len(cells) > place})
    if len(readers) > 1:
        raise LabelError(
            f"{table.path} holds the scores of {len(readers)} readers ({readers[0]}, {readers[1]}"
            f"{', …' if len(readers) > 2 else ''}); give one reader's, or the consensus'."
        )


def _label(where: str, columns: dict[str, int], cells: list[str]) -> Label:
    if len(cells) <= max(columns.values()):
        raise LabelError(f"{where}: {len(cells)} values for more columns; fill in the line.")
    row = {name: cells[index].strip() for name, index in columns.items()}
    if not row["image"]:
        raise LabelError(f"{where}: the image's name is missing; fill it in or delete the line.")
    if "score" in row:
        levels = levels_of_score(_level(where, "score", row["score"], "1, 2, 3, 4 or 5", 5))
    else:
        said = _GRADE_WORDS.get(row["label"].casefold(), row["label"])
        grade = _level(where, "Label", said, "1 (mild), 2 (moderate) or 3 (severe)", 3)
        levels = levels_of_grade(grade)
    return Label(
        image=row["image"],
        frame=_index(where, "frame", row.get("frame")),
        slice=_index(where, "slice", row.get("slice")),
        levels=levels,
        subject=original(row.get("subject", "")) or subject_of(row["image"]),
        subject_given=bool(row.get("subject")),
        severity=_severity(where, row.get("severity")),
    )


def _number(text: str) -> float:
    try:
        return number_of(text)
    except ValueError:
        return math.nan


def _level(where: str, name: str, text: str, allowed: str, highest: int) -> int:
    value = _number(text)  # "3.0" is what a spreadsheet or pandas makes of 3
    if not (1 <= value <= highest and value == int(value)):
        found = f"is {text!r}" if text else "is missing"
        raise LabelError(f"{where}: the {name} {found}; give {allowed}, or delete the line.")
    return int(value)


def _index(where: str, name: str, text: str | None) -> int | None:
    if not text:
        return None
    value = _number(text)
    if not (0 <= value < 2**31 and value == int(value)):
        raise LabelError(f"{where}: the {name} is {text!r}; give a whole number counted from 0.")
    return int(value)


def _severity(where: str, text: str | None) -> float | None:
    if not text:
        return None
    value = _number(text)
    if not math.isfinite(value):
        raise LabelError(f"{where}: the severity is {text!r}; give a number or leave it empty.")
    return value


def _refuse_repeats(where: str, label: Label, lines: dict, subjects: dict[str, str]) -> None:
    earlier = lines.get((label.image, label.frame, label.slice))
    if earlier is not None:
        part = "" if label.slice is None else f", slice {label.slice}"
        raise LabelError(
            f"{where}: {label.image}{part} was labelled on line {earlier} already; keep one."
        )
    subject = subjects.setdefault(label.image, label.subject)
    if subject != label.subject:
        raise LabelError(
            f"{where}: {label.image} belongs to subject {subject} on an earlier line and to "
            f"{label.subject} here; give one subject."
        )
