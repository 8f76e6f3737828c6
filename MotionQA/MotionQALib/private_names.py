"""Names of volumes that do not tell whose they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from .batch import GradedFile
from .formats.file_kinds import FORMATS, suffix_of
from .formats.volume_error import display_name
from .pending_read import PendingRead
from .privacy import without, words_of

PATIENCE = 10.0
"""Seconds that a header is waited for: the volume it is of has been read, or given up, before."""


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
        self._last: tuple[Path, frozenset[str] | None] | None = None

    def keep(self, name: str) -> None:
        """Do not give this name, which an earlier run gave."""
        self._used.add(name)

    def __call__(self, graded: GradedFile) -> GradedFile:
        if self._identify:
            return graded
        words = self._words(graded.path)
        assessment, error = graded.assessment, graded.error
        if words is None:  # it does not answer: whether its name tells is not known
            shown = display_name(graded.path)
            told = None if error is None else str(error).replace(shown, "A series")
            if assessment is not None:
                name = self._name(shown, frozenset((shown.casefold(),)))
                assessment = replace(assessment, volume=name, source=None, remarks=())
            return replace(graded, assessment=assessment, error=told)
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
        words = self._words(path)
        if words is None:
            return "series"
        return without(display_name(path), words).strip("-_ ") or "series"

    def _words(self, path: Path) -> frozenset[str] | None:
        """What identifies the patient; None where the file's drive or share hangs."""
        if FORMATS.get(suffix_of(path), "dicom") != "dicom":
            return frozenset()  # it carries no such header
        if self._last is None or self._last[0] != path:
            words = PendingRead(words_of, path).result(patience=PATIENCE)
            self._last = path, words if isinstance(words, frozenset) else None
        return self._last[1]

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
