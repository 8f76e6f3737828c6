"""Voxels on their way to the grading process."""

from __future__ import annotations

import numpy as np
import pytest

from MotionQAWidgets.voxel_file import VoxelFile


@pytest.mark.parametrize("shape", [(9, 7), (4, 9, 7), (3, 4, 9, 7)])
@pytest.mark.parametrize("dtype", ["i2", "u1", "f4", ">i2", "?"])
def test_what_is_read_is_what_was_given(tmp_path, rng, shape, dtype):
    voxels = rng.integers(0, 200, shape).astype(dtype)
    file = VoxelFile(voxels, tmp_path)
    assert file.write(60)
    read = np.load(file.path, mmap_mode="r", allow_pickle=False)
    assert read.dtype == voxels.dtype and read.ndim == 4
    np.testing.assert_array_equal(read.reshape(shape), voxels)


def test_frames_may_be_views_of_other_strides(tmp_path, rng):
    frames = [rng.integers(0, 9, (5, 6, 4)).T for _ in range(3)]
    file = VoxelFile(frames, tmp_path)
    assert file.write(60)
    np.testing.assert_array_equal(np.load(file.path), np.stack(frames))


def test_it_writes_a_little_at_a_time(tmp_path):
    voxels = np.arange(40 * 8 * 8, dtype=np.int16).reshape(40, 8, 8)
    file = VoxelFile(voxels, tmp_path)
    calls = 1
    while not file.write(0):
        calls += 1
    assert calls > 40  # a slice each
    np.testing.assert_array_equal(np.load(file.path)[0], voxels)


def test_deleting_leaves_nothing_even_half_way(tmp_path):
    file = VoxelFile(np.zeros((9, 8, 8)), tmp_path)
    assert not file.write(0)
    assert list(tmp_path.iterdir()) == [file.path]
    file.delete()
    assert list(tmp_path.iterdir()) == []
    file.delete()  # twice is no harm


@pytest.mark.parametrize(
    ("voxels", "said"),
    [
        (np.zeros((1, 1, 1, 1, 1)), "axes"),
        (np.zeros(3), "axes"),
        (np.zeros((2, 2), complex), "numbers"),
        (np.array([[None]]), "numbers"),
        ([np.zeros((2, 3, 3)), np.zeros((3, 3, 3))], "size"),
        ([np.zeros((2, 3, 3)), np.zeros((2, 3, 3), "f4")], "type"),
        ([np.zeros((3, 3))], "size"),
        ([], "size"),
    ],
)
def test_what_is_no_volume_is_refused(tmp_path, voxels, said):
    with pytest.raises(ValueError, match=said):
        VoxelFile(voxels, tmp_path)
