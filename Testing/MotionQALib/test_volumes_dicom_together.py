"""DICOM series that belong together, or do not: a slice a series, views, localisers, folders."""

from __future__ import annotations

import os

import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

from .test_volumes_dicom import SAGITTAL, image, save
from .test_volumes_dicom_real import (
    CORONAL,
    STUDY,
    also,
    cine,
    other_pixels,
    remarks_of,
    saved,
    set_to,
    stack,
)

__all__ = ["cine"]  # a fixture


def in_series(cine, first=10, uid="1.2.826.0.1.3680043.8.498.77", **facts):
    """Each slice a series of its own, as Siemens writes it."""
    images = stack(cine, **facts)
    for number, data in enumerate(images):
        s = number // cine.shape[0]
        data.SeriesInstanceUID = f"{uid}.{s}"
        data.SeriesNumber, data.SeriesDescription = first + s, f"cine_SAX_{s}"
        data.InstanceNumber = number % cine.shape[0] + 1
    return images


@pytest.mark.parametrize("folders", [False, True])
def test_a_series_for_each_slice_is_one_stack(tmp_path, cine, folders):
    for number, data in enumerate(in_series(cine)):
        folder = tmp_path / "study" / (f"S{data.SeriesNumber}" if folders else "")
        folder.mkdir(parents=True, exist_ok=True)
        save(data, folder / f"{number}.dcm")
    assert volumes.find(tmp_path) == [tmp_path / "study"]
    volume = volumes.read(tmp_path / "study")
    np.testing.assert_array_equal(volume.voxels, cine)
    assert "Joined from 4 series of one study" in volume.remarks[0]
    assert len(volume.origin.series_uids) == 4
    uid = volume.origin.instances[2, 3].series_uid
    assert uid.endswith(".77.3")
    # One file stands for the stack that it belongs to.
    if folders:
        file = next((tmp_path / "study" / "S11").iterdir())
        np.testing.assert_array_equal(volumes.read(file).voxels, cine)


def test_long_axes_and_localisers_stay_apart(tmp_path, cine):
    images = in_series(cine)
    for f in range(3):
        data = image(cine[f, 0], place=(10, 10, 10), time=40.0 * f, series=f"{STUDY}.50")
        set_to(StudyInstanceUID=STUDY, PatientID="P1", PixelSpacing=[8, 8])(data)
        data.ImageOrientationPatient = SAGITTAL
        images.append(data)
    for number, directions in enumerate(([1, 0, 0, 0, 1, 0], SAGITTAL, CORONAL)):
        data = image(cine[0, 1], series=f"{STUDY}.1")
        set_to(StudyInstanceUID=STUDY, PatientID="P1", InstanceNumber=number)(data)
        data.ImageOrientationPatient = directions
        images.append(data)
    saved(tmp_path / "x", images)
    shapes = [volumes.read(path).voxels.shape[:2] for path in volumes.find(tmp_path)]
    assert sorted(shapes) == [(3, 1), (3, 4)]
    said = [remarks_of(path) for path in volumes.find(tmp_path)]
    assert all("3 images of its study beside it: localisers" in text for text in said)
    with pytest.raises(VolumeError, match="holds 5 DICOM series"):
        volumes.read(tmp_path / "x")


def test_a_stack_acquired_again_as_a_whole_stays_apart(tmp_path, cine):
    first = stack(cine)
    second = also(first, other_pixels(set_to(SeriesInstanceUID=f"{STUDY}.2", SeriesNumber=8)))
    saved(tmp_path / "x", [*first, *second])
    assert [volumes.read(p).voxels.shape for p in volumes.find(tmp_path)] == [cine.shape] * 2


