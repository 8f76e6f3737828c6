"""4-D NIfTI files opened in Slicer: as sequences, where Slicer itself opens the first frame."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt

from . import graded

pythonqt(__name__)
LATE = 150.0
FRAMES, SLICES, ROWS, COLUMNS = 4, 3, 60, 72
OBLIQUE = np.array(
    [[1.2, 0.3, 0.8, -40.0], [-0.4, 1.4, 1.0, 25.0], [0.2, -0.5, 7.6, -10.0], [0, 0, 0, 1]]
)


def orthogonal(affine: np.ndarray) -> np.ndarray:
    """The nearest affine without shear, which a quaternion can hold and Slicer takes."""
    u, _, v = np.linalg.svd(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    out = affine.copy()
    out[:3, :3] = (u @ v) * np.linalg.norm(affine[:3, :3], axis=0)
    return out


def write(path: Path, dtype="int16", *, step=35.0, units="msec", slope=None, form="sform") -> Path:
    """A 4-D NIfTI in which every frame differs."""
    import nibabel

    rng = np.random.default_rng(8)
    voxels = rng.integers(0, 800, (COLUMNS, ROWS, SLICES, FRAMES)).astype(dtype)
    affine = orthogonal(OBLIQUE)
    image = nibabel.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm", units)
    image.header["pixdim"][4] = step
    image.set_sform(affine, 1 if form == "sform" else 0)
    image.set_qform(affine, 1 if form == "qform" else 0)
    if slope is not None:
        image.header.set_slope_inter(slope, -3.0)
    nibabel.save(image, path)
    return path


def matrix(node) -> np.ndarray:
    import slicer
    import vtk

    to_ras = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(to_ras)
    return slicer.util.arrayFromVTKMatrix(to_ras)


# The header alone


def test_a_cine_is_known_by_its_header(host, tmp_path):
    import nibabel

    from MotionQAWidgets import cine_reader

    assert cine_reader.frame_count(write(tmp_path / "a.nii.gz")) == FRAMES
    assert cine_reader.frame_count(write(tmp_path / "a.nii")) == FRAMES
    voxels = np.zeros((6, 5, 4, 3), np.int16)
    nibabel.save(nibabel.Nifti2Image(voxels, np.eye(4)), tmp_path / "two.nii.gz")
    assert cine_reader.frame_count(tmp_path / "two.nii.gz") == 3
    big = nibabel.Nifti1Image(voxels, np.eye(4), nibabel.Nifti1Header(endianness=">"))
    nibabel.save(big, tmp_path / "big.nii")
    assert cine_reader.frame_count(tmp_path / "big.nii") == 3
    last = nibabel.Nifti1Image(voxels[:, :, :, None], np.eye(4))
    nibabel.save(last, tmp_path / "last.nii")  # x, y, z, 1, t
    assert cine_reader.frame_count(tmp_path / "last.nii") == 3


def test_what_is_no_cine_is_left_to_slicer(host, tmp_path):
    import nibabel

    from MotionQAWidgets import cine_reader

    for shape in ((6, 5, 4), (6, 5, 4, 1), (6, 5, 4, 1, 1), (6, 5, 4, 2, 3)):
        nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.int16), np.eye(4)), tmp_path / "b.nii")
        assert cine_reader.frame_count(tmp_path / "b.nii") == 1, shape
    for name, content in {
        "empty.nii": b"",
        "short.nii.gz": gzip.compress(b"\x5c\x01\x00\x00"),
        "cut.nii.gz": gzip.compress(bytes(400))[:15],
        "text.nii": b"no image at all, but a text of some length" * 9,
        "cine.nrrd": b"NRRD0004",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert cine_reader.confidence(tmp_path / name) == 0.0, name
    assert cine_reader.confidence(tmp_path / "missing.nii.gz") == 0.0
    (tmp_path / "dwi.bval").write_text("0 1000 1000 1000")
    assert cine_reader.confidence(write(tmp_path / "dwi.nii.gz")) < 0.5
    assert cine_reader.confidence(write(tmp_path / "cine.nii.gz")) > 0.57


# The sequence


@pytest.mark.parametrize("form", ["sform", "qform"])
@pytest.mark.parametrize(("dtype", "slope"), [("int16", None), ("int16", 0.5), ("float32", None)])
def test_each_frame_is_what_slicer_reads_of_one(host, tmp_path, dtype, slope, form):
    """Voxels as the library's; the place that of the same frame as a file of its own."""
    import nibabel
    import slicer

    from MotionQALib import volumes
    from MotionQAWidgets import cine_reader

    path = write(tmp_path / "cine.nii.gz", dtype, slope=slope, form=form)
    first = slicer.util.loadVolume(str(path))
    nibabel.save(nibabel.load(path).slicer[..., 0], tmp_path / "alone.nii")
    alone = slicer.util.loadVolume(str(tmp_path / "alone.nii"))
    sequence, browser = cine_reader.load(path)
    assert sequence.GetNumberOfDataNodes() == FRAMES
    whole = volumes.read(path)
    for number in range(FRAMES):
        frame = sequence.GetNthDataNode(number)
        voxels = slicer.util.arrayFromVolume(frame)
        assert np.array_equal(voxels, whole.voxels[number])
        assert np.allclose(matrix(frame), matrix(alone), atol=1e-4)
    assert np.array_equal(
        slicer.util.arrayFromVolume(sequence.GetNthDataNode(0)), slicer.util.arrayFromVolume(first)
    )
    proxy = browser.GetProxyNode(sequence)
    browser.SetSelectedItemNumber(3)
    assert np.array_equal(slicer.util.arrayFromVolume(proxy), whole.voxels[3])


