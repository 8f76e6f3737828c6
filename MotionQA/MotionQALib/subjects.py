"""Whose image it is: by PatientID, by the names of BIDS, CMRxMotion and ACDC, or by its own name.

One rule for training and for reader studies: what must stay together in a split is also drawn
together in a bootstrap. `similar_subjects` finds names
that look like one person's, but may be two people's.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .formats.file_kinds import FORMATS, is_dicom

# What names the phase, frame or view of a patient rather than the patient.
_PHASE = re.compile(r"[-_. /\\](ED|ES|frame\d+|4d|cine|[sl]ax?)$", re.IGNORECASE)

_SCHEMES = (
    re.compile(r"sub-[a-z0-9]+(?=[-_.]|$)", re.IGNORECASE),  # BIDS
    re.compile(r"P\d+(?=-\d)", re.IGNORECASE),  # CMRxMotion: volunteer, then acquisition
    re.compile(r"patient\d+(?=[-_.]|$)", re.IGNORECASE),  # ACDC
)

_VISIT = re.compile(
    r"[-_. ]*(?<![^\W_])(?:ses|session|visit|scan|exam|rep|repeat|run|acq|acquisition|timepoint|tp|"
    r"baseline|follow-?up|fu|pre|post|retest|copy|kopie)[-_. ]*\d*$"
)
"""What names one of a person's visits, at the end of a name in lower case."""

_COUNT = re.compile(r"(.+?)[-_ ]+\(?(\d+)\)?")

_NOBODY = {
    *("", "0", "x", "na", "nan", "nil", "none", "null", "noid", "noname", "unknown", "unnamed"),
    *("anon", "anonym", "anonymous", "anonymised", "anonymized", "anonymise", "anonymize"),
    *("anonymisedpatient", "anonymizedpatient", "anonymouspatient", "deidentified", "deid"),
    *("removed", "redacted", "hidden", "deleted", "confidential", "private", "patient"),
    *("patientid", "subject", "default"),
}
"""What anonymisers write in place of a PatientID, without punctuation."""


def subject_of(image: str) -> str:
    """Return the subject an image name tells: P001 of ``P001-1-ED``, else the name itself.

    ``sub-01`` of BIDS and ACDC's ``patient001`` are known in any folder of the name. A suffix that
    names a phase or frame is left out, such as ``_frame01`` and ``_ED``: ED and ES of a patient
    must not be told apart.
    """
    known = named_person(image)
    if known:
        return known
    subject = without_suffix(image)
    while shorter := _PHASE.sub("", subject):
        if shorter == subject:
            return subject
        subject = shorter
    return image


def named_person(path: str) -> str | None:
    """The person that a file or one of its folders is named for, by a scheme that is known."""
    for part in reversed(re.split(r"[/\\]", path)):
        for scheme in _SCHEMES:
            if found := scheme.match(part):
                return found.group()
    return None


def without_suffix(name: str) -> str:
    """An image's name or path without .nii.gz and the like."""
    lower = name.lower()
    fitting = [suffix for suffix in FORMATS if lower.endswith(suffix)]
    return name[: len(name) - len(max(fitting, key=len, default=""))]


def is_nobody(patient_id: str) -> bool:
    """Whether a PatientID is an anonymiser's constant, such as ANON or 0000: no person's."""
    bare = re.sub(r"[\W_]+", "", patient_id.casefold())
    return bare in _NOBODY or set(bare) in ({"0"}, {"x"})


def pseudonym(patient_id: str, key: str = "") -> str:
    """A name for the person of a PatientID that may be written down: nobody reads it back."""
    digest = hashlib.blake2b(patient_id.strip().encode(), key=key.encode()[:64], digest_size=6)
    return f"patient-{digest.hexdigest()}"


@dataclass(frozen=True)
class Persons:
    """Whose images are, as far as their files tell.

    Parameters
    ----------
    of : image -> person
    named : those of them that a PatientID or a scheme of names tells, and no mere folder
    remarks : sentences on PatientIDs that tell nobody
    """

    of: dict[str, str]
    named: dict[str, str]
    remarks: list[str]


def persons(images: Mapping[str, Path], root: Path | None = None) -> Persons:
    """Whose the images are, as far as their files tell.

    Parameters
    ----------
    images : name -> file, or folder of a DICOM series
    root : folder above all of them, whose own name tells nothing of them

    A person is a pseudonym of DICOM's PatientID, or the name that BIDS, CMRxMotion or ACDC give.
    Where a PatientID is an anonymiser's constant, it is the folder that holds the study's images.
    """
    found: dict[str, str] = {}
    headers: dict[str, tuple[str, str]] = {}
    for image, path in images.items():
        header = _identity(path)
        if header is not None:
            headers[image] = header
        elif person := named_person(_inner(path, root)):
            found[image] = person
    nobody = _constants(headers)
    found |= {i: pseudonym(of) for i, (of, _) in headers.items() if of not in nobody}
    named = dict(found)
    unnamed = {image: study for image, (of, study) in headers.items() if of in nobody}
    found |= _by_folder({image: images[image] for image in unnamed}, unnamed, root)
    return Persons(found, named, _doubts(nobody))


