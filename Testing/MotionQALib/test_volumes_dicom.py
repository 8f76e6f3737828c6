"""DICOM series to volumes: single images, cine, enhanced multi-frame, and folders of many."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG2MPML,
    BasicTextSRStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

SERIES = "1.2.826.0.1.3680043.8.498.1"
SAGITTAL = [0, 1, 0, 0, 0, -1]


def image(pixels, *, place=(0, 0, 0), time=None, series=SERIES, syntax=ExplicitVRLittleEndian):
    """One MR image of (rows, columns) or (frames, rows, columns) unsigned 16-bit pixels."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.SeriesInstanceUID = series
    data.SeriesNumber = int(series.rpartition(".")[2])
    data.Rows, data.Columns = pixels.shape[-2:]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 0
    data.PixelSpacing, data.SliceThickness = [1.4, 1.5], 6
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient = list(place)
    if pixels.ndim == 3:
        data.NumberOfFrames = len(pixels)
    if time is not None:
        data.TriggerTime = time
    data.PixelData = pixels.astype("<u2").tobytes()
    data["PixelData"].VR = "OW"
    return data


def save(data, path):
    path.parent.mkdir(exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def cine(rng):
    """(frames, slices, rows, columns)"""
    return rng.integers(0, 900, (4, 3, 24, 20), dtype=np.uint16)


def save_series(folder, cine, **facts):
    """A cine series, its files named in no order of place or time."""
    frames, slices = cine.shape[:2]
    order = np.random.default_rng(1).permutation(frames * slices)
    for name, number in enumerate(order):
        f, s = divmod(int(number), slices)
        place, time = (0, 0, 8.0 * s), 35.0 * f if frames > 1 else None
        save(image(cine[f, s], place=place, time=time, **facts), folder / f"IM{name:04d}")
    return folder


def test_a_cine_series_is_sorted_by_place_and_trigger_time(tmp_path, cine):
    folder = save_series(tmp_path / "short-axis", cine)
    (folder / "README.txt").write_text("nothing to see")
    volume = volumes.read(folder)
    np.testing.assert_array_equal(volume.voxels, cine)
    assert volume.voxels.dtype == np.uint16
    assert volume.spacing == pytest.approx((8.0, 1.4, 1.5))
    assert (volume.name, volume.source) == ("short-axis", folder)
    assert volume.identity == f"dicom:{SERIES}"
    assert (volume.slice_axis, volume.frame_axis) == (2, 3)
    assert volumes.find([tmp_path]) == [folder]


def test_a_stack_without_frames(tmp_path, cine):
    volume = volumes.read(save_series(tmp_path / "stack", cine[:1]))
    np.testing.assert_array_equal(volume.voxels, cine[:1])
    assert (volume.slice_axis, volume.frame_axis) == (2, None)


def test_one_slice_and_one_frame(tmp_path, cine):
    save(image(cine[0, 0]), tmp_path / "one" / "a.dcm")
    volume = volumes.read(tmp_path / "one")
    np.testing.assert_array_equal(volume.voxels, cine[:1, :1])
    assert volume.spacing == pytest.approx((6.0, 1.4, 1.5))


def test_a_cine_of_one_slice(tmp_path, cine):
    volume = volumes.read(save_series(tmp_path / "one", cine[:, :1]))
    np.testing.assert_array_equal(volume.voxels, cine[:, :1])


def test_slices_along_another_direction(tmp_path, cine):
    for s in (2, 0, 1):
        data = image(cine[0, s], place=(5.0 * s, 0, 0))
        data.ImageOrientationPatient = SAGITTAL
        save(data, tmp_path / "sagittal" / f"{s}.dcm")
    volume = volumes.read(tmp_path / "sagittal")
    assert volume.spacing[0] == pytest.approx(5.0)
    assert volume.voxels.shape == (1, 3, 24, 20)
    # The normal points to the patient's right here, so the stack runs from the left.
    np.testing.assert_array_equal(volume.voxels[0], cine[0, ::-1])


def test_rescaling_makes_real_numbers(tmp_path, cine):
    data = image(cine[0, 0])
    data.RescaleSlope, data.RescaleIntercept = 0.5, -10
    volume = volumes.read(save(data, tmp_path / "x" / "a.dcm").parent)
    assert volume.voxels.dtype == np.float32
    np.testing.assert_allclose(volume.voxels[0, 0], cine[0, 0] * 0.5 - 10)


def test_classic_multiframe_files_are_a_cine_a_slice(tmp_path, cine):
    for s in range(3):
        save(image(cine[:, s], place=(0, 0, 8.0 * s)), tmp_path / "x" / f"{2 - s}.dcm")
    np.testing.assert_array_equal(volumes.read(tmp_path / "x").voxels, cine)


def enhanced(cine, order):
    """All slices and frames in one file, facts in functional groups."""
    slices = cine.shape[1]
    data = image(cine.reshape(-1, *cine.shape[2:])[order])
    for keyword in ("ImageOrientationPatient", "ImagePositionPatient", "PixelSpacing"):
        delattr(data, keyword)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, measures.SliceThickness = [1.4, 1.5], 8
    plane.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    data.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for number in order:
        f, s = divmod(int(number), slices)
        group, where, when, scale = Dataset(), Dataset(), Dataset(), Dataset()
        where.ImagePositionPatient = [0, 0, 8.0 * s]
        when.NominalCardiacTriggerDelayTime = 35.0 * f
        scale.RescaleSlope, scale.RescaleIntercept = 1, 0
        group.PlanePositionSequence = [where]
        group.CardiacSynchronizationSequence = [when]
        group.PixelValueTransformationSequence = [scale]
        groups.append(group)
    data.PerFrameFunctionalGroupsSequence = groups
    return data


def test_enhanced_multiframe(tmp_path, cine, rng):
    path = save(enhanced(cine, rng.permutation(12)), tmp_path / "x" / "enhanced.dcm")
    volume = volumes.read(path.parent)
    np.testing.assert_array_equal(volume.voxels, cine)
    assert volume.spacing == pytest.approx((8.0, 1.4, 1.5))
    np.testing.assert_array_equal(volumes.read(path).voxels, cine)


def test_run_length_encoding_needs_no_package(tmp_path, cine):
    data = image(cine[0, 0])
    data.compress(RLELossless)
    volume = volumes.read(save(data, tmp_path / "x" / "a.dcm").parent)
    np.testing.assert_array_equal(volume.voxels[0, 0], cine[0, 0])


@pytest.mark.parametrize(
    ("syntax", "words"),
    [
        (JPEGLosslessSV1, "JPEG Lossless.*python-gdcm"),
        (JPEG2000Lossless, "JPEG 2000.*pylibjpeg-openjpeg"),
        (MPEG2MPML, "MPEG2.*a film"),
    ],
)
def test_compression_without_a_decoder_names_the_package(
    tmp_path, cine, monkeypatch, syntax, words
):
    from pydicom.pixels.decoders.base import Decoder

    monkeypatch.setattr(Decoder, "is_available", property(lambda self: False))
    data = image(cine[0, 0], syntax=syntax)
    data.PixelData = encapsulate([b"no picture at all "])
    data["PixelData"].VR = "OB"
    save(data, tmp_path / "x" / "a.dcm")
    with pytest.raises(VolumeError, match=words):
        volumes.read(tmp_path / "x")


def test_several_series_in_one_folder(tmp_path, cine):
    save_series(tmp_path / "study", cine)
    for s in range(3):
        other = image(cine[1, s], place=(0, 0, 8 * s), series=SERIES[:-1] + "2")
        save(other, tmp_path / "study" / f"Z{s}.dcm")
    with pytest.raises(VolumeError, match=r"^study holds 2 DICOM series"):
        volumes.read(tmp_path / "study")
    first, second = map(volumes.read, volumes.find([tmp_path]))
    np.testing.assert_array_equal(first.voxels, cine)
    np.testing.assert_array_equal(second.voxels, cine[1:2])
    assert (first.name, second.name) == ("study-1", "study-2")
    assert first.identity != second.identity


def test_the_same_image_twice_counts_once(tmp_path, cine):
    folder = save_series(tmp_path / "x", cine)
    (folder / "copy").write_bytes((folder / "IM0003").read_bytes())
    assert volumes.read(folder).voxels.shape == cine.shape


def _colour(data):
    data.SamplesPerPixel, data.PhotometricInterpretation = 3, "RGB"


def _other_orientation(data):
    data.ImageOrientationPatient = SAGITTAL


def _other_size(data):
    data.Rows, data.Columns = 20, 24


def _no_spacing(data):
    del data.PixelSpacing


def _no_area(data):
    data.PixelSpacing = [0, 0]


def _huge(data):
    data.NumberOfFrames = 2_000_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_colour, "holds only colour"),
        (_no_spacing, "no pixel spacing"),
        (_no_area, "no pixel spacing"),
        (_huge, "cut short"),
    ],
)
def test_series_that_cannot_be_graded(tmp_path, cine, change, words):
    for s in range(3):
        data = image(cine[0, s], place=(0, 0, 8.0 * s))
        change(data)
        save(data, tmp_path / "odd" / f"{s}.dcm")
    with pytest.raises(VolumeError, match=words) as error:
        volumes.read(tmp_path / "odd")
    assert "odd" in str(error.value) or "0.dcm" in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [(_other_orientation, "planes of several orientations"), (_other_size, "several sizes")],
)
def test_series_that_make_no_stack(tmp_path, cine, change, words):
    for s in range(3):
        data = image(cine[0, s], place=(0, 0, 8.0 * s))
        if s == 0:
            change(data)
        save(data, tmp_path / "odd" / f"{s}.dcm")
    with pytest.raises(VolumeError, match=rf"^odd .*{words}"):
        volumes.read(tmp_path / "odd")


