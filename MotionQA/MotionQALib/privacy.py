"""Keeping what tells whose image it is out of names, sentences and logs."""

from __future__ import annotations

import logging
import re
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .formats.file_kinds import is_dicom

IDENTIFYING = (
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientBirthDate",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "PatientComments",
    "MedicalRecordLocator",
    "AccessionNumber",
    "StudyID",
    "InstitutionName",
    "InstitutionAddress",
    "InstitutionalDepartmentName",
    "StationName",
    "ReferringPhysicianName",
    "RequestingPhysician",
    "PhysiciansOfRecord",
    "NameOfPhysiciansReadingStudy",
    "PerformingPhysicianName",
    "OperatorsName",
)
"""DICOM elements that tell whose image it is, or where it was made."""

SHORTEST = 3
"""Letters or digits of a word that could tell: shorter ones stand in any text."""


def identifying_words(dataset: Any) -> frozenset[str]:
    """The words of a data set's identifying elements, in small letters."""
    words: set[str] = set()
    for keyword in IDENTIFYING:
        value = dataset.get(keyword)
        for part in [] if value is None else _several(value):
            words |= set(_words(str(part)))
    return frozenset(words)


def without(text: str, words: Iterable[str]) -> str:
    """The text without those words, also where they are part of a longer one.

    >>> without("sax_DOE_rep2", {"doe"})
    'sax rep2'
    """
    found = sorted((re.escape(word) for word in words), key=len, reverse=True)
    if not found:
        return text
    cleaned, count = re.subn("|".join(found), " ", text, flags=re.IGNORECASE)
    if not count:
        return text
    return " ".join(part for part in re.sub(r"[\s_^]+", " ", cleaned).split() if part.strip("-.,"))


def words_of(path: Path) -> frozenset[str]:
    """What identifies the patient of a DICOM image, or of the series in a folder."""
    from pydicom import dcmread

    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            if is_dicom(file):
                return identifying_words(dcmread(file, stop_before_pixels=True, force=True))
    except Exception:
        pass  # it cannot be read, so nothing of it is in any sentence
    return frozenset()


def silence_parsers() -> None:
    """Keep libraries that quote what is in a file from writing it to the console or a log."""
    for name in ("pydicom", "pynetdicom", "highdicom", "nibabel"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
        logger.propagate = False


def silence_child() -> None:
    """The same for a process of its own, whose error stream goes into the log of whoever began it.

    Warnings quote values, too.
    """
    silence_parsers()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _words(text: str) -> list[str]:
    parts = re.split(r"[\W_]+", text.casefold())
    return [part for part in parts if len(part) >= SHORTEST]


def _several(value: Any) -> list:
    many = hasattr(value, "__iter__") and not isinstance(value, str | bytes)
    return list(value) if many and type(value).__name__ != "PersonName" else [value]
