"""What every format's reader returns, and the checks they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .volume_error import refusal

if TYPE_CHECKING:
    from .dicom_origin import Origin


@dataclass
class StoredImage:
    """An image in its file's own axes, the fastest-varying first.

    Attributes
    ----------
    voxels
        The array, 2 to 4 axes, native byte order, integers or float32.
    spacing
        mm along each axis; the frame axis's entry means nothing.
    slice_axis, frame_axis
        Where the file itself says which they are; None leaves it to `axes.find_axes`.
    series_uid
        DICOM's SeriesInstanceUID.
    name
        Where the file's name will not do.
    remarks
        Sentences about what was assumed, left out or doubted.
    missing, origin
        As in `volumes.Volume`; of DICOM only.
    """

    voxels: np.ndarray
    spacing: tuple[float, ...]
    slice_axis: int | None = None
    frame_axis: int | None = None
    series_uid: str | None = None
    name: str | None = None
    remarks: tuple[str, ...] = ()
    missing: np.ndarray | None = None
    origin: Origin | None = None


def without_inner_singletons(shape: tuple[int, ...]) -> tuple[int, ...]:
    """(x, y, z, 1, t) as (x, y, z, t): axes of length 1 behind the third, where others follow."""
    if len(shape) < 5:
        return shape
    return (*shape[:3], *(size for size in shape[3:] if size != 1))


def image_shape(path: Path, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Drop trailing singleton axes; refuse what is no 2-D to 4-D image."""
    shape = tuple(int(size) for size in shape)
    written = " × ".join(map(str, shape)) or "none"
    if not shape or min(shape) < 1:
        raise refusal(path, f"gives an impossible size in its header ({written}); export it again.")
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
        raise colour(path)
    if dtype.kind == "c":
        raise refusal(path, "holds complex voxels; save its magnitude instead.")
    if dtype.kind not in "iuf":
        raise unknown_type(path, dtype)
    return dtype


def colour(path: Path):
    """The refusal of RGB, RGBA and vectors."""
    return refusal(path, "holds colour (RGB) or vector voxels; save it as a grey-scale image.")


def unknown_type(path: Path, what: object):
    """The refusal of a voxel type that no image of ours has."""
    return refusal(path, f"holds voxels of an unknown type ({what}); save it as 16-bit integers.")


def singular(path: Path):
    """The refusal of axes that point nowhere or all one way."""
    return refusal(
        path, "has a singular affine, so its axes' directions are lost; export it again."
    )


def check_directions(path: Path, directions: np.ndarray) -> None:
    """Refuse directions, one a column (3, n), that do not span n dimensions."""
    directions = np.asarray(directions, dtype=np.float64)
    lengths = np.linalg.norm(directions, axis=0)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise singular(path)
    if directions.size and np.linalg.svd(directions / lengths, compute_uv=False)[-1] < 1e-3:
        raise singular(path)


def rescaled(voxels: np.ndarray, slope: float = 1.0, intercept: float = 0.0) -> np.ndarray:
    """Stored voxels to the file's real values: untouched integers or float32."""
    unscaled = slope == 1 and intercept == 0
    if unscaled and voxels.dtype.kind in "iu":
        return voxels
    with np.errstate(over="ignore", invalid="ignore"):
        real = voxels.astype(np.float32, order="K", copy=voxels.dtype != np.float32)
        if not unscaled:
            real *= np.float32(slope)
            real += np.float32(intercept)
    return real
