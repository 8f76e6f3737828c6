"""Volumes of cases in the scene, and how the views show them."""

from __future__ import annotations

import numpy as np
import pytest

from host import pythonqt

from .. import graded
from .images import heart, write_nrrd, write_study

pythonqt(__name__)


@pytest.fixture
def volumes(host):
    from MotionQAWidgets.reading.case_volumes import CaseVolumes

    volumes = CaseVolumes()
    yield volumes
    volumes.close()


@pytest.fixture
def view(host):
    from MotionQAWidgets.reading.case_view import CaseView

    view = CaseView(badge=lambda index: None)
    yield view
    view.close()


def nodes():
    import slicer

    scene = slicer.mrmlScene
    return {scene.GetNthNode(i).GetID() for i in range(scene.GetNumberOfNodes())}


def test_a_volume_keeps_nothing_of_its_file(host, volumes, tmp_path):
    import slicer

    path = write_study(tmp_path, 1)[0]
    node = volumes.node("a", path, "Case 12")
    assert node.GetName() == "Case 12" and node.GetStorageNode() is None
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), heart(0))
    everything = " ".join(str(slicer.mrmlScene.GetNodeByID(name)) for name in nodes())
    assert "Doe" not in everything and "Jane" not in everything
    assert not node.GetSaveWithScene()


