"""Scores for other programs and for people.

export_long(scores, path)                      # all that may be seen, for statistics
export_labels(scores, "consensus", path)       # what motionqa-train fit --labels takes
export_grades(scores, "anna", path)            # CMRxMotion's IQA.csv

Scores of an image that was replaced since are of no file: they are left out, and that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..scale import Grade
from ..spreadsheet_files import write_rows
from ..subjects import subject_of
from .blinding import Remark
from .export_names import export_names, export_subjects
from .reading_errors import StudyError
from .score_entry import ScoreEntry
from .study_scores import StudyScores

LONG_COLUMNS = (
    "reader",
    "image",
    "subject",
    "slice",
    "repeat",
    "score",
    "grade",
    "confidence",
    "artefacts",
    "comment",
    "seconds",
    "time",
    "adjudicator",
    "case",
)


class Exported(NamedTuple):
    """How many rows were written, and sentences on what was left out."""

    rows: int
    remarks: tuple[Remark, ...]


def export_long(scores: StudyScores, path: str | Path) -> Exported:
    """Write every score that stands, a row each, the consensus' last.

    Raises StudyError if there are none, or the file cannot be written.
    """
    cases, gone = scores.cases, scores.cases.left_out()
    names, subjects = export_names(cases), export_subjects(cases)
    rows, left_out = [], set()
    for one in [*scores.readers, scores.consensus]:
        for key, entry in one.entries.items():
            if key.case in gone:
                left_out.add(key.case)
                continue
            row = {
                **entry.to_record(),
                "image": names.get(key.case, ""),
                "subject": subjects.get(key.case, ""),
                "artefacts": " ".join(entry.artefacts),
            }
            rows.append([row.get(column) for column in LONG_COLUMNS])
    return _write(scores, path, LONG_COLUMNS, rows, left_out)


def export_labels(scores: StudyScores, reader: str, path: str | Path) -> Exported:
    """Write one reader's first readings, or the consensus, as the trainer's labels.

    Scores are written as ``image,frame,slice,score,subject``; where only grades are known, as
    ``Image,Label,Subject``.
    """
    entries, left_out = _first_readings(scores, reader)
    if not all(entry.score for entry in entries):
        return export_grades(scores, reader, path)
    names, subjects = export_names(scores.cases), export_subjects(scores.cases)
    rows = [[names[e.key.case], "", e.key.slice, e.score, subjects[e.key.case]] for e in entries]
    columns = ("image", "frame", "slice", "score", "subject")
    return _write(scores, path, columns, rows, left_out)


def export_grades(scores: StudyScores, reader: str, path: str | Path) -> Exported:
    """Write one reader's first readings, or the consensus, as ``Image,Label``: CMRxMotion's form.

    Label is 1 mild, 2 moderate, 3 severe. Where the images' names do not tell their subjects, as
    in DICOM, a third column does. Raises StudyError for scores of slices, which that form does
    not hold.
    """
    entries, left_out = _first_readings(scores, reader)
    if any(entry.key.slice is not None for entry in entries):
        raise StudyError(
            "IQA.csv holds one grade a volume, and this study was read slice by slice; export "
            "labels instead."
        )
    names, subjects = export_names(scores.cases), export_subjects(scores.cases)
    rows = []
    for entry in entries:
        key = entry.key.case
        rows.append([names[key], int(Grade[entry.grade.upper()]), subjects[key]])
    columns = ("Image", "Label", "Subject")
    if all(subject_of(name) == subject for name, _, subject in rows):
        columns, rows = columns[:2], [row[:2] for row in rows]
    return _write(scores, path, columns, rows, left_out)


def _first_readings(scores: StudyScores, reader: str) -> tuple[list[ScoreEntry], set[str]]:
    """Entries of cases that are in the list, in its order; and the cases that are left out."""
    order = {case.key: number for number, case in enumerate(scores.cases.cases)}
    first = [entry for entry in scores.of(reader).entries.values() if entry.key.repeat == 0]
    gone = scores.cases.left_out()
    kept = [e for e in first if e.key.case in order and e.key.case not in gone]
    if not kept:
        raise StudyError(f"{reader} has scored no case of this study; there is nothing to write.")
    left_out = {entry.key.case for entry in first} & gone
    return sorted(kept, key=lambda e: (order[e.key.case], e.key.slice or 0)), left_out


def _write(
    scores: StudyScores,
    path: str | Path,
    columns: Sequence[str],
    rows: Sequence[Sequence],
    left_out: set[str],
) -> Exported:
    if not rows:
        raise StudyError("Nobody has scored a case of this study; there is nothing to write.")
    try:
        write_rows(path, columns, rows, marked=True)
    except OSError as error:
        raise StudyError(f"{path} cannot be written ({error.strerror or error}).") from error
    text = "The image of {} was replaced by another after it was scored; its scores are left out."
    named = [scores.blinding.name_of(case) for case in sorted(left_out)]
    remarks = [Remark(text.format(name), blinded=text.format(name)) for name in named]
    return Exported(len(rows), tuple(remarks))