def test_the_times_are_the_files(host, tmp_path):
    from MotionQAWidgets import cine_reader

    for units, step, expected in (("msec", 35.0, "0.07"), ("sec", 0.035, "0.07")):
        sequence, _ = cine_reader.load(write(tmp_path / "c.nii", step=step, units=units))
        assert (sequence.GetIndexName(), sequence.GetIndexUnit()) == ("time", "s")
        assert sequence.GetNthIndexValue(2) == expected
    sequence, _ = cine_reader.load(write(tmp_path / "c.nii", units="unknown"), show=False)
    assert (sequence.GetIndexName(), sequence.GetNthIndexValue(2)) == ("frame", "2")
    assert _ is None


def test_a_dropped_file_opens_as_a_cine_that_plays(host, tmp_path):
    import slicer

    host.load_module("MotionQA")
    path = write(tmp_path / "hérz cine.nii.gz")
    assert slicer.app.coreIOManager().loadFile(str(path))
    browser = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")[0]
    assert slicer.modules.sequences.browserShown is browser
    sequence = browser.GetMasterSequenceNode()
    assert sequence.GetName() == "hérz cine"
    layers = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    assert layers.GetBackgroundVolumeID() == browser.GetProxyNode(sequence).GetID()
    loaded = slicer.util.loadSequence(str(path), {"name": "again", "show": False})
    assert loaded.GetNumberOfDataNodes() == FRAMES and loaded.GetName() == "again"
    three = tmp_path / "three.nii.gz"
    slicer.util.saveNode(sequence.GetNthDataNode(0), str(three))
    assert slicer.app.coreIOManager().fileType(str(three)) == "VolumeFile"


@pytest.mark.parametrize("name", ["cine.nii", "cine.nii.gz"])
def test_a_damaged_cine_says_so(host, tmp_path, name):
    """ITK would make up what is missing."""
    import slicer

    host.load_module("MotionQA")
    path = write(tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    messages = slicer.vtkMRMLMessageCollection()
    assert not slicer.app.coreIOManager().loadFile(str(path), messages)
    assert "is cut short" in messages.GetAllMessagesAsString()
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []


def test_a_saved_scene_brings_the_cine_back(host, tmp_path):
    import slicer

    from MotionQAWidgets import cine_reader

    path = write(tmp_path / "cine.nii.gz")
    sequence, _ = cine_reader.load(path)
    before = slicer.util.arrayFromVolume(sequence.GetNthDataNode(2)).copy()
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(False)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    sequence = slicer.util.getNodesByClass("vtkMRMLSequenceNode")[0]
    assert np.array_equal(slicer.util.arrayFromVolume(sequence.GetNthDataNode(2)), before)
    assert sequence.GetNthIndexValue(2) == "0.07"
    assert sequence.GetAttribute(cine_reader.SOURCE) == str(path)


# In the panel


@pytest.fixture
def panel(host):
    yield host.enter("MotionQA")
    host.leave()


def test_a_first_frame_alone_is_said_and_the_rest_offered(host, panel, tmp_path):
    import slicer

    assert not panel.ui.framesButton.visible
    first = slicer.util.loadVolume(str(write(tmp_path / "cine.nii.gz")))
    panel.ui.volumeSelector.setCurrentNode(first)
    assert panel.ui.framesLabel.text.startswith("cine.nii.gz holds 4 frames")
    assert panel.ui.framesButton.text == "Load all 4 frames"
    panel.ui.framesButton.click()
    chosen = panel.ui.volumeSelector.currentNode()
    assert chosen is not first and slicer.mrmlScene.IsNodePresent(first)
    browser = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")[0]
    assert browser.GetProxyNode(browser.GetMasterSequenceNode()) is chosen
    assert not panel.ui.framesButton.visible and not panel.ui.framesLabel.visible


def test_a_file_that_went_bad_meanwhile_is_said(host, panel, tmp_path):
    import slicer

    path = write(tmp_path / "cine.nii")
    panel.ui.volumeSelector.setCurrentNode(slicer.util.loadVolume(str(path)))
    path.write_bytes(path.read_bytes()[:2000])
    panel.ui.framesButton.click()
    assert "is cut short" in panel.ui.messageLabel.text


# As the command line grades it


def test_the_grades_of_all_frames_are_the_command_lines(host, tmp_path):
    import slicer

    host.load_module("MotionQA")
    logic = slicer.util.getModuleLogic("MotionQA")
    path = write(tmp_path / "cine.nii.gz")
    assert slicer.app.coreIOManager().loadFile(str(path))
    found = logic.assess(logic.shownVolume(), device="cpu")
    logic.grading.worker.close()
    assert found.probabilities.shape == (FRAMES, SLICES, 5)
    assert found.source == str(path) and found.volume == "cine"
    graded.same_as_command_line(found, path, tmp_path)