def similar_subjects(subjects: Iterable[str]) -> list[list[str]]:
    """Groups of different names that look like one person's, sorted.

    Letter case, spelling of letters, zeros before numbers, separators, a last letter (P001a,
    P001b) and what names a visit (``_ses-1``, ``_2``) do not tell people apart for certain.
    """
    names = sorted({str(subject) for subject in subjects})
    bare = _without_counts({name: _without_visits(name) for name in names})
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_spelt_alike(bare[name]), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def _without_visits(name: str) -> str:
    name = subject_of(unicodedata.normalize("NFKC", name)).casefold()
    while shorter := _VISIT.sub("", name):
        if shorter == name:
            break
        name = shorter
    return name


def _without_counts(names: dict[str, str]) -> dict[str, str]:
    """Names without a last number that seems to count visits.

    It does where the name without it is there too, or where one digit follows a number and few
    names share what is before it: of ``7_1`` and ``7_2``, but not of a site's subjects ``site2_1``
    to ``site2_30``.
    """
    sharing: dict[str, set[str]] = {}
    for name in names.values():
        if counted := _COUNT.fullmatch(name):
            sharing.setdefault(counted[1], set()).add(counted[2])
    few = {
        base
        for base, counts in sharing.items()
        if base in names.values()
        or (base[-1].isdigit() and len(counts) <= 4 and all(len(c) == 1 for c in counts))
    }
    found = {}
    for given, name in names.items():
        counted = _COUNT.fullmatch(name)
        found[given] = counted[1] if counted and counted[1] in few else name
    return found


def _spelt_alike(name: str) -> str:
    name = re.sub(r"(?<![\d.])0+(?=\d)", "", name)  # not of a DICOM UID's numbers
    name = re.sub(r"(?<=[^\W\d_])[-_. ]+(?=\d)", "", name)  # P-001 and P001
    name = re.sub(r"[-_ ]+", "_", name)
    return re.sub(r"(?<=\d)_?[a-z]$", "", name)


def _inner(path: Path, root: Path | None) -> str:
    return (path.relative_to(root) if root and path.is_relative_to(root) else path).as_posix()


def _identity(path: Path) -> tuple[str, str] | None:
    """PatientID and StudyInstanceUID of a DICOM image or folder; None for other files."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    file = next((file for file in files if is_dicom(file)), None)
    if file is None:
        return None
    from pydicom import dcmread

    tags = ["PatientID", "StudyInstanceUID"]
    try:
        header = dcmread(file, stop_before_pixels=True, force=True, specific_tags=tags)
        return tuple(str(header.get(tag) or "").strip() for tag in tags)
    except Exception:  # a damaged header: whoever reads the image says so
        return "", ""


def _doubts(nobody: Iterable[str]) -> list[str]:
    words = sorted(word for word in nobody if word and is_nobody(word))
    if words:
        why = f"The PatientID {words[0]} is an anonymiser's and tells nobody apart"
    elif any(nobody):  # it may be somebody's, so it is not written down
        why = "All DICOM images have one PatientID, which tells nobody apart"
    elif nobody:
        why = "Some DICOM images have no PatientID"
    else:
        return []
    return [f"{why}: each folder counts as one person; if that is wrong, add a subject column."]


def _by_folder(
    images: Mapping[str, Path], study_of: Mapping[str, str], root: Path | None
) -> dict[str, str]:
    """Persons by the folders that hold images: of a study's series, by the one around them all.

    A study's UID that all have alike tells as little as such a PatientID.
    """
    told = len(set(study_of.values())) > 1
    together: dict[str, list[str]] = {}
    for image, path in images.items():
        folder = str(path if path.is_dir() else path.parent)
        together.setdefault((told and study_of[image]) or folder, []).append(image)
    found = {}
    for alike in together.values():
        folders = [images[i] if images[i].is_dir() else images[i].parent for i in alike]
        inner = _inner(Path(os.path.commonpath(folders)), root)
        if inner == ".":
            inner = _inner(folders[0], root)
        person = named_person(inner) or (inner if inner != "." else alike[0])
        found |= dict.fromkeys(alike, person)
    return found


def _constants(headers: Mapping[str, tuple[str, str]]) -> set[str]:
    """PatientIDs that tell nobody: an anonymiser's words, and one that several studies share where
    there is no other."""
    ids = {patient_id for patient_id, _ in headers.values()}
    nobody = {patient_id for patient_id in ids if is_nobody(patient_id)}
    studies = {study for _, study in headers.values() if study}
    return ids if len(ids) == 1 and len(studies) > 1 else nobody
