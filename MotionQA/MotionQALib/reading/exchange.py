"""Scores to and from other programs' files.

export_long(study, path)                      # all readers, for statistics
export_labels(study, "consensus", path)       # what motionqa-train fit --labels takes
export_grades(study, "anna", path)            # CMRxMotion's IQA.csv
import_labels(study, log, path)               # an IQA.csv, or image,score
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..formats.kinds import stem_of
from ..scale import Grade
from ..subjects import subject_of, without_suffix
from ..whole_files import written_whole
from .case_list import CaseList
from .cases import Case, read_table
from .entry import Entry, Place
from .errors import ReadingError
from .scores import CONSENSUS, ScoreLog, Scores, all_scores, file_name, read_scores
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
    names, subjects = image_names(cases), image_subjects(cases)
    rows = []
    for scores in [*all_scores(study), _consensus(study)]:
        for place, entry in scores.entries.items():
            row = {
                **entry.to_record(),
                "reader": scores.reader,  # of the log: a copy of a log is no second reading
                "image": names.get(place.case, ""),
                "subject": subjects.get(place.case, ""),
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
    names, subjects = image_names(cases), image_subjects(cases)
    rows = [
        [names[e.place.case], "", _cell(e.place.slice), e.score, subjects[e.place.case]]
        for e in entries
    ]
    return _write(path, ("image", "frame", "slice", "score", "subject"), rows)


def export_grades(study: Study, reader: str, path: str | Path) -> int:
    """Write one reader's first readings, or the consensus, as ``Image,Label``: CMRxMotion's form.

    Label is 1 mild, 2 moderate, 3 severe. Where the images' names do not tell their subjects, as
    in DICOM, a third column does. Raises ReadingError for scores of slices, which that form does
    not hold.
    """
    cases, entries = _first_readings(study, reader)
    if any(entry.place.slice is not None for entry in entries):
        raise ReadingError(
            "IQA.csv holds one grade a volume, and this study was read slice by slice; export "
            "labels instead."
        )
    names, subjects = image_names(cases), image_subjects(cases)
    rows = []
    for entry in entries:
        key = entry.place.case
        rows.append([names[key], int(Grade[entry.grade.upper()]), subjects[key]])
    columns = ("Image", "Label", "Subject")
    if all(subject_of(name) == subject for name, _, subject in rows):
        columns, rows = columns[:2], [row[:2] for row in rows]
    return _write(path, columns, rows)


def import_labels(study: Study, log: ScoreLog, path: str | Path) -> tuple[int, list[str]]:
    """Bring an ``IQA.csv``, or ``image,score`` with or without ``slice``, into a reader's log.

    Returns how many were taken and a sentence for each that belongs to no case. What the log says
    already is not said again. Nothing is taken if a line is off the scale or contradicts the log:
    then ReadingError says which.
    """
    entries, remarks = _read_labels(study, log, Path(path))
    for entry in entries:
        log.add(entry)
    return len(entries), remarks


def image_names(cases: CaseList) -> dict[str, str]:
    """Names that tell the cases apart, by key: the file's, else its path from a common folder."""
    names: dict[str, list[Case]] = {}
    for case in cases.cases:
        names.setdefault(case.name, []).append(case)
    if all(len(alike) == 1 for alike in names.values()):
        return {case.key: case.name for case in cases.cases}
    common = _common_folder(cases)
    found = {}
    for name, alike in names.items():
        for case in alike:
            found[case.key] = name if len(alike) == 1 else _apart(cases, case, common)
    return found


def image_subjects(cases: CaseList) -> dict[str, str]:
    """Whose the images are, by key. A name that several share tells nobody: their paths do."""
    names = image_names(cases)
    return {
        case.key: subject_of(names[case.key])
        if case.subject == subject_of(case.name)
        else case.subject
        for case in cases.cases
    }


def _common_folder(cases: CaseList) -> str:
    """The folder that holds all of the study's files; "" where they lie on several drives."""
    every = [str(cases.study.absolute(case.path).parent) for case in cases.cases if case.path]
    try:
        return os.path.commonpath(every)
    except ValueError:  # several Windows drives, or no files at all
        return ""


