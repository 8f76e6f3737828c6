"""What every format's reader returns, and the checks they share."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DEFLATE_LIMIT = 1040
"""No deflate stream grows more than about 1032-fold, so a larger promise is a broken header."""


class VolumeError(ValueError):
    """A file cannot be graded; its text is one sentence for the user and names the file."""


@dataclass
class StoredImage:
    """An image in its file's own axes, the fastest-varying first.

    Attributes
    ----------
    voxels
        The array, 2 to 4 axes, native byte order, integers or float32.
    spacing
        mm along each axis; the frame axis's entry means nothing.
    frame_axis
        Where the file itself says which axis is time; None leaves it to `axes.find_axes`.
    series_uid
        DICOM's SeriesInstanceUID.
    """

    voxels: np.ndarray
    spacing: tuple[float, ...]
    frame_axis: int | None = None
    series_uid: str | None = None
    name: str | None = None


def display_name(path: Path) -> str:
    """The file's name, safe to print and to write in UTF-8 whatever bytes it is made of."""
    name = path.name or str(path)
    return "".join(
        c if c.isprintable() else "?" for c in os.fsencode(name).decode("utf-8", "replace")
    )


def refusal(path: Path, sentence: str) -> VolumeError:
    """A `VolumeError` that reads "<file name> <sentence>"."""
    return VolumeError(f"{display_name(path)} {sentence}")


def image_shape(path: Path, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop trailing singleton axes; refuse what is no 2-D to 4-D image.

    Raises
    ------
    VolumeError
        The header gives an empty axis, fewer than two axes or more than four.
    """
    written = " × ".join(map(str, shape)) or "no voxels"
    if not shape or min(shape) < 1:
        raise refusal(path, f"gives an impossible size in its header ({written}); export it again.")
    shape = tuple(int(size) for size in shape)
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) > 4:
        raise refusal(
            path,
            f"has {len(shape)} axes ({written}), but MotionQA reads 2 to 4; "
            "save each channel or phase as a file of its own.",
        )
    if len(shape) < 2:
        raise refusal(path, f"has one axis only ({written}), so it is no image; choose another.")
    return shape


def real_dtype(path: Path, dtype: np.dtype) -> np.dtype:
    """Refuse colour and complex voxels; return the type otherwise."""
    dtype = np.dtype(dtype)
    if dtype.names is not None or dtype.subdtype is not None:
        raise refusal(path, "holds colour (RGB) voxels; save it as a grey-scale image.")
    if dtype.kind == "c":
        raise refusal(path, "holds complex voxels; save its magnitude instead.")
    if dtype.kind not in "iuf":
        raise refusal(
            path, f"holds voxels of an unknown type ({dtype}); save it as 16-bit integers."
        )
    return dtype


def byte_count(path: Path, shape: tuple[int, ...], dtype: np.dtype, available: int) -> int:
    """Bytes of an array, checked against the `available` ones before anything is allocated."""
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > available:
        raise cut_short(path, wanted, available)
    return wanted


def cut_short(path: Path, wanted: int, found: int) -> VolumeError:
    return refusal(
        path,
        f"is cut short: its header promises {_size(wanted)} of voxels, "
        f"but at most {_size(max(found, 0))} are there; copy or export it again.",
    )


def _size(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


def read_exactly(path: Path, stream, count: int) -> bytearray:
    """Read `count` bytes into memory of its own (so that the array over it can be written to)."""
    data = bytearray(count)
    view = memoryview(data)
    filled = 0
    while filled < count:
        got = stream.readinto(view[filled:])
        if not got:
            raise cut_short(path, count, filled)
        filled += got
    return data


def as_array(data: bytearray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Voxels over `data` in the file's axes (first fastest), swapped in place to native order."""
    voxels = np.frombuffer(data, dtype=dtype)
    if not voxels.dtype.isnative:
        voxels = voxels.byteswap(inplace=True).view(voxels.dtype.newbyteorder("="))
    return voxels.reshape(shape, order="F")


def rescaled(voxels: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> np.ndarray:
    """Stored voxels to the file's real values: untouched integers or float32."""
    if slope == 1 and intercept == 0:
        if voxels.dtype.kind in "iu":
            return voxels
        with np.errstate(over="ignore", invalid="ignore"):
            return voxels.astype(np.float32, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        real = voxels.astype(np.float32, order="K")
        real *= np.float32(slope)
        real += np.float32(intercept)
    return real
