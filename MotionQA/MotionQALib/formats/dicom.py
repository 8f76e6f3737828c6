"""A DICOM series: single images, cine, classic and enhanced multi-frame; by pydicom.

The file axes of a series are those that ITK gives it: columns, rows, slices, frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .dicom_stack import Picture, gap_of, pictures_of, stack_of
from .kinds import is_dicom
from .refusals import cut_short, display_name, refusal
from .stored import StoredImage, rescaled
from .streams import DEFLATE_LIMIT

_UNIDENTIFIED = "none"


def read(path: Path) -> StoredImage:
    """Read the one series of a folder, or the series that a file belongs to."""
    folder = path if path.is_dir() else path.parent
    if path.is_dir():
        series = by_series(sorted(folder.iterdir()))
        if not series:
            raise refusal(path, "holds no DICOM images; give another folder, or a file in it.")
        if len(series) > 1:
            raise refusal(
                path,
                f"holds {len(series)} DICOM series; give one image of the series that you mean, "
                "or move each series to a folder of its own.",
            )
    else:
        wanted = _image_header(path)
        if wanted is None:
            raise refusal(path, "is not a DICOM image; choose another file.")
        series = by_series(sorted(folder.iterdir()))
        uid = _series_uid(wanted)
        series = {uid: series[uid]} if len(series) > 1 else series
    ((uid, headers),) = series.items()
    name = None if path.is_dir() else _series_name(folder, headers)
    _check_room(headers)
    stack = stack_of(path, pictures_of(path, headers))
    voxels = _voxels(path, headers, stack)
    frames = len(stack[0])
    first = stack[0][0]
    spacing = (first.pixel[1], first.pixel[0], gap_of(stack), math.nan)
    voxels = voxels.T if frames > 1 else voxels[0].T
    return StoredImage(
        voxels,
        spacing,
        slice_axis=2,
        frame_axis=3 if frames > 1 else None,
        series_uid=None if uid == _UNIDENTIFIED else uid,
        name=name or display_name(folder.resolve()),
    )


def series_paths(folder: Path, files: list[Path]) -> list[Path]:
    """What stands for each series among a folder's files: the folder, or one image of each."""
    series = by_series(files)
    if len(series) == 1:
        return [folder]
    return sorted(min(headers) for headers in series.values())


def by_series(files: Iterable[Path]) -> dict[str, dict]:
    """Headers of images, {series UID: {path: header}}; files that hold no image are left out."""
    series: dict[str, dict] = {}
    seen = set()
    for file in files:
        header = _image_header(file)
        if header is None:
            continue
        instance = str(header.get("SOPInstanceUID", file))
        if instance not in seen:  # the same image, exported twice
            seen.add(instance)
            series.setdefault(_series_uid(header), {})[file] = header
    return series


def _image_header(file: Path):
    """Header of a DICOM image; None for what is none. A damaged image must not go unnoticed."""
    from pydicom import dcmread

    if not is_dicom(file):
        return None
    try:
        header = dcmread(file, stop_before_pixels=True, force=True)
    except OSError:
        raise
    except Exception as error:
        raise refusal(file, "is a damaged DICOM file; copy or export it again.") from error
    return header if header.get("Rows") and header.get("Columns") else None


def _series_uid(header) -> str:
    return str(header.get("SeriesInstanceUID") or _UNIDENTIFIED)


def _series_name(folder: Path, headers: dict) -> str | None:
    """The folder and the series' number, where the folder holds others too."""
    others = [file for file in folder.iterdir() if file not in headers and is_dicom(file)]
    number = next(iter(headers.values())).get("SeriesNumber")
    if not others or number is None:
        return None
    return f"{display_name(folder.resolve())}-{number}"


def _voxels(path: Path, headers: dict, stack: list[list[Picture]]) -> np.ndarray:
    """Decode every file once, into (frames, slices, rows, columns)."""
    sizes = {(int(h.Rows), int(h.Columns)) for h in headers.values()}
    if len(sizes) > 1:
        raise refusal(path, "holds images of several sizes; export one series at a time.")
    shape = (len(stack[0]), len(stack), *sizes.pop())
    goal: dict[Path, list] = {}
    for s, frames in enumerate(stack):
        for f, picture in enumerate(frames):
            goal.setdefault(picture.path, []).append((f, s, picture))
    plain = all(p.slope == 1 and p.intercept == 0 for frames in stack for p in frames)
    voxels = None
    for file, pictures in goal.items():
        pixels = _decode(file)
        pixels = pixels.reshape(-1, *shape[2:])
        if voxels is None:
            keep = plain and pixels.dtype.kind in "iu"
            voxels = np.zeros(shape, dtype=pixels.dtype if keep else np.float32)
        elif voxels.dtype != np.float32 and pixels.dtype != voxels.dtype:
            voxels = voxels.astype(np.result_type(voxels, pixels))
        for f, s, picture in pictures:
            voxels[f, s] = rescaled(pixels[picture.index], picture.slope, picture.intercept)
    return voxels


def _check_room(headers: dict) -> None:
    """Compare what the headers promise with the files' sizes, before that much is allocated."""
    for file, header in headers.items():
        frames = int(header.get("NumberOfFrames") or 1)
        bits = int(header.get("BitsAllocated") or 8)
        wanted = int(header.Rows) * int(header.Columns) * frames * bits // 8
        syntax = getattr(getattr(header, "file_meta", None), "TransferSyntaxUID", None)
        packed = syntax is not None and (syntax.is_compressed or syntax.is_deflated)
        available = file.stat().st_size * (DEFLATE_LIMIT if packed else 1)
        if wanted > available:
            raise cut_short(file, wanted, available)


def _decode(file: Path) -> np.ndarray:
    from pydicom import dcmread
    from pydicom.pixels import get_decoder
    from pydicom.uid import ImplicitVRLittleEndian

    data = dcmread(file, force=True)
    if not any(key in data for key in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise refusal(file, "holds no pixels; export the series again.")
    if "TransferSyntaxUID" not in data.file_meta:
        data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    syntax = data.file_meta.TransferSyntaxUID
    if syntax.is_compressed:
        try:
            available = get_decoder(syntax).is_available
        except NotImplementedError:
            raise refusal(
                file, f"is compressed as {syntax.name}, a film; export it uncompressed."
            ) from None
        if not available:
            package = "pylibjpeg-openjpeg" if "2000" in syntax.name else "python-gdcm"
            raise refusal(
                file,
                f"is compressed as {syntax.name}, which needs the Python package {package}; "
                f"install it (pip install {package}) or export the series uncompressed.",
            )
    return data.pixel_array
