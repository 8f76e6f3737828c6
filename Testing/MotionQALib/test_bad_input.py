"""Whatever cannot be graded: one sentence with the file's name, and no other exception."""

from __future__ import annotations

import gzip
import os
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError

AFFINE = np.diag([1.5, 1.4, 8.0, 1.0])
VOXELS = np.random.default_rng(0).integers(0, 900, (20, 24, 5), dtype=np.int16)


def nifti_bytes(voxels=VOXELS, affine=AFFINE, **fields) -> bytes:
    """A .nii file's bytes, its header's fields set afterwards, as no library would."""
    image = nibabel.Nifti1Image(voxels, affine, dtype=voxels.dtype)
    content = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in fields.items():
        header[name] = value
    content[:348] = header.binaryblock
    return bytes(content)


def refused(path, content: bytes | None = None) -> str:
    """Write, read and return the sentence."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VolumeError) as error:
        volumes.read(path)
    sentence = str(error.value)
    assert sentence.startswith(path.name)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def pixdim(*sizes):
    return np.array([1, *sizes, 1, 1, 1, 1], dtype=np.float32)


COLOUR = np.zeros((20, 24, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
NAN, INF = VOXELS.astype(np.float32), VOXELS.astype(np.float64)
NAN[3:5, 4, 2] = np.nan
INF[3, 4, 2] = -np.inf
FLAT = np.array([[1.5, 0, 0, 0], [0, 1.4, 2.8, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
SMALL = VOXELS[:, :1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"Image,Label\nP001-1-ED,1\n" * 30, "not a NIfTI file"),
        (b"\x5c\x01", "not a NIfTI file"),
        (b"\x5c\x01\x00\x00" + b"x" * 500, "not a NIfTI file"),
        (nifti_bytes()[:200], "cut short"),
        (nifti_bytes()[:-1], "cut short"),
        (nifti_bytes(NAN), "2 of 2400 voxels that are no numbers"),
        (nifti_bytes(INF), "1 of 2400 voxels that are no numbers"),
        (nifti_bytes(VOXELS * 1e300), "no numbers"),
        (nifti_bytes(np.full((20, 24, 5), 7, np.int16)), "blank: every voxel is 7"),
        (nifti_bytes(np.zeros((20, 24, 5), np.float32)), "blank: every voxel is 0"),
        (nifti_bytes(COLOUR), "colour"),
        (nifti_bytes(VOXELS.astype(np.complex64)), "complex"),
        (nifti_bytes(VOXELS.astype(np.complex128)), "complex"),
        (nifti_bytes(np.stack([np.stack([VOXELS] * 2, -1)] * 3, axis=-1)), "has 5 axes"),
        (nifti_bytes(SMALL), "one pixel wide"),
        (nifti_bytes(SMALL, np.eye(4)), "one pixel wide"),
        (nifti_bytes(VOXELS[:1]), "one pixel wide"),
        (nifti_bytes(VOXELS[:1], np.eye(4)), "one pixel wide"),
        (nifti_bytes(VOXELS[:1, :, 0]), "one pixel wide"),
        (nifti_bytes(VOXELS[:1, :1, :1]), "one pixel wide"),
        (nifti_bytes(dim=[1, 2400, 1, 1, 1, 1, 1, 1]), "one axis only"),
        (nifti_bytes(dim=[3, 20, 24, -5, 1, 1, 1, 1]), "impossible size"),
        (nifti_bytes(dim=[3, 20, 0, 5, 1, 1, 1, 1]), "impossible size"),
        (nifti_bytes(dim=[0, 20, 24, 5, 1, 1, 1, 1]), "claims 0 axes"),
        (nifti_bytes(dim=[9, 20, 24, 5, 1, 1, 1, 1]), "claims 9 axes"),
        (nifti_bytes(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1]), "cut short"),
        (nifti_bytes(datatype=1), "unknown type"),
        (nifti_bytes(datatype=12345), "unknown type"),
        (nifti_bytes(vox_offset=np.nan), "impossible voxel offset"),
        (nifti_bytes(vox_offset=-400), "impossible voxel offset"),
        (nifti_bytes(vox_offset=1e9), "cut short"),
        (nifti_bytes(srow_z=np.zeros(4)), "singular affine"),
        (nifti_bytes(srow_y=np.full(4, np.nan)), "singular affine"),
        (nifti_bytes(srow_y=FLAT[1], srow_z=FLAT[2]), "singular affine"),
        (nifti_bytes(sform_code=0, qform_code=1, quatern_b=np.nan), "singular affine"),
        (nifti_bytes(pixdim=pixdim(0, 1.4, 8)), "impossible spacing"),
        (nifti_bytes(pixdim=pixdim(1.5, 1.4, 0)), "impossible spacing"),
        (nifti_bytes(pixdim=pixdim(1.5, 1.4, np.nan)), "impossible spacing"),
        (nifti_bytes(pixdim=pixdim(np.inf, 1.4, 8)), "impossible spacing"),
        (nifti_bytes(pixdim=pixdim(1500, 1400, 8000)), "impossible spacing"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_damaged_nifti(tmp_path, content, words, compressed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = tmp_path / ("x.nii.gz" if compressed else "x.nii")
        sentence = refused(path, gzip.compress(content) if compressed and content else content)
    assert words in sentence


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.9, 0.999])
def test_truncated_gzip(tmp_path, share):
    whole = gzip.compress(nifti_bytes())
    sentence = refused(tmp_path / "x.nii.gz", whole[: max(3, int(len(whole) * share))])
    assert "cut short" in sentence or "not a NIfTI" in sentence


def test_a_flipped_bit_in_gzip_is_noticed(tmp_path):
    whole = bytearray(gzip.compress(nifti_bytes(), compresslevel=0))
    whole[len(whole) // 2] ^= 4
    assert "damaged" in refused(tmp_path / "x.nii.gz", bytes(whole))


def test_a_huge_header_on_a_small_file_allocates_nothing(tmp_path, monkeypatch):
    import tracemalloc

    for compress in (bytes, gzip.compress):
        content = compress(nifti_bytes(dim=[4, 2000, 2000, 2000, 60, 1, 1, 1]))
        tracemalloc.start()
        assert "cut short" in refused(tmp_path / "x.nii", content)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20e6


def test_too_little_memory_is_said(tmp_path, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr("MotionQALib.formats.streams.fill", exhausted)
    assert "memory" in refused(tmp_path / "x.nii", nifti_bytes())


def test_missing_files_and_lone_headers(tmp_path):
    assert "does not exist" in refused(tmp_path / "nothing.nii.gz")
    lone = nibabel.Nifti1Pair(VOXELS, AFFINE)
    nibabel.save(lone, tmp_path / "x.hdr")
    (tmp_path / "x.img").unlink()
    assert "x.img" in refused(tmp_path / "x.hdr")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_a_header_may_not_name_a_device_for_its_data(tmp_path):
    meta = "NDims = 2\nDimSize = 8 8\nElementType = MET_SHORT\nBinaryData = False\n"
    nrrd = "NRRD0004\ntype: short\ndimension: 2\nsizes: 8 8\nencoding: ascii\n"
    meta, nrrd = f"{meta}ElementDataFile = %s\n", f"{nrrd}data file: %s\n"
    for name, text in (("x.mhd", meta), ("x.nhdr", nrrd)):
        words = refused(tmp_path / name, (text % "/dev/zero").encode())
        assert words.startswith(f"{name} names zero for its data")
        words = refused(tmp_path / name, (text % "gone.raw").encode())
        assert words.startswith(f"{name} needs gone.raw beside it")


def test_unreadable_permissions(tmp_path, monkeypatch):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(gzip.compress(nifti_bytes()))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root, and Windows, read it all the same

        def forbidden(*_args, **_more):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "open", forbidden)
    assert "may not be read" in refused(path)


def test_other_kinds_of_file(tmp_path):
    assert "of no kind" in refused(tmp_path / "x.png", b"\x89PNG")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.nii")
        assert "no ordinary file" in refused(tmp_path / "pipe.nii")


def test_folders_without_images(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no images here")
    for ask in (volumes.read, lambda path: volumes.find([path])):
        with pytest.raises(VolumeError, match=r"^empty holds no .*images; give "):
            ask(tmp_path / "empty")


@pytest.mark.parametrize("name", ["müller-心臓-❤.nii.gz", "with space's & signs.nii", ".nii"])
def test_names_that_are_not_ascii_work(tmp_path, name):
    folder = tmp_path / "ordner-é"
    folder.mkdir()
    content = nifti_bytes()
    (folder / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    volume = volumes.read(folder / name)
    assert volume.voxels.shape == (1, 5, 24, 20)
    assert volume.name
    assert refused(folder / f"bad-{name}", b"text").startswith(f"bad-{name}")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_no_text_work(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/heart-\xff\n.nii"))
    path.write_bytes(nifti_bytes())
    volume = volumes.read(path)
    volume.name.encode()
    assert volume.name == "heart-�?"


def test_very_long_paths(tmp_path):
    for path in (tmp_path / ("x" * 300 + ".nii.gz"), Path("/".join(["y" * 100] * 60), "x.nii")):
        assert "too long a path" in refused(path)
        with pytest.raises(VolumeError, match="too long a path"):
            volumes.read(volumes.find([path])[0])
    deep = tmp_path / "/".join(["z" * 60] * 12)
    deep.mkdir(parents=True)
    (deep / "x.nii").write_bytes(nifti_bytes())
    assert volumes.read(deep / "x.nii").n_slices == 5


def test_an_impossible_name():
    with pytest.raises(VolumeError):
        volumes.read("nul\0byte.nii")
