"""NIfTI-1 and NIfTI-2, single files and .hdr/.img pairs, compressed or not.

nibabel reads the header; the voxels are read here, after the header's promises were checked
against the file's size, because nibabel repairs bad spacings silently and allocates what a
header asks for.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from .stored import (
    StoredImage,
    check_directions,
    colour,
    image_shape,
    real_dtype,
    rescaled,
    singular,
    unknown_type,
    without_inner_singletons,
)
from .streams import open_inflated, read_array
from .volume_error import refusal

_NO_SCALARS = (1004, 1005, 1006, 1007, 1008, 2003, 2004)
"""Codes of the intents matrix, displacement, vector, point set, RGB and RGBA."""

_MILLIMETRES = {"meter": 1000.0, "mm": 1.0, "micron": 0.001}


def read(path: Path) -> StoredImage:
    """Read a NIfTI file, or one of its forerunner Analyze 7.5."""
    remarks: list[str] = []
    with open_inflated(path) as stream:
        header, consumed = _header(path, stream)
        if int(header["intent_code"]) in _NO_SCALARS:
            raise colour(path)
        stored = _stored_shape(path, header)
        shape = image_shape(path, without_inner_singletons(stored))
        dtype = real_dtype(path, _stored_dtype(path, header))
        spacing = _spacing(path, header, shape, remarks)
        offset = _offset(path, header)
        if header["magic"].item().startswith(b"n+"):
            # Some writers leave the offset at 0; the voxels then follow the header and its flag.
            start = max(offset, header.sizeof_hdr + 4)
            voxels = read_array(path, stream, start - consumed, shape, dtype)
        else:
            pair = _data_file(path)
            with open_inflated(pair) as data:
                voxels = read_array(pair, data, offset, shape, dtype)
    slope, intercept = _scaling(header)
    timed = len(shape) == 4 and _units(header)[1] in ("sec", "msec", "usec")
    if _is_analyze(header):
        remarks.append("It is an Analyze 7.5 file: which side is left is not certain.")
    if len(shape) == 4 and len(stored) > 4 and stored[3] == 1:
        remarks.append(f"One of its {len(stored)} axes has length 1: the last is its frames.")
        timed = True
    elif len(shape) == 4 and shape[3] in (3, 4) and dtype.itemsize == 1 and not timed:
        remarks.append(
            f"Its fourth axis has {shape[3]} entries of 8 bits, which may be colours: they are "
            "taken for the frames of a cine."
        )
    return StoredImage(
        rescaled(voxels, slope, intercept),
        spacing,
        frame_axis=3 if timed else None,
        remarks=tuple(remarks),
    )


def _header(path: Path, stream):
    """Return nibabel's header, unrepaired, and the bytes read from the stream."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    block = stream.read(4)
    if not block:
        raise refusal(path, "is empty; copy or export it again.")
    for kind, magics in ((Nifti1Header, (b"n+1", b"ni1")), (Nifti2Header, (b"n+2", b"ni2"))):
        for order, endianness in (("little", "<"), ("big", ">")):
            if len(block) < 4 or int.from_bytes(block, order) != kind.sizeof_hdr:
                continue
            while len(block) < kind.sizeof_hdr and (
                more := stream.read(kind.sizeof_hdr - len(block))
            ):
                block += more
            if len(block) < kind.sizeof_hdr:
                raise EOFError("the header ends early")
            header = kind(block, endianness=endianness, check=False)
            if header["magic"].item()[:3] in magics or _is_old(path, header):
                return header, len(block)
    raise refusal(
        path, "is not a NIfTI file, whatever its name says; export it again or choose another."
    )


def _is_analyze(header) -> bool:
    return header["magic"].item()[:3] not in (b"n+1", b"ni1", b"n+2", b"ni2")


def _is_old(path: Path, header) -> bool:
    """Analyze 7.5 has NIfTI's fields in the same places, no magic word, and its voxels beside."""
    if header.sizeof_hdr != 348 or not path.name.lower().endswith(".hdr"):
        return False
    try:
        header.get_data_dtype()
    except Exception:  # an unknown code
        return False
    return 1 <= int(header["dim"][0]) <= 7 and header["magic"].item()[:1] in (b"", b"\0")


def _stored_shape(path: Path, header) -> tuple[int, ...]:
    axes = int(header["dim"][0])
    if not 1 <= axes <= 7:
        raise refusal(path, f"claims {axes} axes in its header, which is damaged; export it again.")
    return tuple(int(size) for size in header["dim"][1 : axes + 1])


def _stored_dtype(path: Path, header) -> np.dtype:
    try:
        return header.get_data_dtype()
    except Exception:  # nibabel's error for an unknown code is a KeyError in some versions
        raise unknown_type(path, f"code {int(header['datatype'])}") from None


def _scaling(header) -> tuple[float, float]:
    """Slope and intercept; a slope of zero or NaN means, by the standard, no scaling."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not math.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _spacing(path: Path, header, shape: tuple[int, ...], remarks: list[str]) -> tuple[float, ...]:
    """mm along each axis, from pixdim; from the affine where pixdim was never filled in.

    pixdim first, as ITK and so Slicer do: stripped affines with the right pixdim are common.
    """
    # A sign is a direction, as Analyze and FSL wrote it.
    pixdim = [abs(float(size)) for size in header["pixdim"][1:5]]
    if _is_analyze(header):
        pass  # what NIfTI keeps its affines in was free to use
    elif int(header["sform_code"]) > 0:
        steps = np.stack([header["srow_x"], header["srow_y"], header["srow_z"]])[:, :3]
        steps = steps.astype(np.float64)
        check_directions(path, steps[:, [size > 1 for size in (*shape, 1)[:3]]])
        lengths = np.linalg.norm(steps, axis=0)
        if pixdim[:3] == [1.0, 1.0, 1.0] and all(lengths > 0):
            pixdim[:3] = lengths.tolist()
        elif not np.allclose(lengths, pixdim[:3], rtol=0.02):
            said = (" × ".join(f"{size:.4g}" for size in sizes) for sizes in (pixdim[:3], lengths))
            remarks.append(
                "Its header gives two voxel sizes, {} (pixdim) and {} (sform); the first is "
                "taken.".format(*said)
            )
    elif int(header["qform_code"]) > 0:
        quaternion = [float(header[f"quatern_{letter}"]) for letter in "bcd"]
        if not all(map(math.isfinite, quaternion)):
            raise singular(path)
    unit = _MILLIMETRES.get(_units(header)[0], 1.0)
    return (*(size * unit for size in pixdim[:3]), pixdim[3])


def _units(header) -> tuple[str, str]:
    try:
        return header.get_xyzt_units()
    except Exception:  # an undefined code says as little as none
        return "unknown", "unknown"


def _offset(path: Path, header) -> int:
    offset = float(header["vox_offset"])
    if not 0 <= offset < 2**62:
        raise refusal(path, f"gives an impossible voxel offset ({offset:g}); export it again.")
    return int(offset)


def _data_file(path: Path) -> Path:
    """The .img (or .img.gz) of a .hdr."""
    stem = path.name[: -len(".hdr")]
    for suffix in (".img", ".img.gz"):
        if (data := path.with_name(stem + suffix)).exists():
            return data
    raise refusal(path, f"needs {stem}.img beside it, which is missing; copy both files.")
