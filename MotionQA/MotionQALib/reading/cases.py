"""A study's cases: image files, known by what is in them rather than by where they lie.

    for path in listed(folder_or_csv):          # a folder, a file or a CSV list
        case = read_case(path, salt=study.salt)

`case_list.CaseList` keeps them; this module only looks at files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from .. import tables, volumes
from ..file_stamps import files_of
from ..formats.file_kinds import is_dicom
from ..image_names import ImageNames, Matches
from ..subjects import is_nobody, pseudonym, subject_of
from ..tables import TableError
from ..volumes import IMAGE_SUFFIXES, MaskError, Volume, VolumeError
from .reading_errors import MaskFound, ReadingError


@dataclass(frozen=True)
class Case:
    """One image.

    Parameters
    ----------
    key : of its content: the DICOM series' UID or the voxels' hash
    name : the file's, without suffix
    path : as the study keeps it (`Study.relative`); None for a volume that has no file
    subject : whose image it is; a hash where it is a DICOM patient's identifier
    batch : which addition to the study it came with, from 0
    stamp : size and time of its files, by which a file read before is known again
    content : hash of a DICOM series' voxels, which an edited copy does not share though it has the
        series' UID; None where the key is one already
    remarks : sentences on what was assumed, left out or doubted when it was read
    """

    key: str
    name: str
    path: str | None
    subject: str
    n_frames: int
    n_slices: int
    batch: int = 0
    stamp: tuple[int, int, int] | None = None
    content: str | None = None
    remarks: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Case:
        """Rebuild from a line; a missing or strange value is a ValueError."""
        try:
            known = {"content": None, "remarks": (), **record}  # unknown to older lists
            case = cls(**{field.name: known[field.name] for field in fields(cls)})
            stamp = None if case.stamp is None else tuple(map(int, case.stamp))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError("it is no case") from error
        optional = ("" if text is None else text for text in (case.path, case.content))
        if not isinstance(case.remarks, list | tuple):
            raise ValueError("it is no case")
        texts = (case.key, case.name, case.subject, *optional, *case.remarks)
        numbers = (case.n_frames, case.n_slices, case.batch)
        good = all(isinstance(text, str) for text in texts) and case.key
        if not good or not all(isinstance(n, int) and n in _COUNTS for n in numbers):
            raise ValueError("it is no case")
        return replace(case, stamp=stamp, remarks=tuple(case.remarks))


_COUNTS = range(1_000_000)
"""What frames, slices and additions can be counted by: more would be a mistake."""


class Listed(NamedTuple):
    """A file to be read, and the subject where the list names one."""

    path: Path
    subject: str | None = None
    mask: bool = False
    """It is a segmentation by its name, to be counted and not read."""


def listed(source: str | Path | Iterable[str | Path]) -> list[Listed]:
    """Expand a folder, image files or a CSV list to image files.

    A CSV list has a column ``image`` (or ``path``), of files relative to the list, with or without
    suffix, in any folder below it where the name tells which; and perhaps a column ``subject``.

    Raises ReadingError for what is not there.
    """
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".csv":
        return _from_csv(Path(source))
    try:
        images, masks = volumes.find_all(source)
        return [*map(Listed, images), *(Listed(path, mask=True) for path in masks)]
    except VolumeError as error:
        text = "No image was found there; choose another folder or list."
        raise ReadingError(str(error), blinded=text) from error


def case_of(volume: Volume, *, path: str | None = None, subject: str | None = None) -> Case:
    """The case that a volume in memory is, such as one in Slicer's scene."""
    return Case(
        key=volume.identity,
        name=volume.name,
        path=path,
        subject=subject or subject_of(volume.name),
        n_frames=volume.n_frames,
        n_slices=volume.n_slices,
        remarks=volume.remarks,
    )


