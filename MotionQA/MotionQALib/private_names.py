"""Names of volumes that do not tell whose they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from .batch import GradedFile
from .formats.volume_error import display_name
from .privacy import without, words_of


class PrivateNames:
    """Takes out of results what identifies a patient: words of DICOM headers, and paths.

    A folder is often named after the patient whose series it holds. Names that are alike then are
    numbered. Files of other formats carry no such headers, and their names are the study's own.

    Parameters
    ----------
    identify : leave everything as it is
    """

    def __init__(self, identify: bool = False) -> None:
        self._identify = identify
        self._given: Counter[str] = Counter()
        self._used: set[str] = set()

    def keep(self, name: str) -> None:
        """Do not give this name, which an earlier run gave."""
        self._used.add(name)

    def __call__(self, graded: GradedFile) -> GradedFile:
        if self._identify:
            return graded
        words = words_of(graded.path)
        assessment, error = graded.assessment, graded.error
        if assessment is not None:
            name = self._name(assessment.volume, words)
            remarks = tuple(without(remark, words) for remark in assessment.remarks)
            assessment = replace(assessment, volume=name, source=None, remarks=remarks)
        if error is not None:
            error = without(error, words) or "A series cannot be graded."
        return replace(graded, assessment=assessment, error=error)

    def source(self, path: str | Path) -> str:
        """What stands for a file in lists of failures."""
        if self._identify:
            return str(path)
        path = Path(path)
        words = words_of(path)
        return without(display_name(path), words).strip("-_ ") or "series"

    def _name(self, name: str, words: frozenset[str]) -> str:
        cleaned = without(name, words)
        if cleaned == name:
            return name
        cleaned = cleaned.strip("/-_ ") or "series"
        while True:
            self._given[cleaned] += 1
            count = self._given[cleaned]
            given = cleaned if count == 1 else f"{cleaned} ({count})"
            if given not in self._used:
                return given