def write_series(folder, voxels):
    """A DICOM cine, (frames, slices, rows, columns), with a patient's name in every file."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    folder.mkdir()
    series = generate_uid()
    for frame, index in np.ndindex(voxels.shape[:2]):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.SeriesInstanceUID, data.SeriesNumber = series, 1
        data.PatientName, data.PatientID = "Doe^Jane", "Doe-1"
        data.Rows, data.Columns = voxels.shape[2:]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        data.PixelSpacing, data.SliceThickness = [1.4, 1.5], 6
        data.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        data.ImagePositionPatient = [8.0 * index, 0, 0]
        data.TriggerTime = 35.0 * frame
        data.PixelData = voxels[frame, index].astype("<u2").tobytes()
        data["PixelData"].VR = "OW"
        data.save_as(folder / f"IM{index}{frame}", enforce_file_format=True)
    return folder


def test_a_dicom_cine_plays_without_its_patient(host, volumes, tmp_path):
    import slicer

    from MotionQALib.volumes import read

    before = nodes()
    voxels = np.stack([heart(frame, 2, 32) for frame in range(3)])
    folder = write_series(tmp_path / "series", voxels)
    node = volumes.node("a", folder, "Case 12")
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    wanted = read(folder).voxels  # the slices in the order in which scores count them
    for frame in (0, 2):
        browser.SetSelectedItemNumber(frame)
        host.process_events()
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), wanted[frame])
    assert node.GetName() == "Case 12"
    everything = " ".join(str(slicer.mrmlScene.GetNodeByID(name)) for name in nodes())
    assert "Doe" not in everything
    volumes.clear()
    assert nodes() == before


def test_a_cine_file_plays_without_its_name(host, volumes, tmp_path):
    import nibabel
    import slicer

    before = nodes()
    voxels = np.stack([heart(frame, 3, 32) for frame in range(4)])
    path = tmp_path / "Doe^Jane.nii.gz"
    nibabel.save(nibabel.Nifti1Image(voxels.T, np.diag([1.5, 1.5, 8, 1])), path)
    volumes.read_ahead("a", path)
    node = volumes.node("a", path, "Case 3")
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    browser.SetSelectedItemNumber(3)
    host.process_events()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), voxels[3])
    assert node.GetName() == browser.GetName() == "Case 3"
    everything = " ".join(str(slicer.mrmlScene.GetNodeByID(name)) for name in nodes())
    assert "Doe" not in everything
    volumes.clear()
    assert nodes() == before


def test_a_cine_of_another_format_plays_too(host, volumes, tmp_path):
    import slicer

    before = nodes()
    voxels = np.stack([heart(frame, 3, 32) for frame in range(4)])
    path = tmp_path / "Doe^Jane.nrrd"
    header = (
        "NRRD0004\ntype: int16\ndimension: 4\nspace: left-posterior-superior\n"
        "sizes: 4 32 32 3\nspace directions: none (1.5,0,0) (0,1.5,0) (0,0,8)\n"
        "kinds: list domain domain domain\nendian: little\nencoding: raw\n"
        "space origin: (0,0,0)\n\n"
    )
    path.write_bytes(header.encode() + np.moveaxis(voxels, 0, -1).astype("<i2").tobytes())
    node = volumes.node("a", path, "Case 3")
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    browser.SetSelectedItemNumber(2)
    host.process_events()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), voxels[2])
    volumes.clear()
    assert nodes() == before


def test_a_cine_of_the_scene_plays_under_another_name_and_stays(host, volumes):
    import slicer

    proxy, browser = graded.cine()
    before, name = nodes(), proxy.GetName()
    node = volumes.node("a", proxy.GetID(), "Case 3")
    mine = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    assert mine is not browser and node is not proxy and node.GetName() == "Case 3"
    mine.SetSelectedItemNumber(2)
    host.process_events()
    assert slicer.util.arrayFromVolume(node).max() == 200
    assert slicer.util.arrayFromVolume(proxy).max() == 0
    assert browser.GetMasterSequenceNode().GetSaveWithScene()
    volumes.clear()
    assert nodes() == before and proxy.GetName() == name


def test_few_are_kept_and_none_is_left(host, volumes, tmp_path):
    before = nodes()
    paths = write_study(tmp_path, 7)
    for number, path in enumerate(paths):
        volumes.node(str(number), path, f"Case {number}")
    assert [number for number in range(7) if volumes.is_ready(str(number))] == [3, 4, 5, 6]
    volumes.clear()
    assert nodes() == before


def test_what_was_read_ahead_is_there(host, volumes, tmp_path):
    paths = write_study(tmp_path, 2)
    volumes.read_ahead("b", paths[1])
    paths[1].unlink()
    assert volumes.node("b", paths[1], "Case 2").GetName() == "Case 2"


def test_what_cannot_be_read_is_said_without_its_name(host, volumes, tmp_path):
    from MotionQALib.volumes import VolumeError

    damaged = tmp_path / "Doe^Jane.nrrd"
    damaged.write_text("no image")
    for path in (damaged, tmp_path / "Doe^John.nrrd"):
        with pytest.raises(VolumeError, match="Case 3") as raised:
            volumes.node(path.name, path, "Case 3")
        assert "Doe" not in str(raised.value)
        volumes.read_ahead(path.name, path)


def test_it_survives_the_scene(host, volumes, tmp_path):
    import slicer

    path = write_study(tmp_path, 1)[0]
    first = volumes.node("a", path, "Case 1")
    slicer.mrmlScene.RemoveNode(first)
    assert not volumes.is_ready("a")
    volumes.node("a", path, "Case 1")
    slicer.mrmlScene.Clear(False)
    assert not volumes.is_ready("a")
    assert volumes.node("a", path, "Case 1").GetImageData() is not None


@pytest.mark.parametrize("directions", ["axial", "oblique"])
def test_slices_are_shown_as_acquired(host, volumes, view, tmp_path, directions):
    import slicer

    from MotionQAWidgets import slice_geometry

    path = write_nrrd(tmp_path / "a.nrrd", heart(0, 5), directions)
    node = volumes.node("a", path, "Case 1")
    view.show(node, 2, 1)
    red = slicer.app.layoutManager().sliceWidget("Red")
    assert slice_geometry.is_parallel(red.mrmlSliceNode(), node, 2)
    assert view.slice == 1
    heard = []
    view.changed.connect(lambda: heard.append(view.slice))
    view.show_slice(4)
    red.sliceLogic().SetSliceOffset(red.sliceLogic().GetSliceOffset() + 500)
    assert heard == [4, None]


def test_a_badge_follows_the_slice_and_goes(host, volumes, tmp_path):
    from MotionQALib.scale import Grade
    from MotionQAWidgets.reading.case_view import CaseView

    node = volumes.node("a", write_study(tmp_path, 1)[0], "Case 1")
    view = CaseView(badge=lambda index: ("4 · good", Grade.MILD) if index == 2 else None)
    view.show(node, 2, 1)
    without = host.pixels("Red")
    view.show_slice(2)
    with_badge = host.pixels("Red")
    blue = np.array([0x6F, 0xB0, 0xF0])
    assert (abs(with_badge[:, 1].astype(int) - blue).max(axis=-1) < 12).mean() > 0.9
    assert not (abs(without[:, 1].astype(int) - blue).max(axis=-1) < 12).any()
    view.close()
    assert not (abs(host.pixels("Red")[:, 1].astype(int) - blue).max(axis=-1) < 12).any()


def test_the_layout_is_lent(host):
    import slicer

    from MotionQAWidgets.reading.case_view import CaseView

    layout = slicer.app.layoutManager()
    before = layout.layout
    view = CaseView(badge=lambda index: None)
    assert layout.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    view.close()
    assert layout.layout == before
