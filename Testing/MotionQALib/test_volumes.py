"""NIfTI files to volumes: axes, spacing, values, identity; and what `find` makes of folders."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc

import nibabel
import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import Volume, VolumeError


def write(path, voxels, spacing=(1.5, 1.4, 8.0), unit=None):
    """Save voxels in the file's own axes (columns, rows, slices, frames)."""
    image = nibabel.Nifti1Image(voxels, np.diag([*spacing, 1.0]), dtype=voxels.dtype)
    if unit:
        image.header.set_xyzt_units(*unit)
    nibabel.save(image, path)
    return path


def numbered(shape, dtype=np.int16):
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def test_three_axes_become_frames_slices_rows_columns(tmp_path):
    stored = numbered((20, 24, 5))
    volume = volumes.read(write(tmp_path / "P001-1-ED.nii.gz", stored))
    assert volume.voxels.shape == (1, 5, 24, 20)
    assert volume.voxels.dtype == np.int16
    np.testing.assert_array_equal(volume.voxels[0, 3], stored[:, :, 3].T)
    assert volume.spacing == pytest.approx((8.0, 1.4, 1.5))
    assert (volume.name, volume.source) == ("P001-1-ED", tmp_path / "P001-1-ED.nii.gz")
    assert (volume.slice_axis, volume.frame_axis) == (2, None)
    assert (volume.n_frames, volume.n_slices) == (1, 5)


def test_four_axes_count_frames_along_the_last(tmp_path):
    stored = numbered((20, 24, 5, 7))
    volume = volumes.read(write(tmp_path / "cine.nii", stored))
    assert volume.voxels.shape == (7, 5, 24, 20)
    assert (volume.slice_axis, volume.frame_axis) == (2, 3)
    np.testing.assert_array_equal(volume.voxels[6, 2], stored[:, :, 2, 6].T)


def test_two_axes_are_one_slice(tmp_path):
    volume = volumes.read(write(tmp_path / "one.nii.gz", numbered((20, 24))))
    assert volume.voxels.shape == (1, 1, 24, 20)
    assert (volume.slice_axis, volume.frame_axis) == (2, None)


@pytest.mark.parametrize("shape", [(20, 24, 5, 1), (20, 24, 5, 1, 1), (20, 24, 5, 1, 1, 1, 1)])
def test_trailing_singleton_axes_are_dropped(tmp_path, shape):
    volume = volumes.read(write(tmp_path / "x.nii.gz", numbered(shape)))
    assert volume.voxels.shape == (1, 5, 24, 20)


def test_a_cine_of_one_slice(tmp_path):
    volume = volumes.read(write(tmp_path / "x.nii.gz", numbered((20, 24, 1, 6))))
    assert volume.voxels.shape == (6, 1, 24, 20)
    assert (volume.slice_axis, volume.frame_axis) == (2, 3)


@pytest.mark.parametrize(("unit", "factor"), [("meter", 1e-3), ("mm", 1.0), ("micron", 1e3)])
def test_spacing_is_in_millimetres(tmp_path, unit, factor):
    spacing = np.array([1.5, 1.4, 8.0]) * factor
    path = write(tmp_path / "x.nii.gz", numbered((20, 24, 5)), spacing, unit=(unit,))
    assert volumes.read(path).spacing == pytest.approx((8.0, 1.4, 1.5))


def test_stripped_affines_leave_the_spacing_to_the_header(tmp_path):
    """As in ACDC: an affine of ones beside the right pixdim."""
    image = nibabel.Nifti1Image(numbered((20, 24, 5)), np.diag([1.5, 1.4, 8.0, 1.0]))
    image.header["srow_x"], image.header["srow_y"] = [1, 0, 0, 0], [0, 1, 0, 0]
    image.header["srow_z"] = [0, 0, 1, 0]
    (tmp_path / "x.nii").write_bytes(_single_file(image))
    assert volumes.read(tmp_path / "x.nii").spacing == pytest.approx((8.0, 1.4, 1.5))