def test_a_slice_acquired_again_as_a_series_of_its_own(tmp_path, cine):
    first = stack(cine)
    change = other_pixels(set_to(SeriesInstanceUID=f"{STUDY}.2", SeriesNumber=8))
    again = also(first, change, lambda number: number // 3 == 1)
    saved(tmp_path / "x", [*first, *again])
    (path,) = volumes.find(tmp_path)
    assert "Slice 1 (at 8 mm) was acquired twice; the last is graded" in remarks_of(path)


def test_patients_whom_an_anonymiser_gave_one_uid_stay_apart(tmp_path, cine):
    for patient in ("a", "b"):
        (tmp_path / patient).mkdir()
        saved(tmp_path / patient, stack(cine))
    assert volumes.find(tmp_path) == [tmp_path / "a", tmp_path / "b"]


def test_a_series_spread_over_a_disc_is_one(tmp_path, cine):
    (tmp_path / "disc").mkdir()
    images = stack(cine)
    for number in range(3):
        saved(tmp_path / "disc" / f"D{number}", images[number::3], start=number * 10)
    assert volumes.find(tmp_path) == [tmp_path / "disc"]
    np.testing.assert_array_equal(volumes.read(tmp_path / "disc").voxels, cine)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_linked_folders_are_followed_and_never_in_a_circle(tmp_path, cine):
    saved(tmp_path / "store", stack(cine))
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "patient").symlink_to(tmp_path / "store")
    (tmp_path / "store" / "again").symlink_to(tmp_path / "list")
    assert volumes.find(tmp_path / "list") == [tmp_path / "list" / "patient"]


def without_series(images, first):
    for number, data in enumerate(images, first):
        data.SeriesInstanceUID, data.InstanceNumber = "", number
    return images


@pytest.mark.parametrize("start", [5, 80], ids=["numbered on", "numbers leap"])
@pytest.mark.parametrize("uid", ["", "1.2.3"], ids=["blank", "the same everywhere"])
def test_a_localiser_among_views_is_told_by_its_planes(tmp_path, rng, start, uid):
    """No later acquisition of a slice, and no frame of the long axis."""
    pixels = rng.integers(50, 900, (1, 8, 24, 24), dtype=np.uint16)
    images = without_series(stack(pixels, times=False), 1)
    for number, directions in enumerate((SAGITTAL, CORONAL, SAGITTAL, None)):
        data = images[4 + number]
        data.ImagePositionPatient = [0, 0, 0]
        data.InstanceNumber = start + (0 if number == 0 else 5 + number if start > 5 else number)
        if directions is not None:
            data.ImageOrientationPatient = directions
    for data in images:
        data.SeriesInstanceUID = uid
    saved(tmp_path / "x", images)
    short, long = map(volumes.read, volumes.find(tmp_path))
    np.testing.assert_array_equal(short.voxels[0], pixels[0, :4])
    np.testing.assert_array_equal(long.voxels[0, 0], pixels[0, 4])
    for volume in (short, long):
        assert "3 images of its study beside it: localisers" in " ".join(volume.remarks)


def test_a_set_of_other_thickness_or_numbers_is_no_later_acquisition(tmp_path, rng):
    pixels = rng.integers(50, 900, (1, 8, 24, 24), dtype=np.uint16)
    images = without_series(stack(pixels, times=False), 1)
    for number, data in enumerate(images):
        data.ImagePositionPatient = [0, 0, 8.0 * (number % 4)]
    for folder, change in (("thin", {"SliceThickness": 3}), ("numbers", {})):
        for number, data in enumerate(images[4:6]):
            data.InstanceNumber = 900 + number
            set_to(**change)(data)
        saved(tmp_path / folder, images[:6])
        found = [volumes.read(path).voxels[0] for path in volumes.find(tmp_path / folder)]
        np.testing.assert_array_equal(found[0], pixels[0, :4])
        np.testing.assert_array_equal(found[1], pixels[0, 4:6])
        for data in images:
            data.SliceThickness = 8


@pytest.mark.parametrize("kept", [2, 5])
def test_a_stopped_slice_in_a_series_of_its_own_is_joined(tmp_path, rng, kept):
    cine = rng.integers(50, 900, (6, 4, 24, 24), dtype=np.uint16)
    images = stack(cine)
    for number, data in enumerate(images):
        data.SeriesInstanceUID, data.SeriesNumber = f"{STUDY}.{number // 6}", number // 6
    volume = volumes.read(saved(tmp_path / "x", images[: 3 * 6 + kept]))
    np.testing.assert_array_equal(volume.voxels[:, :3], cine[:, :3])
    np.testing.assert_array_equal(volume.voxels[:kept, 3], cine[:kept, 3])
    assert volume.missing[kept:, 3].all() and volume.missing.sum() == 6 - kept
    assert f"slice 3 has {kept} of 6" in " ".join(volume.remarks)
