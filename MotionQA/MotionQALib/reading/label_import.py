"""Scores from other programs' files into a reader's log.

import_labels(study, log, path)               # CMRxMotion's IQA.csv, or image,score
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ..image_names import ImageNames, Matches
from ..scale import Grade
from ..tables import number_of
from .blinding import Remark
from .case_list import CaseList
from .cases import Case, read_table
from .export_names import export_names
from .reading_errors import ReadingError
from .score_entry import ItemKey, ScoreEntry
from .scores import ScoreLog
from .study import Study


def import_labels(study: Study, log: ScoreLog, path: str | Path) -> tuple[int, list[Remark]]:
    """Bring an ``IQA.csv``, or ``image,score`` with or without ``slice``, into a reader's log.

    Returns how many were taken and a sentence for each that belongs to no case. What the log says
    already is not said again. Nothing is taken if a line is off the scale or contradicts the log:
    then ReadingError says which.
    """
    entries, remarks = _read_labels(study, log, Path(path))
    for entry in entries:
        log.add(entry)
    return len(entries), remarks


def _read_labels(study: Study, log: ScoreLog, path: Path) -> tuple[list[ScoreEntry], list[Remark]]:
    rows = read_table(path)
    columns = rows[0][1]
    kind = next((name for name in ("score", "label") if name in columns), None)
    if "image" not in columns or kind is None:
        needed = "needed are image and either score (1 to 5) or Label (1 to 3)."
        raise ReadingError(
            f"{path} has the columns {', '.join(columns)}; {needed}",
            blinded=f"The table lacks columns: {needed}",
        )
    meant = _meant(study, (row["image"] for _, row in rows))
    entries: dict[ItemKey, ScoreEntry] = {}
    remarks: list[Remark] = []
    for number, row in rows:
        where = _Line(path, number)
        value = _level(where, kind, row[kind])
        fitting = meant.fitting(row["image"])
        if len(fitting) != 1:
            many = f"{len(fitting)} cases are" if fitting else "no case is"
            remarks.append(Remark(f"{where}: {many} named {row['image']}; it is left out."))
            continue
        key = ItemKey(fitting[0].key, _slice(where, row.get("slice", ""), fitting[0], study))
        said = {"score": value} if kind == "score" else {"grade": Grade(value).label}
        entry, before = ScoreEntry(key, log.reader, **said), log.entries.get(key)
        if key in entries or (before and _said(before, kind) != _said(entry, kind)):
            text = (
                "is scored already; nothing was imported. Import into another reader's log, or "
                "delete the line."
            )
            raise ReadingError(
                f"{where}: {row['image']} {text}",
                blinded=f"The table, line {number}: its image {text}",
            )
        if before is None:
            entries[key] = entry
    if meant.elsewhere:
        text = "names are paths from another place, taken by their ends; check them."
        remarks.append(Remark(f"{path}: {len(meant.elsewhere)} {text}"))
    return list(entries.values()), remarks


class _Line(NamedTuple):
    """Where in a table something is wrong."""

    path: Path
    number: int

    def __str__(self) -> str:
        return f"{self.path}, line {self.number}"

    def fault(self, text: str, blinded: str | None = None) -> ReadingError:
        return ReadingError(
            f"{self}{text}", blinded=f"The table, line {self.number}{blinded or text}"
        )


def _said(entry: ScoreEntry, kind: str) -> int | str | None:
    return entry.score if kind == "score" else entry.grade


def _meant(study: Study, names: Iterable[str]) -> Matches[Case]:
    """The cases that names mean, by the trainer's rule: by their files, or by their own names."""
    cases = CaseList(study)
    told_apart = export_names(cases)
    # In place of one that was replaced, its name is that of another.
    here = [case for case in cases.cases if case.key not in cases.replaced]
    paths = {case: study.absolute(case.path) for case in here if case.path is not None}
    try:
        root = os.path.commonpath([path.parent for path in paths.values()])
    except ValueError:  # several Windows drives, or no files at all
        root = ""
    known: ImageNames[Case] = ImageNames(root)
    for case in here:
        known.add(case, paths.get(case), case.name, told_apart[case.key])
    return known.match(names)


def _level(where: _Line, kind: str, text: str) -> int:
    highest, allowed = {
        "score": (5, "1, 2, 3, 4 or 5"),
        "label": (3, "1 (mild), 2 (moderate) or 3 (severe)"),
    }[kind]
    words = {grade.label: str(int(grade)) for grade in Grade} if kind == "label" else {}
    try:
        value = number_of(words.get(text.casefold(), text))  # "3.0" is a spreadsheet's 3
    except ValueError:
        value = 0
    if value not in range(1, highest + 1):
        end = f"give {allowed}. Nothing was imported."
        raise where.fault(f": the {kind} is {text!r}; {end}", f": the {kind} is none; {end}")
    return int(value)


def _slice(where: _Line, text: str, case: Case, study: Study) -> int | None:
    if study.level == "volume":
        if text:
            raise where.fault(" scores a slice, and this study is read volume by volume.")
        return None
    if not text.isdecimal() or int(text) >= case.n_slices:
        fault = ": the slice is {}, and {} has slices 0 to {}; this study is read slice by slice."
        last = case.n_slices - 1
        raise where.fault(
            fault.format(repr(text), case.name, last), fault.format("none", "its image", last)
        )
    return int(text)
