"""NRRD and MetaImage files to volumes."""

from __future__ import annotations

import zlib

import nrrd
import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

SPACING = (8.0, 1.4, 1.5)


@pytest.fixture
def stored(rng):
    """Voxels in the file's own axes (columns, rows, slices)."""
    return rng.integers(-50, 900, (20, 24, 5), dtype=np.int16)


def directions(*steps):
    return {"space": "left-posterior-superior", "space directions": np.array(steps)}


CUBE = directions([1.5, 0, 0], [0, 1.4, 0], [0, 0, 8.0])


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("suffix", ["nrrd", "nhdr"])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<f4", "<f8"])
def test_nrrd(tmp_path, stored, encoding, suffix, dtype):
    path = tmp_path / f"heart.{suffix}"
    nrrd.write(str(path), stored.astype(dtype), {**CUBE, "encoding": encoding})
    volume = volumes.read(path)
    np.testing.assert_array_equal(volume.voxels[0], stored.T)
    assert volume.voxels.dtype == (np.float32 if "f" in dtype else np.int16)
    assert volume.spacing == pytest.approx(SPACING)
    assert (volume.name, volume.slice_axis) == ("heart", 2)


def test_nrrd_names_that_are_not_ascii(tmp_path, stored):
    nrrd.write(str(tmp_path / "heart.nhdr"), stored, {**CUBE, "encoding": "raw"})
    header = (tmp_path / "heart.nhdr").read_text().replace("heart.raw", "herz ä.raw")
    (tmp_path / "herz ä.nhdr").write_text(header, encoding="utf-8")
    (tmp_path / "heart.raw").rename(tmp_path / "herz ä.raw")
    assert volumes.read(tmp_path / "herz ä.nhdr").name == "herz ä"


def test_nrrd_spacings_without_directions(tmp_path, stored):
    nrrd.write(str(tmp_path / "x.nrrd"), stored, {"spacings": [1.5, 1.4, 8.0]})
    assert volumes.read(tmp_path / "x.nrrd").spacing == pytest.approx(SPACING)


def test_nrrd_units(tmp_path, stored):
    header = directions([0.15, 0, 0], [0, 0.14, 0], [0, 0, 0.8])
    nrrd.write(str(tmp_path / "x.nrrd"), stored, {**header, "space units": ["cm"] * 3})
    assert volumes.read(tmp_path / "x.nrrd").spacing == pytest.approx(SPACING)


@pytest.mark.parametrize("axis", [0, 3])
@pytest.mark.parametrize("kinds", [True, False])
def test_nrrd_frames_where_the_header_says(tmp_path, rng, axis, kinds):
    """Slicer's sequences and multi-volumes have their frames first."""
    cine = rng.integers(0, 900, (20, 24, 5, 6), dtype=np.int16)
    steps = [[1.5, 0, 0], [0, 1.4, 0], [0, 0, 8.0]]
    steps.insert(axis, [np.nan] * 3)
    header = directions(*steps)
    if kinds:
        header["kinds"] = ["domain"] * 3
        header["kinds"].insert(axis, "list")
    path = tmp_path / "cine.seq.nrrd"
    nrrd.write(str(path), np.moveaxis(cine, 3, axis), header)
    volume = volumes.read(path)
    assert volume.frame_axis == axis
    assert volume.spacing == pytest.approx(SPACING)
    np.testing.assert_array_equal(volume.voxels, cine.T)


@pytest.mark.parametrize("kind", ["RGB-color", "vector", "complex", "3-color"])
def test_nrrd_colour_vectors_and_complex_are_refused(tmp_path, rng, kind):
    size = 2 if kind == "complex" else 3
    header = {"kinds": [kind, "domain", "domain", "domain"]}
    path = tmp_path / "x.nrrd"
    nrrd.write(str(path), rng.integers(0, 255, (size, 20, 24, 5), dtype=np.uint8), header)
    with pytest.raises(VolumeError, match=r"^x\.nrrd holds (colour|complex)"):
        volumes.read(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((b"sizes: 20 24 5", b"sizes: 20 24 500"), "cut short"),
        ((b"sizes: 20 24 5", b"sizes: 20 24 99999999999"), "cut short"),
        ((b"sizes: 20 24 5", b"sizes: 20 0 5"), "impossible size"),
        ((b"sizes: 20 24 5", b"sizes: 20 24"), "export it again"),
        ((b"dimension: 3", b"dimension: three"), "export it again"),
        ((b"type: int16", b"type: block"), "unknown type"),
        ((b"encoding: raw", b"encoding: hex"), "encoded as 'hex'"),
        ((b"(0,0,8)", b"(0,2.8,0)"), "singular"),
        ((b"(0,0,8)", b"(0,0,0)"), "singular"),
        ((b"NRRD", b"NURD"), "not an NRRD file"),
        ((b"encoding: raw", b"content: raw"), "lacks the field 'encoding'"),
    ],
)
def test_damaged_nrrd(tmp_path, stored, change, words):
    path = tmp_path / "x.nrrd"
    nrrd.write(str(path), stored, {**CUBE, "encoding": "raw"})
    content = path.read_bytes()
    assert change[0] in content.replace(b"8.0", b"8")
    path.write_bytes(content.replace(b"8.0", b"8").replace(*change, 1))
    with pytest.raises(VolumeError, match=words) as error:
        volumes.read(path)
    assert "x.nrrd" in str(error.value)


def test_nrrd_whose_data_file_is_gone(tmp_path, stored):
    nrrd.write(str(tmp_path / "x.nhdr"), stored, {**CUBE, "encoding": "raw"})
    (tmp_path / "x.raw").unlink()
    with pytest.raises(VolumeError, match=r"needs x\.raw beside it, which is missing"):
        volumes.read(tmp_path / "x.nhdr")


