"""Which of a file's axes is the slices', which the frames'."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError


def write(path, voxels, spacing=(1.5, 1.4, 8.0), unit=None):
    """Save voxels in the file's own axes (columns, rows, slices, frames)."""
    image = nibabel.Nifti1Image(voxels, np.diag([*spacing, 1.0]), dtype=voxels.dtype)
    if unit:
        image.header.set_xyzt_units(*unit)
    nibabel.save(image, path)
    return path


def numbered(shape, dtype=np.int16):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_lie_along_the_largest_spacing(tmp_path, axis):
    spacing = [1.4, 1.4, 1.4]
    spacing[axis] = 8.0
    volume = volumes.read(write(tmp_path / "x.nii.gz", numbered((20, 22, 24)), spacing))
    assert volume.slice_axis == axis
    assert volume.n_slices == (20, 22, 24)[axis]
    assert volume.spacing[0] == pytest.approx(8.0)


@pytest.mark.parametrize(("shape", "axis"), [((6, 30, 32), 0), ((30, 6, 32), 1), ((30, 32, 6), 2)])
def test_equal_spacings_leave_the_smallest_dimension(tmp_path, shape, axis):
    volume = volumes.read(write(tmp_path / "x.nii.gz", numbered(shape), (1.0, 1.0, 1.0)))
    assert volume.slice_axis == axis


def test_nothing_clear_leaves_the_last_axis(tmp_path):
    volume = volumes.read(write(tmp_path / "x.nii.gz", numbered((30, 31, 29)), (1.0, 1.1, 1.2)))
    assert volume.slice_axis == 2


@pytest.mark.parametrize(
    ("shape", "spacing", "slice_axis", "frame_axis"),
    [
        ((40, 42, 6, 9), (1.4, 1.4, 8.0, 1.0), 2, 3),
        ((40, 42, 9, 6), (1.4, 1.4, 1.0, 8.0), 3, 2),  # frames before slices
        ((9, 40, 42, 6), (1.0, 1.4, 1.4, 8.0), 3, 0),  # frames first
        ((6, 40, 42, 9), (8.0, 1.4, 1.4, 1.0), 0, 3),  # slices first
        ((9, 6, 42, 40), (1.0, 8.0, 1.4, 1.4), 1, 0),  # as NumPy users save it
        ((40, 42, 6, 9), (1.4, 1.4, 8.0, 40.0), 2, 3),  # milliseconds are no slice spacing
        ((40, 42, 1, 25), (1.4, 1.4, 1.0, 24.0), 2, 3),  # a cine of one slice, 24 ms a frame
        ((40, 41, 42, 43), (1.4, 1.4, 8.0, 1.0), 2, 3),
    ],
)
def test_the_frame_axis_is_found_wherever_it_is(tmp_path, shape, spacing, slice_axis, frame_axis):
    stored = numbered(shape, np.int32)
    image = nibabel.Nifti1Image(stored, np.diag([*spacing[:3], 1.0]))
    image.header.set_zooms(spacing)
    nibabel.save(image, tmp_path / "x.nii")
    volume = volumes.read(tmp_path / "x.nii")
    assert (volume.slice_axis, volume.frame_axis) == (slice_axis, frame_axis)
    frame, index = volume.n_frames - 1, max(volume.n_slices - 2, 0)
    indices = {slice_axis: index, frame_axis: frame}
    plane = stored[tuple(indices.get(axis, slice(None)) for axis in range(4))]
    np.testing.assert_array_equal(volume.voxels[frame, index], plane.T)


def test_a_time_unit_settles_the_frame_axis(tmp_path):
    stored = numbered((9, 40, 42, 6))
    image = nibabel.Nifti1Image(stored, np.eye(4))
    image.header.set_zooms((1.0, 1.4, 1.4, 8.0))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "x.nii")
    assert volumes.read(tmp_path / "x.nii").frame_axis == 3


def test_axes_can_be_given(tmp_path):
    path = write(tmp_path / "x.nii.gz", numbered((20, 22, 24, 26)))
    volume = volumes.read(path, slice_axis=0, frame_axis=1)
    assert volume.voxels.shape == (22, 20, 26, 24)
    assert volumes.read(path, slice_axis=-1).slice_axis == 3
    cine = volumes.read(write(tmp_path / "y.nii.gz", numbered((20, 22, 9))), frame_axis=2)
    assert cine.voxels.shape == (9, 1, 22, 20)


@pytest.mark.parametrize(
    "axes", [{"slice_axis": 5}, {"frame_axis": -9}, {"slice_axis": 1, "frame_axis": 1}]
)
def test_impossible_axes_are_refused(tmp_path, axes):
    path = write(tmp_path / "x.nii.gz", numbered((20, 22, 24, 26)))
    with pytest.raises(VolumeError, match=r"x\.nii\.gz .*axis"):
        volumes.read(path, **axes)


def test_a_stack_of_frames_and_slices_needs_two_more_axes(tmp_path):
    path = write(tmp_path / "x.nii.gz", numbered((20, 22, 24)))
    with pytest.raises(VolumeError, match="no image of two"):
        volumes.read(path, slice_axis=2, frame_axis=0)
