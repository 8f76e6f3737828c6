"""NIfTI, NRRD and MetaImage as scanners, converters and repositories leave them."""

from __future__ import annotations

import gzip

import nibabel
import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError


@pytest.fixture
def stored(rng):
    """(columns, rows, slices, frames)"""
    return rng.integers(50, 900, (40, 48, 3, 4), dtype=np.int16)


def nifti(path, stored, *, zooms=(4, 4, 8, 1, 1), affine=None, **header):
    image = nibabel.Nifti1Image(stored, np.diag([4, 4, 8, 1]) if affine is None else affine)
    image.header.set_zooms(zooms[: stored.ndim])
    for field, value in header.items():
        image.header[field] = value
    nibabel.save(image, path)
    return path


def said(volume):
    return " ".join(volume.remarks)


def check(volume, stored):
    np.testing.assert_array_equal(volume.voxels, stored.T)


def test_time_behind_an_inner_singleton_axis(tmp_path, stored):
    volume = volumes.read(nifti(tmp_path / "a.nii.gz", stored[:, :, :, None, :]))
    check(volume, stored)
    assert "the last is its frames" in said(volume)


@pytest.mark.parametrize("intent", [1007, 2003])
def test_vectors_and_colours_are_no_cine(tmp_path, stored, intent):
    path = nifti(tmp_path / "a.nii", stored[:, :, :, None, :3], intent_code=intent)
    with pytest.raises(VolumeError, match="colour"):
        volumes.read(path)


def test_what_may_be_colours_is_remarked(tmp_path, stored):
    rgb = (stored[..., :3] // 4).astype(np.uint8)
    assert "may be colours" in said(volumes.read(nifti(tmp_path / "a.nii", rgb)))
    image = nibabel.Nifti1Image(rgb, np.diag([4, 4, 8, 1]))
    image.header.set_xyzt_units("mm", "sec")
    nibabel.save(image, tmp_path / "b.nii")
    assert volumes.read(tmp_path / "b.nii").remarks == ()


def test_the_sign_of_pixdim_is_a_direction(tmp_path, stored):
    path = nifti(tmp_path / "a.nii", stored[..., 0], sform_code=0, qform_code=0)
    content = bytearray(path.read_bytes())
    content[80:92] = np.array([-4, 4, -8], "<f4").tobytes()
    path.write_bytes(content)
    assert volumes.read(path).spacing == (8, 4, 4)


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("packed", [False, True])
def test_analyze_is_read_and_named(tmp_path, stored, endian, packed):
    header = nibabel.AnalyzeHeader(endianness=endian)
    header.set_data_shape(stored.shape[:3])
    header.set_data_dtype(np.int16)
    header.set_zooms((4, 4, 8))
    (tmp_path / "old.hdr").write_bytes(header.binaryblock)
    data = stored[..., 0].astype(f"{endian}i2").tobytes(order="F")
    name, data = ("old.img.gz", gzip.compress(data)) if packed else ("old.img", data)
    (tmp_path / name).write_bytes(data)
    volume = volumes.read(tmp_path / "old.hdr")
    check(volume, stored[..., :1])
    assert volume.spacing == (8, 4, 4)
    assert "Analyze 7.5" in said(volume)
    assert volumes.find(tmp_path) == [tmp_path / "old.hdr"]


def test_headers_that_contradict_themselves_are_remarked(tmp_path, stored):
    path = nifti(tmp_path / "a.nii", stored[..., 0])
    assert volumes.read(path).remarks == ()
    content = bytearray(path.read_bytes())
    content[80:92] = np.array([5, 5, 8], "<f4").tobytes()
    path.write_bytes(content)
    volume = volumes.read(path)
    assert volume.spacing == (8, 5, 5)
    assert "5 × 5 × 8 (pixdim) and 4 × 4 × 8 (sform)" in said(volume)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"../.git/annex/objects/aa/bb/MD5E-s1--0.nii.gz", "git annex get"),
        (b"/annex/objects/MD5E-s1--0.nii.gz\n", "git annex get"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd", "a.mha", "a.dcm"])
def test_pointers_are_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(VolumeError, match=words):
        volumes.read(tmp_path / name)


def test_links_without_content_are_named(tmp_path):
    (tmp_path / "a.nii.gz").symlink_to("../.git/annex/objects/aa/x.nii.gz")
    (tmp_path / "b.nii.gz").symlink_to("/nowhere/b.nii.gz")
    with pytest.raises(VolumeError, match="git annex get"):
        volumes.read(tmp_path / "a.nii.gz")
    with pytest.raises(VolumeError, match="a link to /nowhere"):
        volumes.read(tmp_path / "b.nii.gz")


HEADER = """NRRD0005
type: short
dimension: 4
space: left-posterior-superior
sizes: 40 48 3 4
space directions: (4,0,0) (0,4,0) (0,0,8) none
kinds: domain domain domain list
endian: little
encoding: {encoding}
space origin: (0,0,0)
{more}
"""


def parts(folder, stored, packed):
    for f in range(stored.shape[3]):
        data = stored[..., f].tobytes(order="F")
        (folder / f"g{f:02d}.raw").write_bytes(gzip.compress(data) if packed else data)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "named",
    [
        "data file: LIST 3\ng00.raw\ng01.raw\ng02.raw\ng03.raw",
        "data file: LIST\ng00.raw\ng01.raw\ng02.raw\ng03.raw",
        "datafile: g%02d.raw 0 3 1",
        "data file: g%02d.raw 0 3 1 3",
    ],
)
def test_nrrd_with_several_data_files(tmp_path, stored, named, packed):
    parts(tmp_path, stored, packed)
    header = HEADER.format(encoding="gzip" if packed else "raw", more=named)
    (tmp_path / "x.nhdr").write_text(header)
    check(volumes.read(tmp_path / "x.nhdr"), stored)
    (tmp_path / "g02.raw").unlink()
    with pytest.raises(VolumeError, match=r"needs g02\.raw beside it"):
        volumes.read(tmp_path / "x.nhdr")