def read_case(path: Path, *, salt: str, subject: str | None = None) -> Case:
    """Read a file to know what is in it; its path is not kept here.

    Raises ReadingError for what cannot be read as an image.
    """
    try:
        volume = volumes.read(path)
    except MaskError as error:
        raise MaskFound(str(error)) from error
    except VolumeError as error:
        raise ReadingError(str(error)) from error
    if subject is None and volume.series_uid is not None:
        subject = _patient(path, salt)
    case = case_of(volume, subject=subject)
    if volume.series_uid is None:
        return case
    return replace(case, content=replace(volume, series_uid=None).identity)


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Number, size in bytes, and a digest of sizes and times, of the files that hold an image."""
    states = [(file.name, file.stat()) for file in files_of(path)]
    text = repr([(name, state.st_size, state.st_mtime_ns) for name, state in states])
    digest = hashlib.blake2b(text.encode(errors="replace"), digest_size=6).digest()
    return len(states), sum(state.st_size for _, state in states), int.from_bytes(digest, "big")


def _patient(path: Path, salt: str) -> str | None:
    """The patient's identifier, hashed: one subject's images are told to belong together, and
    nobody is told whose they are."""
    from pydicom import dcmread

    files = sorted(path.iterdir()) if path.is_dir() else [path]
    file = next((file for file in files if is_dicom(file)), None)
    if file is None:
        return None
    header = dcmread(file, stop_before_pixels=True, force=True, specific_tags=["PatientID"])
    identifier = str(header.get("PatientID") or "").strip()
    return None if is_nobody(identifier) else pseudonym(identifier, salt)


def _from_csv(path: Path) -> list[Listed]:
    rows = read_table(path)
    column = next((name for name in ("image", "path", "file") if rows and name in rows[0][1]), None)
    if column is None:
        text = "{} lists no images; it needs a column named image."
        raise ReadingError(text.format(path), blinded=text.format("The list"))
    below: Matches[Path] | None = None
    found = []
    for number, row in rows:
        name = row[column]
        if not name:
            text = f"line {number}: the image's name is missing."
            raise ReadingError(f"{path}, {text}", blinded=f"The list, {text}")
        file = _beside(path.parent, name.replace("\\", "/"))  # as Windows writes it
        if file is None:
            below = below or _by_name(path.parent, (row[column] for _, row in rows))
            fitting = below.fitting(name)
            if len(fitting) != 1:
                many = f"{len(fitting)} images are" if fitting else "no image is"
                raise ReadingError(
                    f"{path}, line {number}: {many} named {name} below {path.parent}; give its "
                    "path from there.",
                    blinded=f"The list, line {number}: {many} named so below its folder.",
                )
            file = fitting[0]
        found.append(Listed(file, row.get("subject") or None))
    return found


def _beside(folder: Path, name: str) -> Path | None:
    """A file given by its path, with or without its suffix."""
    candidates = (folder / f"{name}{suffix}" for suffix in ("", *IMAGE_SUFFIXES))
    return next((file for file in candidates if file.exists()), None)


def _by_name(folder: Path, names: Iterable[str]) -> Matches[Path]:
    """The files below a folder that names mean, by the trainer's rule."""
    try:
        files = volumes.find(folder)
    except VolumeError as error:
        raise ReadingError(str(error)) from error
    known: ImageNames[Path] = ImageNames(folder)
    for file in files:
        known.add(file, file)
    return known.match(names)


def read_table(path: str | Path) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with their line numbers, by column names in lower case, stripped.

    Any dialect of spreadsheets is read (`tables.read_table`). Raises ReadingError if the file is no
    such table, or is empty.
    """
    path = Path(path)
    try:
        table = tables.read_table(path)
    except TableError as error:
        raise _faulty(path, str(error).removeprefix(str(path))) from error
    names, rows = table.columns, []
    for number, cells in table.rows:
        if len(cells) < len(names):
            raise _faulty(
                path,
                f", line {number}: {len(cells)} values for {len(names)} columns; fill in the line.",
            )
        rows.append((number, dict(zip(names, cells, strict=False))))
    if not rows:
        raise _faulty(path, " has no rows below its column names.")
    return rows


def _faulty(path: Path, fault: str) -> ReadingError:
    return ReadingError(f"{path}{fault}", blinded=f"The table{fault}")