@pytest.mark.parametrize(
    ("change", "words"),
    [(_colour, "1 colour images"), (_no_spacing, "1 of its images give no pixel spacing")],
)
def test_one_odd_image_is_remarked(tmp_path, cine, change, words):
    for s in range(3):
        data = image(cine[0, s], place=(0, 0, 8.0 * s))
        if s == 0:
            change(data)
        save(data, tmp_path / "odd" / f"{s}.dcm")
    assert words in " ".join(volumes.read(tmp_path / "odd").remarks)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_file_cut_short_is_noticed(tmp_path, cine, share):
    folder = save_series(tmp_path / "x", cine)
    whole = (folder / "IM0003").read_bytes()
    (folder / "IM0003").write_bytes(whole[: int(len(whole) * share)])
    assert volumes.find(tmp_path) == [folder, folder / "IM0003"]
    with pytest.raises(VolumeError, match=r"^IM0003 "):
        volumes.read(folder / "IM0003")
    volume = volumes.read(folder)
    assert volume.missing.sum() == 1
    assert any("left out" in remark and "IM0003" in remark for remark in volume.remarks)


def test_folders_and_files_without_images(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.dcm").write_bytes(b"")
    (tmp_path / "x" / "b.dcm").write_text("not DICOM at all, but a text that was renamed")
    with pytest.raises(VolumeError, match=r"^b\.dcm is not a DICOM image"):
        volumes.read(tmp_path / "x" / "b.dcm")
    assert volumes.find([tmp_path / "x"]) == [tmp_path / "x" / "a.dcm", tmp_path / "x" / "b.dcm"]
    with pytest.raises(VolumeError, match=r"^a\.dcm is not a DICOM image"):
        volumes.read(tmp_path / "x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(VolumeError, match=r"^empty holds no DICOM images"):
        volumes.read(tmp_path / "empty")
    with pytest.raises(VolumeError, match=r"^empty holds no images"):
        volumes.find([tmp_path / "empty"])


@pytest.mark.parametrize("kept", [0, 140, 200, 500])
def test_a_damaged_image_is_named_and_the_others_are_graded(tmp_path, cine, kept):
    """It is a path of its own, so that whoever grades the folder fails for it and goes on."""
    folder = tmp_path / "x"
    for n, series in enumerate(("1", "2")):
        for s in range(3):
            place = (0, 0, 8 * s)
            save(image(cine[n, s], place=place, series=SERIES + series), folder / f"{n}{s}.dcm")
    (folder / "11.dcm").write_bytes((folder / "11.dcm").read_bytes()[:kept])
    found = volumes.find(tmp_path)
    assert [path.name for path in found] == ["00.dcm", "10.dcm", "11.dcm"]
    np.testing.assert_array_equal(volumes.read(found[0]).voxels[0], cine[0])
    np.testing.assert_array_equal(volumes.read(found[1]).voxels[0], cine[1, ::2])
    assert any("11.dcm" in remark for remark in volumes.read(found[1]).remarks)
    with pytest.raises(VolumeError, match=r"^11\.dcm is "):
        volumes.read(found[2])


def test_objects_that_are_no_images_lie_beside_a_series(tmp_path, cine):
    folder = save_series(tmp_path / "x", cine)
    report = image(cine[0, 0])
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = BasicTextSRStorage
    for keyword in ("Rows", "Columns", "PixelData"):
        del report[keyword]
    save(report, folder / "report.dcm")
    (folder / "._IM0001.dcm").write_bytes(b"what macOS leaves on a stick")
    assert volumes.read(folder).voxels.shape == cine.shape


def test_files_of_one_series_are_graded_once(tmp_path, cine):
    folder = save_series(tmp_path / "x", cine)
    for s in range(3):
        save(image(cine[1, s], place=(0, 0, 8 * s), series=SERIES + "2"), folder / f"Z{s}")
    files = sorted(folder.iterdir())
    assert volumes.find(files) == [folder / "IM0000", folder / "Z0"]