def test_an_empty_header_leaves_the_spacing_to_the_affine(tmp_path):
    image = nibabel.Nifti1Image(numbered((20, 24, 5)), np.diag([1.5, 1.4, 8.0, 1.0]))
    image.header["pixdim"] = 1.0
    (tmp_path / "x.nii").write_bytes(_single_file(image))
    assert volumes.read(tmp_path / "x.nii").spacing == pytest.approx((8.0, 1.4, 1.5))


def _single_file(image) -> bytes:
    header = image.header.copy()
    header["vox_offset"], header["sform_code"], header["magic"] = 352, 2, b"n+1"
    return header.binaryblock + bytes(4) + np.asarray(image.dataobj).tobytes(order="F")


def test_oblique_affines_keep_their_spacing(tmp_path):
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]]
    image = nibabel.Nifti1Image(numbered((20, 24, 5)), turn @ np.diag([1.5, 1.4, 8.0, 1.0]))
    nibabel.save(image, tmp_path / "x.nii.gz")
    assert volumes.read(tmp_path / "x.nii.gz").spacing == pytest.approx((8.0, 1.4, 1.5))


@pytest.mark.parametrize("dtype", ["i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", "<u8"])
def test_integers_stay_as_they_are(tmp_path, dtype):
    stored = numbered((20, 24, 5)).clip(0, 100).astype(dtype)
    volume = volumes.read(write(tmp_path / "x.nii.gz", stored))
    assert volume.voxels.dtype == np.dtype(dtype).newbyteorder("=")
    assert volume.voxels.dtype.isnative
    np.testing.assert_array_equal(volume.voxels[0], stored.T)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8"])
def test_real_numbers_become_float32(tmp_path, dtype):
    stored = numbered((20, 24, 5)).astype(dtype) / 7
    volume = volumes.read(write(tmp_path / "x.nii.gz", stored))
    assert volume.voxels.dtype == np.float32
    np.testing.assert_allclose(volume.voxels[0], stored.T, rtol=1e-6)


def test_slope_and_intercept_are_applied(tmp_path):
    image = nibabel.Nifti1Image(numbered((20, 24, 5)), np.diag([1.5, 1.4, 8.0, 1.0]))
    image.header.set_slope_inter(0.5, -3.0)
    nibabel.save(image, tmp_path / "x.nii.gz")
    expected = np.asarray(nibabel.load(tmp_path / "x.nii.gz").dataobj)
    volume = volumes.read(tmp_path / "x.nii.gz")
    assert volume.voxels.dtype == np.float32
    np.testing.assert_allclose(volume.voxels[0], expected.T)


def test_voxels_are_a_view_that_may_be_written_to(tmp_path):
    volume = volumes.read(write(tmp_path / "x.nii.gz", numbered((20, 24, 5))))
    assert volume.voxels.base is not None
    assert volume.voxels.flags.writeable  # torch warns of arrays that are not


def test_pairs_and_nifti2_and_misnamed_compression(tmp_path):
    stored = numbered((20, 24, 5))
    affine = np.diag([1.5, 1.4, 8.0, 1.0])
    nibabel.save(nibabel.Nifti1Pair(stored, affine), tmp_path / "pair.hdr")
    nibabel.save(nibabel.Nifti2Image(stored, affine), tmp_path / "two.nii.gz")
    plain = write(tmp_path / "plain.nii", stored).read_bytes()
    (tmp_path / "not-compressed.nii.gz").write_bytes(plain)
    (tmp_path / "compressed.nii").write_bytes(gzip.compress(plain))
    halves = gzip.compress(plain[:1000]) + gzip.compress(plain[1000:])
    (tmp_path / "two-members.nii.gz").write_bytes(halves)
    (tmp_path / "padded.nii.gz").write_bytes(gzip.compress(plain) + bytes(512))
    for name in (
        *("pair.hdr", "two.nii.gz", "not-compressed.nii.gz", "compressed.nii"),
        *("two-members.nii.gz", "padded.nii.gz"),
    ):
        np.testing.assert_array_equal(volumes.read(tmp_path / name).voxels[0], stored.T)