def test_nrrd_whose_data_lie_elsewhere(tmp_path, stored):
    (tmp_path / "raw").mkdir()
    (tmp_path / "headers").mkdir()
    (tmp_path / "raw" / "x.gz").write_bytes(gzip.compress(stored.tobytes(order="F")))
    header = HEADER.format(encoding="gzip", more="data file: ../raw/x.gz\n")
    (tmp_path / "headers" / "x.nhdr").write_text(header)
    check(volumes.read(tmp_path / "headers" / "x.nhdr"), stored)


def test_nrrd_with_a_field_twice(tmp_path, stored):
    header = HEADER.format(encoding="raw", more="space origin: (0,0,0)\n")
    (tmp_path / "x.nrrd").write_bytes(header.encode() + stored.tobytes(order="F"))
    volume = volumes.read(tmp_path / "x.nrrd")
    check(volume, stored)
    assert "'space origin' twice" in said(volume)


# Masks


@pytest.mark.parametrize(
    "mask",
    [
        *("seg_sa.nii", "label_sa_ED.nii", "sa_mask.nii", "sa_mask_ED.nii", "sa-mask-2.nii"),
        *("labelsTr/sa.nii", "segmentations/x/sa.nii", "sa_seg.nii", "masks/a.nii", "mask_a.nii"),
    ],
)
def test_masks_of_many_schemes_are_no_images(tmp_path, stored, mask):
    image = nifti(tmp_path / "sa.nii", stored)
    (tmp_path / mask).parent.mkdir(exist_ok=True, parents=True)
    nifti(tmp_path / mask, (stored > 400).astype(np.uint8))
    found = volumes.find_all(tmp_path)
    assert found.images == [image]
    assert found.masks == [tmp_path / mask]


@pytest.mark.parametrize("name", ["segmented_cine.nii", "unlabelled.nii", "masked.nii", "gtx.nii"])
def test_words_within_words_are_no_masks(tmp_path, stored, name):
    path = nifti(tmp_path / name, stored)
    assert volumes.find(tmp_path) == [path]


@pytest.mark.parametrize("values", [[0, 1], [0, 1, 2, 3], [0, 200, 500, 600]])
@pytest.mark.parametrize("kind", [np.uint8, np.float32, np.int16])
def test_few_whole_numbers_are_a_mask(tmp_path, rng, values, kind):
    mask = np.clip(rng.choice(values, (40, 48, 3)), 0, np.iinfo(np.int16).max).astype(kind)
    with pytest.raises(VolumeError, match="whole numbers only, as segmentations do"):
        volumes.read(nifti(tmp_path / "a.nii", mask))
