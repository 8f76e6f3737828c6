"""DICOM as hospitals, anonymisers and viewers leave it: never a wrong volume without a word."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import RLELossless, generate_uid

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

from .test_volumes_dicom import enhanced, image, save

STUDY = "1.2.826.0.1.3680043.8.498.9"
CORONAL = [1, 0, 0, 0, 0, -1]


@pytest.fixture
def cine(rng):
    """(frames, slices, rows, columns)"""
    return rng.integers(50, 900, (3, 4, 24, 24), dtype=np.uint16)


def stack(cine, times=True, **facts):
    """Images of a short-axis cine, frame by frame within each slice."""
    frames, slices = cine.shape[:2]
    made = []
    for s in range(slices):
        for f in range(frames):
            data = image(cine[f, s], place=(0, 0, 8.0 * s), time=40.0 * f if times else None)
            data.StudyInstanceUID, data.PatientID, data.Modality = STUDY, "P1", "MR"
            data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
            data.InstanceNumber = s * frames + f + 1
            data.PixelSpacing = [8.0, 8.0]
            for keyword, value in facts.items():
                setattr(data, keyword, value)
            made.append(data)
    return made


def saved(folder, images, start=0):
    for number, data in enumerate(images, start):
        save(data, folder / f"IM{number:03d}")
    return folder


def remarks_of(path):
    return " ".join(volumes.read(path).remarks)


def also(images, change, which=lambda number: True):
    """The images again, changed, with UIDs of their own."""
    made = []
    for number, data in enumerate(images):
        if which(number):
            other = copy.deepcopy(data)
            other.SOPInstanceUID = generate_uid()
            change(other)
            made.append(other)
    return made


def set_to(**facts):
    def change(data):
        for keyword, value in facts.items():
            setattr(data, keyword, value)

    return change


def private(tag, vr, value, **facts):
    def change(data):
        set_to(**facts)(data)
        data.add(DataElement(tag, vr, value))

    return change


def other_pixels(change=lambda data: None):
    def apply(data):
        change(data)
        data.PixelData = bytes(reversed(data.PixelData))

    return apply


# Frames that are none

PHASES = {
    "siemens": set_to(ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]),
    "philips": set_to(ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]),
    "philips velocity": set_to(ImageType=["ORIGINAL", "PRIMARY", "VELOCITY MAP", "P", "PCA"]),
    "philips private": private(0x20051011, "CS", "P", ImageType=["ORIGINAL", "PRIMARY"]),
    "ge": private(0x0043102F, "SS", 1, Manufacturer="GE MEDICAL SYSTEMS"),
    "ge imaginary": private(0x0043102F, "SS", 3, Manufacturer="GE MEDICAL SYSTEMS"),
    "component": set_to(ComplexImageComponent="PHASE"),
    "units": set_to(ImageType=["ORIGINAL", "PRIMARY"], RescaleType="milliradials"),
    "real": set_to(ImageType=["ORIGINAL", "PRIMARY", "R", "ND"]),
    "map": set_to(ImageType=["DERIVED", "PRIMARY", "M", "T1 MAP"]),
    "t2 map": set_to(ImageType=["DERIVED", "SECONDARY", "T2"]),
    "reformat": set_to(ImageType=["DERIVED", "SECONDARY", "MPR"]),
    "screen": set_to(ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"]),
}


@pytest.mark.parametrize("kind", PHASES)
def test_what_is_no_magnitude_is_no_frame(tmp_path, cine, kind):
    images = stack(cine)
    change = other_pixels(PHASES[kind])
    folder = saved(tmp_path / "x", [*images, *also(images, change)])
    volume = volumes.read(folder)
    np.testing.assert_array_equal(volume.voxels, cine)
    assert "Left out beside the magnitude images: 12 " in volume.remarks[0]
    only = saved(tmp_path / "only", also(images, change))
    with pytest.raises(VolumeError, match=r"^only holds only .*no slice to grade"):
        volumes.read(only)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"EchoTime": 9.8, "EchoNumbers": 2}, r"2 echo times \(1.2, 9.8\); 1.2 is graded"),
        ({"DiffusionBValue": 500.0}, "2 b-values"),
        ({"InversionTime": 900.0}, "2 inversion times"),
        ({"ContrastBolusAgent": "GADO"}, "2 contrasts"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "NORM"]}, "2 kinds of image"),
    ],
)
def test_echoes_and_their_like_are_no_frames(tmp_path, cine, facts, words):
    images = stack(cine, EchoTime=1.2, DiffusionBValue=0.0, InversionTime=100.0, times=False)
    folder = saved(tmp_path / "x", [*images, *also(images, other_pixels(set_to(**facts)))])
    volume = volumes.read(folder)
    np.testing.assert_array_equal(volume.voxels, cine)
    assert re.search(words, " ".join(volume.remarks))


def test_a_coloured_screenshot_beside_a_series(tmp_path, cine):
    shot = image(cine[0, 0])
    shot.SOPClassUID = shot.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    shot.StudyInstanceUID = STUDY
    del shot.ImagePositionPatient
    folder = saved(tmp_path / "x", [*stack(cine), shot])
    volume = volumes.read(folder)
    assert volume.voxels.shape == cine.shape
    assert volumes.find(tmp_path) == [folder]


# The same image twice, and slices acquired again


@pytest.mark.parametrize("uid", ["", "1.2.3"])
def test_blank_and_repeated_uids_cost_no_slice(tmp_path, cine, uid):
    volume = volumes.read(saved(tmp_path / "x", stack(cine, SOPInstanceUID=uid)))
    np.testing.assert_array_equal(volume.voxels, cine)


@pytest.mark.parametrize("times", [True, False])
def test_images_exported_twice_are_no_cine(tmp_path, cine, times):
    images = stack(cine[:1], times=times)
    folder = saved(tmp_path / "x", [*images, *also(images, set_to(InstanceNumber=77))])
    volume = volumes.read(folder)
    np.testing.assert_array_equal(volume.voxels, cine[:1])
    assert "4 images are there twice" in " ".join(volume.remarks)


@pytest.mark.parametrize(
    "facts",
    [{"AcquisitionNumber": 2}, {"AcquisitionTime": "101500.5"}, {"SeriesNumber": 9}, {}],
)
def test_of_a_slice_acquired_again_the_later_is_graded(tmp_path, cine, facts):
    images = stack(cine, AcquisitionTime="100000")
    change = set_to(InstanceNumber=90, **facts)
    again = also(images, other_pixels(change), lambda number: number // 3 == 2)
    for number, data in enumerate(again):
        data.InstanceNumber = 90 + number
    volume = volumes.read(saved(tmp_path / "x", [*again, *images]))
    assert volume.voxels.shape == cine.shape
    turned = cine[:, 2].reshape(3, -1).view(np.uint8)[:, ::-1].copy().view("<u2")
    np.testing.assert_array_equal(volume.voxels[:, 2], turned.reshape(3, 24, 24))
    np.testing.assert_array_equal(volume.voxels[:, 1], cine[:, 1])
    assert "Slice 2 (at 16 mm) was acquired twice" in " ".join(volume.remarks)


# Ragged


def test_a_ragged_stack_is_read_image_by_image(tmp_path, cine):
    images = stack(cine)
    lost = {1, 5, 9, 10, 11}  # frames 1 of slice 0, 2 of slice 1, and slice 3
    folder = saved(tmp_path / "x", [d for n, d in enumerate(images) if n not in lost])
    volume = volumes.read(folder)
    assert volume.voxels.shape == (3, 3, 24, 24)
    expected = np.zeros((3, 3), bool)
    expected[1, 0] = expected[2, 1] = True
    np.testing.assert_array_equal(volume.missing, expected)
    np.testing.assert_array_equal(volume.blank, expected)
    np.testing.assert_array_equal(volume.voxels[2, 0], cine[2, 0])
    assert "slice 0 has 2 of 3, slice 1 has 2 of 3" in " ".join(volume.remarks)
    assert volume.origin.instances[1, 0] is None
    assert volume.origin.instances[2, 0].path.name == "IM001"


def test_a_missing_slice_is_remarked(tmp_path, cine):
    images = [data for number, data in enumerate(stack(cine)) if number // 3 != 2]
    volume = volumes.read(saved(tmp_path / "x", images))
    assert volume.voxels.shape[1] == 3
    assert volume.spacing[0] == 8
    assert "Between slices 1 and 2 are 16 mm" in " ".join(volume.remarks)


# A stack of series


# Values


def test_files_without_preamble_and_suffix_are_known_by_content(tmp_path, cine):
    folder = saved(tmp_path / "x", stack(cine))
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[132:])
    (folder / "notes").write_text("no image")
    np.testing.assert_array_equal(volumes.read(folder).voxels, cine)


def test_monochrome1_is_turned(tmp_path, cine):
    images = stack(cine, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    volume = volumes.read(saved(tmp_path / "x", images))
    np.testing.assert_array_equal(volume.voxels, 4095 - cine)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_bits_above_the_stored_ones_are_an_overlay(tmp_path, cine, signed, packed):
    images = stack(cine, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    true = cine.astype(np.int32) - (400 if signed else 0)
    for number, data in enumerate(images):
        pixels = true[number % 3, number // 3].astype("<i2").view("<u2") & 0x0FFF
        pixels[:5] |= 0x7000
        data.PixelData = pixels.tobytes()
        if packed:
            data.compress(RLELossless)
    volume = volumes.read(saved(tmp_path / "x", images))
    np.testing.assert_array_equal(volume.voxels, true)


@pytest.mark.parametrize("written", ["1,4\\1,4 ", "1.4\\1.4 "])
@pytest.mark.parametrize("vr", ["DS", "UT", "LO"])
def test_spacing_with_decimal_commas_or_as_text(tmp_path, cine, written, vr):
    images = stack(cine)
    folder = saved(tmp_path / "x", images)
    for file in folder.iterdir():
        content = file.read_bytes()
        at = content.index(b"\x28\x00\x30\x00DS")
        length = int.from_bytes(content[at + 6 : at + 8], "little")
        value = written.encode()
        size = len(value).to_bytes(4 if vr == "UT" else 2, "little")
        head = b"\x28\x00\x30\x00" + vr.encode() + (b"\0\0" if vr == "UT" else b"") + size
        file.write_bytes(content[:at] + head + value + content[at + 8 + length :])
    assert volumes.read(folder).spacing == pytest.approx((8, 1.4, 1.4))


def test_a_table_that_jitters_makes_no_slices(tmp_path, cine, rng):
    images = stack(cine)
    for data in images:
        x, y, z = data.ImagePositionPatient
        data.ImagePositionPatient = [x, y, round(float(z) + rng.uniform(-0.2, 0.2), 3)]
    volume = volumes.read(saved(tmp_path / "x", images))
    np.testing.assert_array_equal(volume.voxels, cine)


@pytest.mark.parametrize(
    "time",
    [
        lambda f: {"TriggerTime": 35.0 * f},
        lambda f: {"TemporalPositionIdentifier": f + 1},
        lambda f: {"NominalPercentageOfCardiacPhase": 100.0 * f / 3},
        lambda f: {"AcquisitionTime": f"1015{f:02d}.25"},
        lambda f: {"ContentTime": f"1015{f:02d}.25"},
        lambda f: {"NominalCardiacTriggerDelayTime": 35.0 * f},
        lambda f: {"FrameReferenceTime": 35.0 * f},
    ],
)
def test_frames_are_in_the_order_of_time_whatever_tells_it(tmp_path, cine, rng, time):
    images = stack(cine, times=False)
    for number, data in enumerate(images):
        set_to(**time(number % 3), InstanceNumber=int(rng.integers(1000)))(data)
    volume = volumes.read(saved(tmp_path / "x", images))
    np.testing.assert_array_equal(volume.voxels, cine)


@pytest.mark.parametrize("trigger", [None, 0.0, 80.0, 500.0])
def test_a_classic_file_of_many_frames_keeps_their_order(tmp_path, rng, trigger):
    """Its one trigger time, whatever it says, is no frame's own."""
    frames = rng.integers(50, 900, (12, 24, 24), dtype=np.uint16)
    data = image(frames)
    data.FrameTime = 40.0
    if trigger is not None:
        data.TriggerTime = trigger
    save(data, tmp_path / "cine.dcm")
    volume = volumes.read(tmp_path / "cine.dcm")
    assert np.array_equal(volume.voxels[:, 0], frames)
    assert "twice" not in " ".join(volume.remarks)


