"""NIfTI-1 and NIfTI-2, single files and .hdr/.img pairs, compressed or not.

nibabel reads the header; the voxels are read here, after the header's promises were checked
against the file's size, because nibabel repairs bad spacings silently and allocates what a
header asks for.
"""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np

from .stored import (
    DEFLATE_LIMIT,
    StoredImage,
    as_array,
    byte_count,
    image_shape,
    read_exactly,
    real_dtype,
    refusal,
    rescaled,
)

_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}


def read(path: Path) -> StoredImage:
    """Read a NIfTI file; see `volumes.read` for what is refused."""
    with _open(path) as stream:
        header = _header(path, stream)
        shape = image_shape(path, _stored_shape(path, header))
        dtype = real_dtype(path, _stored_dtype(path, header))
        spacing = _spacing(path, header, shape)
        if header["magic"].item().startswith(b"n+"):
            # Some writers leave the offset at 0; the voxels then follow the header and its flag.
            start = max(_offset(path, header), header.sizeof_hdr + 4)
            voxels = _voxels(path, stream, start, shape, dtype)
        else:
            pair = _data_file(path)
            with _open(pair) as data:
                voxels = _voxels(pair, data, _offset(path, header), shape, dtype)
    slope, intercept = header.get_slope_inter()
    voxels = rescaled(voxels, 1.0 if slope is None else slope, intercept or 0.0)
    timed = len(shape) == 4 and header.get_xyzt_units()[1] in ("sec", "msec", "usec")
    return StoredImage(voxels, spacing, frame_axis=3 if timed else None)


def _open(path: Path):
    """Open by content, not by suffix: renamed files are common."""
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _header(path: Path, stream):
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    block = stream.read(540)
    if not block:
        raise refusal(path, "is empty; copy or export it again.")
    for kind, magics in (
        (Nifti1Header, (b"n+1", b"ni1")),
        (Nifti2Header, (b"n+2", b"ni2")),
    ):
        size = kind.sizeof_hdr
        if len(block) >= size and int.from_bytes(block[:4], "little") == size:
            order = "<"
        elif len(block) >= size and int.from_bytes(block[:4], "big") == size:
            order = ">"
        else:
            continue
        header = kind(block[:size], endianness=order, check=False)
        if header["magic"].item()[:3] in magics:
            return header
    raise refusal(
        path, "is not a NIfTI file, whatever its name says; export it again or choose another."
    )


def _stored_shape(path: Path, header) -> tuple[int, ...]:
    axes = int(header["dim"][0])
    if not 1 <= axes <= 7:
        raise refusal(path, f"claims {axes} axes in its header, which is damaged; export it again.")
    return tuple(int(size) for size in header["dim"][1 : axes + 1])


def _stored_dtype(path: Path, header) -> np.dtype:
    try:
        return header.get_data_dtype()
    except Exception:
        code = int(header["datatype"])
        raise refusal(
            path, f"holds voxels of an unknown type (code {code}); save it as 16-bit integers."
        ) from None


def _spacing(path: Path, header, shape: tuple[int, ...]) -> tuple[float, ...]:
    """mm along each axis, from pixdim; from the affine where pixdim was never filled in.

    pixdim first, as ITK and so Slicer do: stripped affines with the right pixdim are common.
    """
    pixdim = [float(size) for size in header["pixdim"][1:5]]
    sizes = (*shape, 1, 1)[:3]
    if int(header["sform_code"]) > 0:
        steps = np.stack([header["srow_x"], header["srow_y"], header["srow_z"]])[:, :3]
        steps = steps.astype(np.float64)
        _check_affine(path, steps[:, [size > 1 for size in sizes]])
        lengths = np.linalg.norm(steps, axis=0)
        if pixdim[:3] == [1.0, 1.0, 1.0] and all(lengths > 0):
            pixdim[:3] = lengths.tolist()
    elif int(header["qform_code"]) > 0:
        quaternion = [float(header[f"quatern_{letter}"]) for letter in "bcd"]
        if not all(map(math.isfinite, quaternion)):
            raise _bad_affine(path)
    unit = _MILLIMETRES.get(_space_unit(header), 1.0)
    return tuple(size * unit for size in pixdim[:3]) + tuple(pixdim[3:])


def _space_unit(header) -> str:
    try:
        return header.get_xyzt_units()[0]
    except Exception:  # an undefined code says as little as none
        return "unknown"


def _check_affine(path: Path, steps: np.ndarray) -> None:
    """Refuse directions (3, n) that do not span n dimensions."""
    lengths = np.linalg.norm(steps, axis=0)
    if not np.isfinite(steps).all() or not (lengths > 0).all():
        raise _bad_affine(path)
    if steps.size and np.linalg.svd(steps / lengths, compute_uv=False)[-1] < 1e-3:
        raise _bad_affine(path)


def _bad_affine(path: Path):
    return refusal(
        path, "has a singular affine, so its axes' directions are lost; export it again."
    )


def _offset(path: Path, header) -> int:
    offset = float(header["vox_offset"])
    if not math.isfinite(offset) or not 0 <= offset < 2**62:
        raise refusal(
            path, f"gives an impossible offset of its voxels ({offset}); export it again."
        )
    return int(offset)


def _data_file(path: Path) -> Path:
    """The .img (or .img.gz) of a .hdr."""
    stem = path.name.removesuffix(".gz").removesuffix(".hdr")
    for suffix in (".img", ".img.gz"):
        if (data := path.with_name(stem + suffix)).exists():
            return data
    raise refusal(path, f"needs {stem}.img beside it, which is missing; copy both files.")


def _voxels(path: Path, stream, start: int, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    stored = path.stat().st_size
    limit = stored * DEFLATE_LIMIT if isinstance(stream, gzip.GzipFile) else stored
    count = byte_count(path, shape, dtype, limit - start)
    stream.seek(start)
    return as_array(read_exactly(path, stream, count), shape, dtype)