def meta(path, content, data=b"", **fields):
    """Write a MetaImage header (and its data, when local)."""
    header = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "ElementSpacing": "1.5 1.4 8",
        "DimSize": "20 24 5",
        "ElementType": "MET_SHORT",
        **fields,
        "ElementDataFile": content,
    }
    lines = "".join(f"{key} = {value}\n" for key, value in header.items() if value is not None)
    path.write_bytes(lines.encode() + data)
    return path


def check_meta(path, stored):
    volume = volumes.read(path)
    np.testing.assert_array_equal(volume.voxels[0], stored.T)
    assert volume.spacing == pytest.approx(SPACING)
    return volume


def test_metaimage_local(tmp_path, stored):
    volume = check_meta(meta(tmp_path / "é.mha", "LOCAL", stored.tobytes("F")), stored)
    assert (volume.voxels.dtype, volume.name) == (np.int16, "é")


def test_metaimage_big_endian(tmp_path, stored):
    data = stored.astype(">i2").tobytes("F")
    check_meta(meta(tmp_path / "x.mha", "LOCAL", data, BinaryDataByteOrderMSB="True"), stored)


def test_metaimage_compressed(tmp_path, stored):
    data = zlib.compress(stored.tobytes("F"))
    check_meta(meta(tmp_path / "x.mha", "LOCAL", data, CompressedData="True"), stored)
    (tmp_path / "x.zraw").write_bytes(data)
    check_meta(meta(tmp_path / "x.mhd", "x.zraw", CompressedData="True"), stored)


def test_metaimage_separate_file_with_a_header_of_its_own(tmp_path, stored):
    (tmp_path / "data ö.raw").write_bytes(b"12345678" + stored.tobytes("F"))
    check_meta(meta(tmp_path / "x.mhd", "data ö.raw", HeaderSize=8), stored)
    check_meta(meta(tmp_path / "y.mhd", "data ö.raw", HeaderSize=-1), stored)


def test_metaimage_list_and_pattern(tmp_path, stored):
    for index in range(5):
        (tmp_path / f"slice{index:02d}.raw").write_bytes(stored[..., index].tobytes("F"))
    names = "".join(f"slice{index:02d}.raw\n" for index in range(5)).encode()
    check_meta(meta(tmp_path / "list.mhd", "LIST", names), stored)
    check_meta(meta(tmp_path / "pattern.mhd", "slice%02d.raw 0 4 1"), stored)


def test_metaimage_text(tmp_path, stored):
    data = " ".join(map(str, stored.ravel("F"))).encode()
    check_meta(meta(tmp_path / "x.mha", "LOCAL", data, BinaryData="False"), stored)


def test_metaimage_slope(tmp_path, stored):
    fields = {"ElementToIntensityFunctionSlope": 2, "ElementToIntensityFunctionOffset": 1}
    path = meta(tmp_path / "x.mha", "LOCAL", stored.tobytes("F"), **fields)
    volume = volumes.read(path)
    np.testing.assert_array_equal(volume.voxels[0], stored.T * 2.0 + 1)


def test_metaimage_cine(tmp_path, rng):
    cine = rng.integers(0, 900, (20, 24, 5, 6), dtype=np.int16)
    fields = {
        "NDims": 4,
        "DimSize": "20 24 5 6",
        "ElementSpacing": "1.5 1.4 8 1",
        "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
    }
    volume = volumes.read(meta(tmp_path / "x.mha", "LOCAL", cine.tobytes("F"), **fields))
    np.testing.assert_array_equal(volume.voxels, cine.T)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"DimSize": "20 24 500"}, "cut short"),
        ({"DimSize": "20 24 9999999999999"}, "cut short"),
        ({"DimSize": "20 24"}, "as many sizes as axes"),
        ({"DimSize": "20 24 -5"}, "impossible size"),
        ({"DimSize": "20 24 five"}, "cannot be read"),
        ({"DimSize": None}, "lacks the field 'DimSize'"),
        ({"ElementType": "MET_STRING"}, "unknown type"),
        ({"ElementType": "MET_SHORT_ARRAY"}, "colour"),
        ({"ElementNumberOfChannels": 3}, "colour"),
        ({"ElementSpacing": "0 1.4 8"}, "impossible spacing"),
        ({"ElementSpacing": "1.5 1.4 nan"}, "impossible spacing"),
        ({"TransformMatrix": "1 0 0 1 0 0 0 0 1"}, "singular"),
        ({"CompressedData": "True"}, "cut short or damaged"),
        ({"HeaderSize": 4000}, "cut short"),
    ],
)
def test_damaged_metaimage(tmp_path, stored, fields, words):
    path = meta(tmp_path / "x.mha", "LOCAL", stored.tobytes("F"), **fields)
    with pytest.raises(VolumeError, match=words) as error:
        volumes.read(path)
    assert "x.mha" in str(error.value)


def test_metaimage_whose_data_files_are_gone(tmp_path):
    with pytest.raises(VolumeError, match=r"needs x\.raw beside it, which is missing"):
        volumes.read(meta(tmp_path / "x.mhd", "x.raw"))
    with pytest.raises(VolumeError, match="export it again"):
        volumes.read(meta(tmp_path / "y.mhd", "LIST"))


def test_a_picture_renamed(tmp_path):
    (tmp_path / "x.mha").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    with pytest.raises(VolumeError, match="not a MetaImage file"):
        volumes.read(tmp_path / "x.mha")
