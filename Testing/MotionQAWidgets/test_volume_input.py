"""Volumes of the scene as the grading process takes them: DICOM series, cines, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from host import pythonqt

from . import graded

pythonqt(__name__)
SERIES = "1.2.826.0.1.3680043.8.498.77"
ROWS, COLUMNS = 66, 72


def pixels(frames: int, slices: int) -> np.ndarray:
    """(frames, slices, rows, columns): a ring that differs from slice to slice, and noise."""
    rng = np.random.default_rng(6)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    images = rng.integers(0, 60, (frames, slices, ROWS, COLUMNS))
    for f in range(frames):
        for s in range(slices):
            away = np.hypot(rows - 30 - s, columns - 34 - 2 * f)
            images[f, s] += (500 * (abs(away - 14 - s) < 4)).astype(int)
    return images.astype(np.uint16)


def write_series(folder: Path, images: np.ndarray) -> list[list[Path]]:
    """A short-axis series, oblique, its files named in no order; the files by frame and slice."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    folder.mkdir()
    along, down = np.array([0.8, 0.6, 0.0]), np.array([0.0, 0.0, -1.0])
    frames, slices = images.shape[:2]
    names = np.random.default_rng(2).permutation(frames * slices)
    files: list[list[Path]] = [[] for _ in range(frames)]
    for name, (f, s) in zip(names, np.ndindex(frames, slices), strict=True):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        data.Modality, data.SeriesInstanceUID, data.SeriesNumber = "MR", SERIES, 7
        data.StudyInstanceUID, data.FrameOfReferenceUID = f"{SERIES}.1", f"{SERIES}.2"
        data.InstanceNumber = int(f * slices + s + 1)
        data.Rows, data.Columns = ROWS, COLUMNS
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        data.PixelSpacing, data.SliceThickness = [1.4, 1.4], 6
        data.ImageOrientationPatient = [*along, *down]
        data.ImagePositionPatient = list(np.round(np.cross(along, down) * 8.0 * s + 10, 6))
        if frames > 1:
            data.TriggerTime = 35.0 * f
        data.PixelData = images[f, s].astype("<u2").tobytes()
        data["PixelData"].VR = "OW"
        data.save_as(folder / f"IM{name:04d}.dcm", enforce_file_format=True)
        files[f].append(folder / f"IM{name:04d}.dcm")
    return files


def of_series(node) -> None:
    """As the DICOM module does: under its study, with the series' UID."""
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    hierarchy.SetItemUID(hierarchy.GetItemByDataNode(node), "DICOM", SERIES)


def load_files(files: list[Path]):
    """A volume of these files only, ordered by place, as the DICOM module gives them to Slicer."""
    import slicer

    scene = slicer.mrmlScene
    storage = scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(files[0]))
    for file in files:
        storage.AddFileName(str(file))
    storage.SetSingleFile(False)
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "frame")
    assert storage.ReadData(node)
    scene.RemoveNode(storage)
    return node


@pytest.fixture
def logic(host):
    import slicer

    host.load_module("MotionQA")
    logic = slicer.util.getModuleLogic("MotionQA")
    yield logic
    logic.grading.worker.close()


def test_a_dicom_series_is_graded_as_by_the_command_line(host, logic, tmp_path):
    from MotionQAWidgets.volume_input import VolumeInput

    images = pixels(1, 5)
    files = write_series(tmp_path / "stack", images)
    node = load_files(files[0])
    of_series(node)
    taken = VolumeInput.of_node(node)
    assert taken.spacing == pytest.approx((8.0, 1.4, 1.4)) and taken.slice_axis == 2
    assert taken.identity == f"dicom:{SERIES}"
    assert np.array_equal(taken.frames[0], images[0])
    found = logic.assess(node, device="cpu")
    graded.same_as_command_line(found, tmp_path / "stack", tmp_path)


def test_a_dicom_cine_is_graded_as_by_the_command_line(host, logic, tmp_path):
    """Loaded frame by frame to a sequence, whose proxy is named anew for every frame."""
    import slicer

    from MotionQAWidgets.volume_input import VolumeInput

    images = pixels(4, 3)
    files = write_series(tmp_path / "cine", images)
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "7: short axis")
    for number, frame_files in enumerate(files):
        frame = load_files(frame_files)
        sequence.SetDataNodeAtValue(frame, str(number))
        slicer.mrmlScene.RemoveNode(frame)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.SetOverwriteProxyName(sequence, True)
    node = browser.GetProxyNode(sequence)
    of_series(node)
    browser.SetSelectedItemNumber(2)
    taken = VolumeInput.of_node(node)
    assert (taken.name, taken.identity) == ("7: short axis", f"dicom:{SERIES}")
    assert np.array_equal(np.stack(taken.frames), images)
    found = logic.assess(node, device="cpu")
    graded.same_as_command_line(found, tmp_path / "cine", tmp_path)


def test_colours_and_multi_volumes_get_a_sentence_that_helps(host):
    import slicer

    from MotionQALib.volumes import VolumeError
    from MotionQAWidgets.volume_input import VolumeInput

    colour = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "screenshot")
    slicer.util.updateVolumeFromArray(colour, np.zeros((3, 20, 20, 3), np.uint8))
    with pytest.raises(VolumeError, match=r"screenshot has 3 values a voxel.*shades of grey"):
        VolumeInput.of_node(colour)
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "table")
    with pytest.raises(VolumeError, match=r"table holds no image"):
        VolumeInput.of_node(table)

    class MultiVolume:  # the class comes with Slicer's module MultiVolumeExplorer
        GetName = staticmethod(lambda: "perfusion")
        IsA = staticmethod(lambda name: name == "vtkMRMLMultiVolumeNode")

    with pytest.raises(VolumeError, match=r"perfusion is a multi-volume.*as a volume sequence"):
        VolumeInput.of_node(MultiVolume)
