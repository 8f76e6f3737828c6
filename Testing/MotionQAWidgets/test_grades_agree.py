"""Slicer's and the command line's grades of one file are equal, whatever its format."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt
from MotionQALib.results import Assessment

from . import graded

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


# The grades themselves


def _still_nifti(folder: Path, cine: np.ndarray) -> Path:
    import nibabel

    nibabel.save(nibabel.Nifti1Image(cine[0].T, np.diag([5, 5, 8, 1.0])), folder / "a.nii.gz")
    return folder / "a.nii.gz"


def _still_nrrd(folder: Path, cine: np.ndarray) -> Path:
    head = (
        "NRRD0005\ntype: short\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {COLUMNS} {ROWS} {SLICES}\nendian: little\nencoding: raw\n"
        "space directions: (5,0,0) (0,5,0) (0,0,8)\nspace origin: (0,0,0)\n\n"
    )
    (folder / "a.nrrd").write_bytes(head.encode() + cine[0].tobytes())
    return folder / "a.nrrd"


def _still_meta(folder: Path, cine: np.ndarray) -> Path:
    head = (
        f"ObjectType = Image\nNDims = 3\nDimSize = {COLUMNS} {ROWS} {SLICES}\n"
        "ElementSpacing = 5 5 8\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    (folder / "a.mha").write_bytes(head.encode() + cine[0].tobytes())
    return folder / "a.mha"


STILL = {
    "nifti": _still_nifti,
    "metaimage": _still_meta,
    "nrrd": _still_nrrd,
    "dicom": lambda folder, cine: dicom(folder, cine[:1]),
}
GRADED = {
    **{f"3-D {kind}": write for kind, write in STILL.items()},
    **{f"4-D {kind}": write for kind, write in FORMATS.items()},
}


@pytest.fixture(scope="module")
def files(cine, tmp_path_factory):
    """What is graded, by format."""
    root = tmp_path_factory.mktemp("formats")
    found = {}
    for number, (kind, write) in enumerate(GRADED.items()):
        folder = root / f"{number:02d}"
        folder.mkdir()
        found[kind] = write(folder, cine)
    return found


@pytest.fixture(scope="module")
def by_command_line(files, tmp_path_factory):
    """Grades of ``motionqa assess``, by format."""
    output = tmp_path_factory.mktemp("grades") / "grades.json"
    command = [sys.executable, "-m", "MotionQALib.cli", "assess", *map(str, files.values())]
    command += ["--device", "cpu", "--precision", "fp32", "--json", str(output)]
    subprocess.run(command, cwd=graded.LIBRARY, check=True, timeout=280)
    found = json.loads(output.read_text("utf-8"))["assessments"]
    return dict(zip(files, map(Assessment.from_dict, found), strict=True))


_in_slicer: dict[str, Assessment] = {}
"""Graded by one process, in the first of the tests."""


def _grade_in_slicer(host, files) -> None:
    import slicer

    from MotionQAWidgets import cine_reader
    from MotionQAWidgets.series_volume import volume_of_files

    host.load_module("MotionQA")
    logic = slicer.util.getModuleLogic("MotionQA")
    for kind, path in files.items():
        if path.is_dir():
            node = volume_of_files(sorted(path.iterdir()))
        elif kind.startswith("3-D"):
            node = slicer.util.loadVolume(str(path))
        else:
            sequence, browser = cine_reader.load(path)
            node = browser.GetProxyNode(sequence)
        _in_slicer[kind] = logic.assess(node, device="cpu")
    logic.grading.worker.close()


@pytest.mark.parametrize("kind", GRADED)
def test_the_grades_are_the_command_lines(host, files, by_command_line, kind):
    if not _in_slicer:
        _grade_in_slicer(host, files)
    found, expected = _in_slicer[kind], by_command_line[kind]
    frames = 1 if kind.startswith("3-D") else FRAMES
    assert found.probabilities.shape == expected.probabilities.shape == (frames, SLICES, 5)
    # Each process measures which precision is the faster one; bf16 has two to three digits.
    near = 1e-5 if found.precision == expected.precision else 0.05
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=near)
    np.testing.assert_allclose(found.volume_probabilities, expected.volume_probabilities, atol=near)
    if found.precision == expected.precision:
        assert [row.score for row in found.rows()] == [row.score for row in expected.rows()]
    assert np.ptp(expected.probabilities, axis=(0, 1)).max() > 1e-3  # they tell slices apart
