"""What the images of a study are called, in files for others: names that tell them apart."""

from __future__ import annotations

import os

from ..subjects import subject_of, without_suffix
from .case_list import CaseList
from .cases import Case


def export_names(cases: CaseList) -> dict[str, str]:
    """Names that tell the cases apart, by key: the file's, else its path from a common folder.

    An image in whose place another was added is told from that.
    """
    found = _names(cases)
    for case in cases.cases:
        if case.key in cases.replaced:
            found[case.key] += f" (replaced, {case.key[-6:]})"
    return found


def _names(cases: CaseList) -> dict[str, str]:
    """The same, where an image that was replaced is called as the one in its place."""
    names: dict[str, list[Case]] = {}
    gone = [case for case in cases.cases if case.key in cases.replaced]
    for case in cases.cases:
        if case.key not in cases.replaced:
            names.setdefault(case.name, []).append(case)
    found = {case.key: case.name for case in cases.cases}
    if any(len(alike) > 1 for alike in names.values()):
        common = _common_folder(cases)
        for alike in names.values():
            for case in alike:
                if len(alike) > 1:
                    found[case.key] = _apart(cases, case, common)
        for case in gone:
            if len(names.get(case.name, ())) > 1:
                found[case.key] = _apart(cases, case, common)
    return found


def export_subjects(cases: CaseList) -> dict[str, str]:
    """Whose the images are, by key. A name that several share tells nobody: their paths do."""
    names = _names(cases)
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
