"""Slicer's and the command line's grades of one file are equal, whatever its format."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt

pythonqt(__name__)
FRAMES, SLICES, ROWS, COLUMNS = 3, 2, 48, 56


@pytest.fixture(scope="module")
def cine():
    return np.random.default_rng(0).integers(50, 900, (FRAMES, SLICES, ROWS, COLUMNS), np.int16)


def nifti(folder: Path, cine: np.ndarray, inner: bool = False) -> Path:
    import nibabel

    voxels = cine.T[:, :, :, None] if inner else cine.T
    image = nibabel.Nifti1Image(voxels, np.diag([5, 5, 8, 1.0]))
    image.header.set_xyzt_units("mm", "msec")
    nibabel.save(image, folder / "a.nii.gz")
    return folder / "a.nii.gz"


def negative_pixdim(folder: Path, cine: np.ndarray) -> Path:
    path = nifti(folder, cine)
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[80:92] = np.array([5, -5, 8], "<f4").tobytes()
    content[252:256] = b"\0" * 4  # no affine
    path.write_bytes(gzip.compress(bytes(content)))
    return path


def meta(folder: Path, cine: np.ndarray) -> Path:
    head = (
        f"ObjectType = Image\nNDims = 4\nDimSize = {COLUMNS} {ROWS} {SLICES} {FRAMES}\n"
        "ElementSpacing = 5 5 8 1\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    (folder / "a.mha").write_bytes(head.encode() + cine.tobytes())
    return folder / "a.mha"


def nrrd(folder: Path, cine: np.ndarray) -> Path:
    head = (
        "NRRD0005\ntype: short\ndimension: 4\nspace: left-posterior-superior-time\n"
        f"sizes: {COLUMNS} {ROWS} {SLICES} {FRAMES}\nendian: little\nencoding: raw\n"
        "space directions: (5,0,0,0) (0,5,0,0) (0,0,8,0) (0,0,0,1)\n"
        "kinds: space space space time\nspace origin: (0,0,0,0)\n\n"
    )
    (folder / "a.nrrd").write_bytes(head.encode() + cine.tobytes())
    return folder / "a.nrrd"


def dicom(folder: Path, cine: np.ndarray) -> Path:
    from .test_dicom_plugin import write

    write(folder / "a", cine.astype(np.uint16))
    return folder / "a"


FORMATS = {
    "nifti": nifti,
    "nifti x,y,z,1,t": lambda folder, cine: nifti(folder, cine, inner=True),
    "nifti negative pixdim": negative_pixdim,
    "metaimage": meta,
    "nrrd": nrrd,
    "dicom": dicom,
}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_grading_process_is_given_the_same(host, cine, tmp_path, kind):
    """The same voxels at the same spacing: what follows is one program's."""
    from MotionQALib import volumes
    from MotionQAWidgets import cine_reader
    from MotionQAWidgets.series_volume import volume_of_files
    from MotionQAWidgets.volume_input import VolumeInput

    path = FORMATS[kind](tmp_path, cine)
    read = volumes.read(path)
    assert read.voxels.shape == (FRAMES, SLICES, ROWS, COLUMNS)
    if path.is_dir():
        node = volume_of_files(sorted(path.iterdir()))
    else:
        assert cine_reader.frame_count(path) == FRAMES
        sequence, browser = cine_reader.load(path)
        node = browser.GetProxyNode(sequence)
    given = VolumeInput.of_node(node)
    np.testing.assert_array_equal(np.stack(given.frames), read.voxels)
    assert given.spacing == pytest.approx(read.spacing, rel=1e-5)
    assert given.slice_axis == read.slice_axis