def test_identity_is_the_content(tmp_path):
    stored = numbered((20, 24, 5))
    first = volumes.read(write(tmp_path / "a.nii.gz", stored)).identity
    second = volumes.read(write(tmp_path / "b.nii", stored)).identity
    stored[0, 0, 0] += 1
    third = volumes.read(write(tmp_path / "c.nii", stored)).identity
    assert first.startswith("voxels:")
    assert first == second != third


def test_a_volume_from_memory(rng):
    stack = rng.integers(0, 100, (5, 24, 20), dtype=np.int16)
    volume = Volume(stack, spacing=(8.0, 8.0, 8.0))
    assert volume.voxels.shape == (1, 5, 24, 20)
    assert np.shares_memory(volume.voxels, stack)
    assert volumes.check(volume) is volume
    assert Volume(stack[0], (8, 1, 1), name="one").voxels.shape == (1, 1, 24, 20)
    with pytest.raises(VolumeError, match="5 axes"):
        Volume(stack[None, None], (8, 1, 1))


def test_memory_stays_about_the_native_array(tmp_path):
    """A cine must never be copied to double precision, nor held twice."""
    stored = np.random.default_rng(0).integers(0, 900, (128, 128, 12, 30), dtype=np.int16)
    path = write(tmp_path / "cine.nii.gz", stored)
    volumes.read(path)
    tracemalloc.start()
    volume = volumes.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert volume.voxels.nbytes == stored.nbytes
    assert peak < 1.2 * stored.nbytes


def test_find_expands_folders(tmp_path):
    stored = numbered((20, 24, 5))
    (tmp_path / "P002-1").mkdir()
    (tmp_path / "P001-1").mkdir()
    for name in ("P002-1/P002-1-ED.nii.gz", "P001-1/P001-1-ES.nii.gz", "P001-1/P001-1-ED.nii"):
        write(tmp_path / name, stored)
    (tmp_path / "IQA.csv").write_text("Image,Label\n")
    (tmp_path / "._P001-1-ED.nii.gz").write_bytes(b"a Mac's shadow of a file")
    found = volumes.find([tmp_path])
    assert [path.name for path in found] == [
        *("P001-1-ED.nii", "P001-1-ES.nii.gz", "P002-1-ED.nii.gz"),
    ]
    assert volumes.find(tmp_path / "P002-1") == found[2:]


def test_find_keeps_files_as_they_are_and_names_none_twice(tmp_path):
    path = write(tmp_path / "x.nii.gz", numbered((20, 24, 5)))
    missing = tmp_path / "missing.nii.gz"
    assert volumes.find([path, missing, tmp_path, path]) == [path, missing]


def test_find_leaves_out_masks_beside_their_image(tmp_path):
    stored = numbered((20, 24, 5))
    for name in ("a.nii.gz", "a_gt.nii.gz", "a-label.nii.gz", "a.seg.nrrd", "alone_gt.nii.gz"):
        write(tmp_path / name, stored) if name.endswith("gz") else (tmp_path / name).touch()
    found = volumes.find_all([tmp_path])
    assert [path.name for path in found.images] == ["a.nii.gz"]
    assert len(found.masks) == 4


def test_importing_loads_no_reader():
    code = (
        "import sys, MotionQALib.volumes as v; "
        "print(*{'nibabel', 'nrrd', 'pydicom', 'torch', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p.endswith("MotionQA"))},
    )
    assert done.stdout.split() == []


@pytest.mark.acdc
def test_real_images(acdc):
    volume = volumes.read(acdc / "patient001" / "patient001_frame01.nii.gz")
    assert volume.voxels.shape == (1, 10, 256, 216)
    assert volume.voxels.dtype == np.int16
    assert volume.spacing == pytest.approx((10.0, 1.5625, 1.5625))
    cine = volumes.read(acdc / "patient090" / "patient090_4d.nii.gz")
    assert cine.voxels.shape == (12, 7, 224, 154)
    found = volumes.find([acdc / "patient001"])
    assert [path.name for path in found] == [
        f"patient001_frame{frame}.nii.gz" for frame in ("01", "12")
    ]
