"""DICOM: single images, cine, classic and enhanced multi-frame, mosaics, ragged series; by pydicom.

The file axes of a volume are those that ITK gives a series: columns, rows, slices, frames.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from . import dicom_mosaic
from .dicom_header import header_of
from .dicom_origin import Instance, Origin
from .dicom_pixels import check_room, pixels_of
from .dicom_series import Sorted, sort_files
from .dicom_stack import Layout, layout_of
from .file_kinds import FORMATS, suffix_of
from .folder_walk import files_under
from .image_stack import Stack
from .stored import StoredImage, rescaled, singular
from .volume_error import display_name, refusal

_scopes: dict[Path, tuple[Path, ...]] = {}
"""Where the files that stand for a stack were searched from: reading must find what they stand
for."""

OTHERS_NAMED = 4


def read(path: Path) -> StoredImage:
    """Read the one volume of a folder, or the one that a file belongs to."""
    if path.is_dir():
        found = sort_files(candidates(path))
        stack = _only_stack(path, found)
    else:
        if header_of(path) is None:
            raise refusal(path, "is not a DICOM image; choose another file.")
        found = sort_files(_scope_of(path))
        stack = found.stack_with(path)
        if stack is None:
            kinds = [kind for kind, files in found.left_out.items() if path in files]
            raise _no_anatomy(path, kinds)
    name = _name(path, stack, found)
    return read_stack(path, stack, _beside(stack, found), name)


def read_files(files: Sequence[Path]) -> StoredImage:
    """Read the one volume of some files, as a DICOM database hands them over."""
    found = sort_files(files)
    stack = _only_stack(files[0], found)
    name = stack.first.file.text("SeriesDescription") or files[0].parent.name
    return read_stack(files[0], stack, _beside(stack, found), display_name(Path(name)))


def read_stack(
    path: Path, stack: Stack, remarks: Sequence[str] = (), name: str | None = None
) -> StoredImage:
    """Decode a stack; ``path`` is what it is called by in sentences."""
    first = stack.first
    for stored in {id(p.file): p.file for p in stack.pictures}.values():
        check_room(stored)
    if first.directions is not None:
        _check_directions(path, first.directions)
    layout = layout_of(stack.pictures)
    voxels, scaled = _voxels(path, layout)
    gap = layout.gap
    if first.mosaic:
        voxels, gap, said = dicom_mosaic.unpacked(path, first, voxels)
        layout.remarks.append(said)
    missing = np.array([[p is None for p in frames] for frames in layout.grid]).T
    if first.mosaic:
        missing = np.repeat(missing, voxels.shape[1], axis=1)
    spacing = (first.pixel[1], first.pixel[0], gap, math.nan)
    frames = voxels.shape[0]
    return StoredImage(
        voxels.T if frames > 1 else voxels[0].T,
        spacing,
        slice_axis=2,
        frame_axis=3 if frames > 1 else None,
        series_uid=stack.series_uid,
        name=name or display_name(path.resolve()),
        remarks=(*remarks, *_modality(stack), *stack.remarks, *layout.remarks, *scaled),
        missing=missing if missing.any() else None,
        origin=_origin(stack, layout, voxels.shape[1]),
    )


def candidates(folder: Path) -> list[Path]:
    """Files below a folder that may be DICOM: all but those of other formats."""
    return [
        file
        for file in files_under(folder)
        if FORMATS.get(suffix_of(file), "dicom") == "dicom" and not file.name.startswith(".")
    ]


def files_in(folder: Path) -> list[Path]:
    """The same of the folder alone."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    files = (folder / name for name in names)
    return [file for file in files if FORMATS.get(suffix_of(file), "dicom") == "dicom"]


