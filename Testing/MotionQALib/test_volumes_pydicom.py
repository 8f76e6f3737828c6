"""Real and synthetic files that come with pydicom: file, shape, spacing, frames and remarks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom.data
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

FILES = Path(pydicom.data.__file__).parent / "test_files"

SMALL, CT = ("field of view",), ("modality is CT",)
MR = ((1, 1, 64, 64), (0.8, 0.3125, 0.3125), SMALL)

READ = {
    "MR_small.dcm": MR,
    "MR_small_RLE.dcm": MR,
    "MR_small_bigendian.dcm": MR,
    "MR_small_expb.dcm": MR,
    "MR_small_implicit.dcm": MR,
    "MR_small_padded.dcm": MR,
    "CT_small.dcm": ((1, 1, 128, 128), (5.0, 0.661468, 0.661468), (*CT, *SMALL)),
    "dicomdirtests/98892003/MR1/15820": ((1, 1, 16, 16), (10, 1.367, 1.367), ("a localiser",)),
    "dicomdirtests/98892003/MR2/4950": ((1, 1, 16, 16), (10, 1.172, 1.172), SMALL),
    "dicomdirtests/77654033/CT2/17106": ((1, 1, 16, 16), (1.25, 0.488, 0.488), CT),
}

REFUSED = {
    "ExplVR_BigEnd.dcm": "holds only colour images",
    "JPEG-lossy.dcm": "holds only secondary captures",
    "SC_rgb_jpeg.dcm": "holds only secondary captures",
    "GDCMJ2K_TextGBR.dcm": "holds only secondary captures",
    "examples_overlay.dcm": "holds only derived maps",
    "examples_palette.dcm": "holds only colour images",
    "examples_ybr_color.dcm": "holds only colour images",
    "dicomdirtests/98892003/MR700/4467": "holds only derived maps",
    "dicomdirtests/98892001/CT2N/6293": "holds only localisers",
    "liver_1frame.dcm": "holds only segmentations",
    "rtdose.dcm": "holds only dose maps",
    "rtplan.dcm": "is not a DICOM image",
    "rtstruct.dcm": "is not a DICOM image",
    "reportsi.dcm": "is not a DICOM image",
    "waveform_ecg.dcm": "is not a DICOM image",
    "dicomdirtests/DICOMDIR": "is not a DICOM image",
    "MR_truncated.dcm": "is cut short",
    "no_meta.dcm": "is not a DICOM image",
}


@pytest.fixture
def alone(tmp_path):
    """Copy one file into a folder of its own: what lies beside it is no part of its series."""

    def copy(name: str) -> Path:
        if not (FILES / name).is_file():
            pytest.skip(f"this pydicom comes without {name}")
        (tmp_path / "x").mkdir()
        return Path(shutil.copy(FILES / name, tmp_path / "x" / Path(name).name))

    return copy


@pytest.mark.parametrize("name", READ)
def test_what_is_read(alone, name):
    shape, spacing, remarks = READ[name]
    volume = volumes.read(alone(name))
    assert volume.voxels.shape == shape
    assert volume.spacing == pytest.approx(spacing, rel=1e-3)
    for words in remarks:
        assert words in " ".join(volume.remarks)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(alone, name):
    with pytest.raises(VolumeError) as error:
        volumes.read(alone(name))
    assert REFUSED[name] in str(error.value)
    assert Path(name).name in str(error.value)


@pytest.mark.parametrize("name", ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"])
def test_compressed_ones_are_decoded_where_a_package_can(alone, name):
    try:
        volume = volumes.read(alone(name))
    except VolumeError as error:
        assert "needs the Python package" in str(error)
    else:
        assert volume.voxels.shape == MR[0]


def test_a_disc_of_several_patients():
    """Each volume by itself, under a name of its own, and what was left out is said."""
    found = [volumes.read(path) for path in volumes.find(FILES / "dicomdirtests" / "98892003")]
    assert len({volume.name for volume in found}) == len(found) > 1
    assert "7 images of its study beside it: derived maps" in " ".join(
        remark for volume in found for remark in volume.remarks
    )
