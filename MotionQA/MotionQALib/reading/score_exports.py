"""Scores for other programs.

export_long(study, path)                      # all readers, for statistics
export_labels(study, "consensus", path)       # what motionqa-train fit --labels takes
export_grades(study, "anna", path)            # CMRxMotion's IQA.csv
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from ..scale import Grade
from ..subjects import subject_of
from ..whole_files import written_whole
from .case_list import CaseList
from .errors import ReadingError
from .export_names import export_names, export_subjects
from .score_entry import ScoreEntry
from .scores import CONSENSUS, Scores, all_scores, file_name, read_scores
from .study import Study

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


def export_long(study: Study, path: str | Path) -> int:
    """Write every score that stands, a row each, the consensus' last; how many rows.

    Raises ReadingError if there are none, or the file cannot be written.
    """
    cases = CaseList(study)
    names, subjects = export_names(cases), export_subjects(cases)
    rows = []
    for scores in [*all_scores(study), _consensus(study)]:
        for key, entry in scores.entries.items():
            row = {
                **entry.to_record(),
                "reader": scores.reader,  # of the log: a copy of a log is no second reading
                "image": names.get(key.case, ""),
                "subject": subjects.get(key.case, ""),
                "artefacts": " ".join(entry.artefacts),
            }
            rows.append([_cell(row.get(column)) for column in LONG_COLUMNS])
    return _write(path, LONG_COLUMNS, rows)


def export_labels(study: Study, reader: str, path: str | Path) -> int:
    """Write one reader's first readings, or the consensus, as the trainer's labels.

    Scores are written as ``image,frame,slice,score,subject``; where only grades are known, as
    ``Image,Label,Subject``. Returns the number of labels.
    """
    cases, entries = _first_readings(study, reader)
    if not all(entry.score for entry in entries):
        return export_grades(study, reader, path)
    names, subjects = export_names(cases), export_subjects(cases)
    rows = [
        [names[e.key.case], "", _cell(e.key.slice), e.score, subjects[e.key.case]] for e in entries
    ]
    return _write(path, ("image", "frame", "slice", "score", "subject"), rows)


def export_grades(study: Study, reader: str, path: str | Path) -> int:
    """Write one reader's first readings, or the consensus, as ``Image,Label``: CMRxMotion's form.

    Label is 1 mild, 2 moderate, 3 severe. Where the images' names do not tell their subjects, as
    in DICOM, a third column does. Raises ReadingError for scores of slices, which that form does
    not hold.
    """
    cases, entries = _first_readings(study, reader)
    if any(entry.key.slice is not None for entry in entries):
        raise ReadingError(
            "IQA.csv holds one grade a volume, and this study was read slice by slice; export "
            "labels instead."
        )
    names, subjects = export_names(cases), export_subjects(cases)
    rows = []
    for entry in entries:
        key = entry.key.case
        rows.append([names[key], int(Grade[entry.grade.upper()]), subjects[key]])
    columns = ("Image", "Label", "Subject")
    if all(subject_of(name) == subject for name, _, subject in rows):
        columns, rows = columns[:2], [row[:2] for row in rows]
    return _write(path, columns, rows)


def _consensus(study: Study) -> Scores:
    return read_scores(study.scores_folder / f"{CONSENSUS}.jsonl")


def _first_readings(study: Study, reader: str) -> tuple[CaseList, list[ScoreEntry]]:
    """Entries of cases that are in the list, in its order."""
    file = reader if reader == CONSENSUS else file_name(reader)
    cases = CaseList(study)
    order = {case.key: number for number, case in enumerate(cases.cases)}
    entries = read_scores(study.scores_folder / f"{file}.jsonl").entries.values()
    kept = [entry for entry in entries if entry.key.repeat == 0 and entry.key.case in order]
    if not kept:
        raise ReadingError(f"{reader} has scored no case of this study; there is nothing to write.")
    return cases, sorted(kept, key=lambda e: (order[e.key.case], e.key.slice or 0))


def _write(path: str | Path, columns: Sequence[str], rows: Sequence[Sequence]) -> int:
    if not rows:
        raise ReadingError("Nobody has scored a case of this study; there is nothing to write.")
    try:
        with written_whole(path, newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
    except OSError as error:
        raise ReadingError(f"{path} cannot be written ({error.strerror or error}).") from error
    return len(rows)


def _cell(value: object) -> object:
    """A spreadsheet takes text that starts so for a formula, and would run it."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value