def stacks_under(root: Path, files: Iterable[Path]) -> list[Path]:
    """What stands for each stack among the files below a folder.

    A folder where all DICOM images below it are one stack's, else the first of its files. A damaged
    file, or a folder without anything to grade, stands for itself: reading it says why.
    """
    files = list(files)
    found = sort_files(files)
    in_folder: dict[Path, set[int]] = {}
    for number, stack in enumerate(found.stacks):
        for file in stack.files:
            for folder in _up_to(file.parent, root):
                in_folder.setdefault(folder, set()).add(number)
    paths: dict[Path, None] = dict.fromkeys(found.damaged)
    for stack in found.stacks:
        common = Path(os.path.commonpath([file.parent for file in stack.files]))
        below = in_folder.get(common, set())
        if len(below) == 1:
            paths[common] = None
            continue
        chosen = min(p.path for p in stack.pictures)
        _scopes[chosen.resolve()] = tuple(files)
        paths[chosen] = None
    if not paths:
        paths |= dict.fromkeys({min(held).parent for held in found.left_out.values()})
    return sorted(paths)


def _up_to(folder: Path, root: Path) -> list[Path]:
    chain = [folder]
    while chain[-1] != root and root in chain[-1].parents:
        chain.append(chain[-1].parent)
    return chain


def _scope_of(file: Path) -> Sequence[Path]:
    """The files among which those of its volume are: where it was found, else its surroundings."""
    known = _scopes.get(file.resolve())
    if known is not None:
        return known
    folder = file.parent
    here = files_in(folder)
    study = header_of(file).text("StudyInstanceUID")
    if study and any(_holds(beside, study) for beside in _neighbours(folder)):
        return candidates(folder.parent)
    return here


def _neighbours(folder: Path) -> list[Path]:
    """The folders next to one: where they hold the same study, its parent is the study's."""
    try:
        beside = sorted(entry for entry in folder.resolve().parent.iterdir() if entry.is_dir())
    except OSError:
        return []
    at = beside.index(folder.resolve()) if folder.resolve() in beside else 0
    return [beside[i] for i in (at - 1, at + 1) if 0 <= i < len(beside)]


def _holds(folder: Path, study: str) -> bool:
    """Whether the first image of a folder is of the study."""
    try:
        for file in sorted(folder.iterdir())[:3]:
            stored = header_of(file) if file.is_file() else None
            if stored is not None:
                return stored.text("StudyInstanceUID") == study
    except (OSError, ValueError):
        pass
    return False


def _only_stack(path: Path, found: Sorted) -> Stack:
    if len(found.stacks) == 1:
        return found.stacks[0]
    _refuse_damaged(found)
    if not found.stacks:
        raise _no_anatomy(path, list(found.left_out))
    series = {uid for stack in found.stacks for uid in stack.series}
    if len(series) > 1:
        raise refusal(
            path,
            f"holds {len(series)} DICOM series; give one image of the series that you mean, "
            "or move each series to a folder of its own.",
        )
    raise refusal(
        path,
        f"holds a series of {_differences(found.stacks)}, which make no stack; give one image of "
        "those that you mean, or export each as a series of its own.",
    )


def _differences(stacks: list[Stack]) -> str:
    sizes = len({stack.first.size for stack in stacks})
    return "several sizes" if sizes > 1 else "slices of several orientations"


def _no_anatomy(path: Path, kinds: list[str]):
    if not kinds:
        return refusal(path, "holds no DICOM images; give another folder, or a file in it.")
    said = " and ".join(kinds)
    if kinds == ["localisers"]:
        said += " (planes of several orientations)"
    return refusal(
        path, f"holds only {said}, and no slice to grade; choose the cine's magnitude images."
    )


def _refuse_damaged(found: Sorted) -> None:
    for error in found.damaged.values():
        raise error


def _beside(stack: Stack, found: Sorted) -> list[str]:
    """What of its surroundings was left out."""
    study = stack.first.file.text("StudyInstanceUID")
    said = []
    for kind, files in found.left_out.items():
        near = [file for file in files if header_of(file).text("StudyInstanceUID") == study]
        if near:
            images = "image" if len(near) == 1 else "images"
            said.append(f"{len(near)} {images} of its study beside it: {kind}")
    remarks = [f"Left out: {'; '.join(said)}."] if said else []
    folders = {file.parent for file in stack.files}
    damaged = sorted(file.name for file in found.damaged if file.parent in folders)
    if damaged:
        named = ", ".join(damaged[:OTHERS_NAMED])
        more = f" and {len(damaged) - OTHERS_NAMED} more" if len(damaged) > OTHERS_NAMED else ""
        remarks.append(
            f"Damaged and left out: {named}{more}. An image is missing; copy or export it again."
        )
    return remarks


