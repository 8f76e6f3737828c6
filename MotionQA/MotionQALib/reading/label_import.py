"""Scores from other programs' files into a reader's log.

import_labels(study, log, path)               # CMRxMotion's IQA.csv, or image,score
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..formats.kinds import stem_of
from ..scale import Grade
from ..subjects import without_suffix
from .case_list import CaseList
from .cases import Case, read_table
from .errors import ReadingError
from .export_names import export_names
from .score_entry import ItemKey, ScoreEntry
from .scores import ScoreLog
from .study import Study


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


def _read_labels(study: Study, log: ScoreLog, path: Path) -> tuple[list[ScoreEntry], list[str]]:
    rows = read_table(path)
    columns = rows[0][1]
    kind = next((name for name in ("score", "label") if name in columns), None)
    if "image" not in columns or kind is None:
        raise ReadingError(
            f"{path} has the columns {', '.join(columns)}; needed are image and either score "
            "(1 to 5) or Label (1 to 3)."
        )
    known = _by_any_name(study)
    entries: dict[ItemKey, ScoreEntry] = {}
    remarks = []
    for number, row in rows:
        where = f"{path}, line {number}"
        value = _level(where, kind, row[kind])
        fitting = known.get(row["image"].replace("\\", "/"), [])
        if len(fitting) != 1:
            many = f"{len(fitting)} cases are" if fitting else "no case is"
            remarks.append(f"{where}: {many} named {row['image']}; it is left out.")
            continue
        key = ItemKey(fitting[0].key, _slice(where, row.get("slice", ""), fitting[0], study))
        said = {"score": value} if kind == "score" else {"grade": Grade(value).label}
        entry, before = ScoreEntry(key, log.reader, **said), log.entries.get(key)
        if key in entries or (before and _said(before, kind) != _said(entry, kind)):
            raise ReadingError(
                f"{where}: {row['image']} is scored already; nothing was imported. Import into "
                "another reader's log, or delete the line."
            )
        if before is None:
            entries[key] = entry
    return list(entries.values()), remarks


def _said(entry: ScoreEntry, kind: str) -> int | str | None:
    return entry.score if kind == "score" else entry.grade


def _by_any_name(study: Study) -> dict[str, list[Case]]:
    """Cases by their name, file name and path, with and without suffix."""
    cases = CaseList(study)
    told_apart = export_names(cases)
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
