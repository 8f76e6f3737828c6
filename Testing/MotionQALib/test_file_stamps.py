"""What an image is kept under changes with any of its files."""

import os
import shutil

import numpy as np
import pytest

from MotionQALib import batch, volumes
from MotionQALib.file_stamps import files_of, stamps

VOXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)


def replaced_unseen(path, data: bytes):
    """New content of the same size and date, as ``cp -p`` of another export leaves it."""
    state = path.stat()
    assert len(data) == state.st_size
    path.write_bytes(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def meta_image(folder, data_files, lines=()):
    head = ["ObjectType = Image", "NDims = 3", "DimSize = 5 4 3", "ElementType = MET_SHORT"]
    path = folder / "image.mhd"
    path.write_text("\n".join([*head, f"ElementDataFile = {data_files}", *lines]) + "\n")
    return path


def nrrd(folder, data_files, lines=()):
    head = ["NRRD0004", "type: int16", "dimension: 3", "sizes: 5 4 3", "encoding: raw"]
    path = folder / "image.nhdr"
    path.write_text("\n".join([*head, "endian: little", f"data file: {data_files}", *lines]) + "\n")
    return path


@pytest.mark.parametrize("header", [meta_image, nrrd])
@pytest.mark.parametrize(
    ("data_files", "lines"),
    [("part0.raw", ()), ("LIST", ("part0.raw", "part1.raw")), ("part%d.raw 0 1 1", ())],
)
def test_voxels_beside_a_header_count(tmp_path, header, data_files, lines):
    path = header(tmp_path, data_files, lines)
    wanted = [tmp_path / "part0.raw"] if data_files == "part0.raw" else None
    for name in ("part0.raw", "part1.raw", "other.raw"):
        (tmp_path / name).write_bytes(VOXELS.tobytes())
    wanted = wanted or [tmp_path / "part0.raw", tmp_path / "part1.raw"]
    assert files_of(path) == [path, *wanted]
    before = stamps(path)
    replaced_unseen(wanted[-1], VOXELS[::-1].tobytes())
    assert stamps(path) != before


def test_a_file_with_its_voxels_inside_is_alone(tmp_path):
    path = tmp_path / "image.mha"
    path.write_bytes(b"ObjectType = Image\nElementDataFile = LOCAL\nElementDataFile = x.raw\n")
    assert files_of(path) == [path]
    path = tmp_path / "image.nrrd"
    path.write_bytes(b"NRRD0004\ntype: int16\n\ndata file: x.raw\n")
    assert files_of(path) == [path]


def test_an_analyze_pair_is_two_files(tmp_path):
    for name in ("a.hdr", "a.img", "b.img"):
        (tmp_path / name).write_bytes(b"x")
    assert files_of(tmp_path / "a.hdr") == [tmp_path / "a.hdr", tmp_path / "a.img"]


def test_every_file_of_a_series_counts_but_tables_beside_it(tmp_path):
    for name in ("IM1", "IM2.dcm", "labels.csv", "other.nii.gz", ".hidden"):
        (tmp_path / name).write_bytes(b"x")
    series = [tmp_path / "IM1", tmp_path / "IM2.dcm"]
    assert files_of(tmp_path) == files_of(tmp_path / "IM2.dcm") == series
    before = stamps(tmp_path)
    (tmp_path / "labels.csv").write_bytes(b"image,score")
    assert stamps(tmp_path) == before
    replaced_unseen(tmp_path / "IM1", b"y")
    assert stamps(tmp_path) != before


def test_what_is_not_there_has_a_stamp_too(tmp_path):
    assert stamps(tmp_path / "none.nii") == ((str(tmp_path / "none.nii"), -1, -1, -1),)


def test_a_batch_goes_on_without_an_image_whose_voxels_changed(tmp_path):
    path = meta_image(tmp_path, "image.raw")
    (tmp_path / "image.raw").write_bytes(VOXELS.tobytes())
    assert volumes.read(path).n_slices == 3
    before = batch.fingerprint(path)
    assert batch.fingerprint(path) == before
    replaced_unseen(tmp_path / "image.raw", VOXELS[::-1].tobytes())
    assert batch.fingerprint(path) != before
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy, ignore=lambda *_: ["copy"])
    assert batch.fingerprint(copy / path.name) != batch.fingerprint(path)