def _modality(stack: Stack) -> list[str]:
    modality = stack.first.file.text("Modality").upper()
    if modality in ("", "MR", "OT"):
        return []
    return [f"Its modality is {modality}: the networks know magnetic resonance only."]


def _name(path: Path, stack: Stack, found: Sorted) -> str:
    """The folder's name; with the series' number where it holds others too."""
    if path.is_dir():
        return display_name(path.resolve())
    common = Path(os.path.commonpath([file.parent for file in stack.files]))
    name = display_name(common.resolve())
    number = stack.first.file.number("SeriesNumber")
    alone = len(found.stacks) == 1 and not found.left_out
    if alone and all(_is_dicom_only(stack, folder) for folder in {common}):
        return name
    if math.isnan(number):
        return f"{name}-{found.stacks.index(stack) + 1}" if len(found.stacks) > 1 else name
    same = [s for s in found.stacks if s.first.file.number("SeriesNumber") == number]
    part = "" if len(same) == 1 else "abcdefghijklmnopqrstuvwxyz"[same.index(stack) % 26]
    return f"{name}-{number:g}{part}"


def _is_dicom_only(stack: Stack, folder: Path) -> bool:
    return all(file in stack.files for file in candidates(folder) if header_of(file) is not None)


def _check_directions(path: Path, directions: np.ndarray) -> None:
    normal = np.cross(directions[:3], directions[3:])
    if not np.isfinite(normal).all() or np.linalg.norm(normal) < 1e-3:
        raise singular(path)


def _voxels(path: Path, layout: Layout) -> tuple[np.ndarray, list[str]]:
    """Decode every file once, into (frames, slices, rows, columns)."""
    pictures = layout.pictures
    shape = (layout.n_frames, len(layout.grid), *pictures[0].size)
    goal: dict[int, list] = {}
    for s, frames in enumerate(layout.grid):
        for f, picture in enumerate(frames):
            if picture is not None:
                goal.setdefault(id(picture.file), []).append((f, s, picture))
    plain = all(p.slope == 1 and p.intercept == 0 for p in pictures)
    voxels = None
    for held in goal.values():
        pixels = pixels_of(held[0][2].file)
        if voxels is None:
            keep = plain and pixels.dtype.kind in "iu"
            voxels = np.zeros(shape, dtype=pixels.dtype if keep else np.float32)
        elif voxels.dtype != np.float32 and pixels.dtype != voxels.dtype:
            voxels = voxels.astype(np.result_type(voxels, pixels))
        for f, s, picture in held:
            if picture.index >= len(pixels):
                raise refusal(picture.path, "holds fewer images than it promises; copy it again.")
            voxels[f, s] = rescaled(pixels[picture.index], picture.slope, picture.intercept)
    scales = {(p.slope, p.intercept) for p in pictures}
    remarks = []
    if len(scales) > 1:
        remarks.append(f"Its images have {len(scales)} different scalings, which were applied.")
    return voxels, remarks


def _origin(stack: Stack, layout: Layout, slices: int) -> Origin:
    grid = np.empty((layout.n_frames, len(layout.grid)), dtype=object)
    times = np.full(grid.shape, math.nan)
    for s, frames in enumerate(layout.grid):
        for f, picture in enumerate(frames):
            if picture is not None:
                uid = picture.file.text("SeriesInstanceUID")
                grid[f, s] = Instance(
                    picture.path, picture.index, picture.n_frames, *picture.sop, uid
                )
                times[f, s] = picture.times["trigger"]
    first, file = stack.first, stack.first.file
    places = [next(p.place for p in frames if p is not None) for frames in layout.grid]
    placed = all(place is not None for place in places) and slices == len(places)
    if slices != len(layout.grid):  # tiles of one mosaic
        grid, times = (np.repeat(held, slices, axis=1) for held in (grid, times))
    return Origin(
        instances=grid,
        times=times,
        positions=np.stack(places) if placed else None,
        directions=None if first.directions is None else first.directions.reshape(2, 3),
        study_uid=file.text("StudyInstanceUID"),
        frame_of_reference_uid=file.text("FrameOfReferenceUID"),
        patient_id=file.text("PatientID"),
    )