def test_frames_over_midnight_keep_their_order(tmp_path, cine):
    images = stack(cine[:, :1], times=False)
    clock = [("20260101", "235959"), ("20260102", "000000"), ("20260102", "000001")]
    for number, (data, (day, time)) in enumerate(zip(images, clock, strict=True)):
        data.ContentDate, data.ContentTime, data.InstanceNumber = day, time, 3 - number
    volume = volumes.read(saved(tmp_path / "x", images))
    assert np.array_equal(volume.voxels, cine[:, :1])


@pytest.mark.parametrize("facts", [{"EffectiveEchoTime": float("nan")}])
def test_a_number_that_is_none_costs_no_series(tmp_path, cine, facts):
    images = stack(cine, **facts)
    assert volumes.read(saved(tmp_path / "x", images)).voxels.shape == cine.shape


def test_enhanced_frames_by_their_own_times_and_components(tmp_path, cine, rng):
    data = enhanced(cine, rng.permutation(12))
    for number, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        del group.CardiacSynchronizationSequence
        kind, content = Dataset(), Dataset()
        kind.FrameType, kind.ComplexImageComponent = ["ORIGINAL", "PRIMARY"], "MAGNITUDE"
        group.MRImageFrameTypeSequence = [kind]
        z = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
        pixels = np.frombuffer(data.PixelData, "<u2").reshape(12, 24, 24)[number]
        f = next(f for f in range(3) if np.array_equal(cine[f, int(z // 8)], pixels))
        content.TemporalPositionIndex = f + 1
        group.FrameContentSequence = [content]
    path = save(data, tmp_path / "x" / "e.dcm")
    np.testing.assert_array_equal(volumes.read(path).voxels, cine)
    # The frames of the first moment are phase.
    for group in data.PerFrameFunctionalGroupsSequence:
        if group.FrameContentSequence[0].TemporalPositionIndex == 1:
            group.MRImageFrameTypeSequence[0].ComplexImageComponent = "PHASE"
    volume = volumes.read(save(data, tmp_path / "y" / "e.dcm"))
    np.testing.assert_array_equal(volume.voxels, cine[1:])
    assert "4 phase images" in volume.remarks[0]


# Sets that lost the name of their series


# Mosaics


def tiles(slices, across):
    rows, columns = slices.shape[1:]
    whole = np.zeros((across * rows, across * columns), slices.dtype)
    for number, one in enumerate(slices):
        y, x = divmod(number, across)
        whole[y * rows : (y + 1) * rows, x * columns : (x + 1) * columns] = one
    return whole


def csa(count):
    name = b"NumberOfImagesInMosaic".ljust(64, b"\0")
    item = (2).to_bytes(4, "little") * 4 + str(count).encode().ljust(8)
    return b"SV10\4\3\2\1" + b"\0" * 8 + name + b"\1\0\0\0US\0\0" + b"\6\0\0\0" * 3 + item


@pytest.mark.parametrize("told", ["private", "csa", "matrix"])
def test_a_mosaic_is_taken_apart(tmp_path, rng, told):
    slices = rng.integers(50, 900, (2, 7, 16, 16), dtype=np.uint16)
    for f in range(2):
        data = image(tiles(slices[f], 3), time=40.0 * f)
        data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
        if told == "private":
            data.add(DataElement(0x0019100A, "US", 7))
        elif told == "csa":
            data.add(DataElement(0x00291010, "OB", csa(7)))
        else:
            data.AcquisitionMatrix = [16, 0, 0, 16]
        save(data, tmp_path / "x" / f"{f}.dcm")
    volume = volumes.read(tmp_path / "x")
    np.testing.assert_array_equal(volume.voxels[:, :7], slices)
    assert "It is a mosaic" in " ".join(volume.remarks)
    assert volume.voxels.shape[1] == (9 if told == "matrix" else 7)


def test_a_mosaic_that_tells_nothing_is_refused(tmp_path, rng):
    data = image(rng.integers(0, 900, (48, 48), dtype=np.uint16))
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    with pytest.raises(VolumeError, match=r"is a mosaic.*does not tell"):
        volumes.read(save(data, tmp_path / "x" / "a.dcm"))


def test_other_modalities_are_remarked(tmp_path, cine):
    assert "modality is CT" in remarks_of(saved(tmp_path / "x", stack(cine, Modality="CT")))