def _apart(cases: CaseList, case: Case, common: str) -> str:
    """The path below the folder that holds all of the study's files, as the trainer matches it."""
    if case.path is None:
        return f"{case.name} ({case.key[-8:]})"
    path = cases.study.absolute(case.path)
    return without_suffix((path.relative_to(common) if common else path).as_posix())


def _consensus(study: Study) -> Scores:
    return read_scores(study.scores_folder / f"{CONSENSUS}.jsonl")


def _first_readings(study: Study, reader: str) -> tuple[CaseList, list[Entry]]:
    """Entries of cases that are in the list, in its order."""
    file = reader if reader == CONSENSUS else file_name(reader)
    cases = CaseList(study)
    order = {case.key: number for number, case in enumerate(cases.cases)}
    entries = read_scores(study.scores_folder / f"{file}.jsonl").entries.values()
    kept = [entry for entry in entries if entry.place.repeat == 0 and entry.place.case in order]
    if not kept:
        raise ReadingError(f"{reader} has scored no case of this study; there is nothing to write.")
    return cases, sorted(kept, key=lambda e: (order[e.place.case], e.place.slice or 0))


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


def _read_labels(study: Study, log: ScoreLog, path: Path) -> tuple[list[Entry], list[str]]:
    rows = read_table(path)
    columns = rows[0][1]
    kind = next((name for name in ("score", "label") if name in columns), None)
    if "image" not in columns or kind is None:
        raise ReadingError(
            f"{path} has the columns {', '.join(columns)}; needed are image and either score "
            "(1 to 5) or Label (1 to 3)."
        )
    known = _by_any_name(study)
    entries: dict[Place, Entry] = {}
    remarks = []
    for number, row in rows:
        where = f"{path}, line {number}"
        value = _level(where, kind, row[kind])
        fitting = known.get(row["image"].replace("\\", "/"), [])
        if len(fitting) != 1:
            many = f"{len(fitting)} cases are" if fitting else "no case is"
            remarks.append(f"{where}: {many} named {row['image']}; it is left out.")
            continue
        place = Place(fitting[0].key, _slice(where, row.get("slice", ""), fitting[0], study))
        said = {"score": value} if kind == "score" else {"grade": Grade(value).label}
        entry, before = Entry(place, log.reader, **said), log.entries.get(place)
        if place in entries or (before and _said(before, kind) != _said(entry, kind)):
            raise ReadingError(
                f"{where}: {row['image']} is scored already; nothing was imported. Import into "
                "another reader's log, or delete the line."
            )
        if before is None:
            entries[place] = entry
    return list(entries.values()), remarks


def _said(entry: Entry, kind: str) -> int | str | None:
    return entry.score if kind == "score" else entry.grade


def _by_any_name(study: Study) -> dict[str, list[Case]]:
    """Cases by their name, file name and path, with and without suffix."""
    cases = CaseList(study)
    told_apart = image_names(cases)
    found: dict[str, list[Case]] = {}
    for case in cases.cases:
        for name in _spellings(case, told_apart[case.key]):
            found.setdefault(name, []).append(case)
    return found


def _spellings(case: Case, told_apart: str) -> Iterable[str]:
    names = {case.name, told_apart}
    if case.path is not None:
        path = Path(case.path)
        names |= {path.name, stem_of(path), case.path, without_suffix(case.path)}
    return names


def _level(where: str, kind: str, text: str) -> int:
    highest, allowed = {
        "score": (5, "1, 2, 3, 4 or 5"),
        "label": (3, "1 (mild), 2 (moderate) or 3 (severe)"),
    }[kind]
    try:
        value = float(text)  # "3.0" is what a spreadsheet makes of 3
    except ValueError:
        value = 0
    if value not in range(1, highest + 1):
        raise ReadingError(
            f"{where}: the {kind} is {text!r}; give {allowed}. Nothing was imported."
        )
    return int(value)


def _slice(where: str, text: str, case: Case, study: Study) -> int | None:
    if study.level == "volume":
        if text:
            raise ReadingError(f"{where} scores a slice, and this study is read volume by volume.")
        return None
    if not text.isdecimal() or int(text) >= case.n_slices:
        raise ReadingError(
            f"{where}: the slice is {text!r}, and {case.name} has slices 0 to "
            f"{case.n_slices - 1}; this study is read slice by slice."
        )
    return int(text)
