"""Which of a file's axes is the slices', which the frames'."""

from __future__ import annotations

from pathlib import Path

from .stored import StoredImage
from .volume_error import refusal

CLEARLY = 1.5
"""One spacing or size is clearly larger than another from this ratio on."""

SLICE_SPACING = (2.0, 25.0)
"""mm between short-axis slices, with room to spare; a time step would have to hit it by chance."""


def find_axes(
    path: Path, image: StoredImage, slice_axis: int | None, frame_axis: int | None
) -> tuple[int, int | None]:
    """Return the slice and the frame axis (None without one) in the file's own axes.

    An axis that the file does not have (a 2-D image's slices) counts as the one after its last.
    What the caller gives wins, then what the file says, then the geometry.
    """
    shape = image.voxels.shape
    slice_axis = _asked(path, shape, slice_axis, "slice")
    frame_axis = _asked(path, shape, frame_axis, "frame")
    if slice_axis is not None and slice_axis == frame_axis:
        raise refusal(path, f"cannot have slices and frames both along axis {slice_axis}.")
    if frame_axis is None and image.frame_axis != slice_axis:
        frame_axis = image.frame_axis
    if slice_axis is None and image.slice_axis != frame_axis:
        slice_axis = image.slice_axis
    if frame_axis is None and len(shape) == 4:
        frame_axis = _guess_frames(shape, image.spacing, slice_axis)
    spatial = [axis for axis in range(len(shape)) if axis != frame_axis]
    if slice_axis is None:
        slice_axis = _guess_slices(shape, image.spacing, spatial)
    if len(set(spatial) - {slice_axis}) != 2:
        raise refusal(
            path,
            f"has {len(shape)} axes, which leaves no image of two beside slice axis {slice_axis} "
            f"and frame axis {frame_axis}; give other axes.",
        )
    return slice_axis, frame_axis


def _asked(path: Path, shape: tuple[int, ...], axis: int | None, what: str) -> int | None:
    if axis is None:
        return None
    if not -len(shape) <= axis < max(len(shape), 3):
        raise refusal(path, f"has axes 0 to {len(shape) - 1}, so its {what} axis cannot be {axis}.")
    return axis + len(shape) if axis < 0 else axis


def _guess_slices(shape: tuple[int, ...], spacing: tuple[float, ...], spatial: list[int]) -> int:
    if len(spatial) < 3:
        return len(shape)
    if shape[spatial[-1]] == 1:
        return spatial[-1]
    by_spacing = sorted(spatial, key=lambda axis: spacing[axis])
    if spacing[by_spacing[-1]] >= CLEARLY * spacing[by_spacing[-2]]:
        return by_spacing[-1]
    # An axis of one voxel is no evidence of slices: the image may just be one pixel wide.
    by_size = sorted(spatial, key=lambda axis: shape[axis])
    if shape[by_size[0]] > 1 and shape[by_size[1]] >= CLEARLY * shape[by_size[0]]:
        return by_size[0]
    return spatial[-1]


def _guess_frames(
    shape: tuple[int, ...], spacing: tuple[float, ...], slice_axis: int | None
) -> int:
    """The last of four axes, as in every standard, unless size or spacing clearly say otherwise."""
    by_size = sorted(range(4), key=lambda axis: shape[axis])
    if shape[by_size[2]] < CLEARLY * shape[by_size[1]]:
        return 2 if slice_axis == 3 else 3
    stack = sorted(by_size[:2])  # frames and slices: the two axes clearly shorter than the image's
    if slice_axis in stack:
        return stack[0] if stack[1] == slice_axis else stack[1]
    if stack[1] != 3:
        return stack[0]  # (t, z, y, x), as numpy users save it
    if stack[0] == 2 and shape[2] == 1:
        return 3  # a cine of one slice
    pixel = max(spacing[axis] for axis in by_size[2:])
    first, last = spacing[stack[0]], spacing[3]
    if first < CLEARLY * pixel <= last and SLICE_SPACING[0] <= last <= SLICE_SPACING[1]:
        return stack[0]
    return 3
