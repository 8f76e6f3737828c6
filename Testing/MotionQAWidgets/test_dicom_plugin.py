"""Our reader in Slicer's DICOM browser, and the offer of a whole stack in the panel."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from host import pythonqt
from processes import SOON

pythonqt(__name__)
STUDY = "1.2.826.0.1.3680043.8.498.41"


def write(folder: Path, cine: np.ndarray, *, series=lambda s: 0) -> list[Path]:
    """A short-axis cine (frames, slices, rows, columns), oblique, a file an image."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    folder.mkdir(exist_ok=True)
    files = []
    across, down = np.array([0.8, 0.6, 0]), np.array([0, 0, -1.0])
    for s in range(cine.shape[1]):
        for f in range(cine.shape[0]):
            data = Dataset()
            data.file_meta = FileMetaDataset()
            data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = MRImageStorage
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            data.StudyInstanceUID, data.PatientID, data.Modality = STUDY, "P1", "MR"
            data.SeriesInstanceUID = f"{STUDY}.{series(s)}"
            data.SeriesNumber, data.SeriesDescription = series(s) + 1, f"cine_sax_{series(s)}"
            data.InstanceNumber, data.TriggerTime = f + 1 + 100 * s, 40.0 * f
            data.ImageOrientationPatient = [*across, *down]
            data.ImagePositionPatient = list(np.cross(across, down) * 8 * s + [10, 20, 30])
            data.PixelSpacing, data.SliceThickness = [5.0, 5.0], 8
            data.Rows, data.Columns = cine.shape[2:]
            data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
            data.BitsAllocated = data.BitsStored = 16
            data.HighBit, data.PixelRepresentation = 15, 0
            data.PixelData = cine[f, s].tobytes()
            files.append(folder / f"{s}-{f}.dcm")
            data.save_as(files[-1], enforce_file_format=True)
    return files


@pytest.fixture
def cine():
    return np.random.default_rng(0).integers(50, 900, (3, 4, 48, 56), dtype=np.uint16)


@pytest.fixture
def plugin(host, monkeypatch):
    """What the DICOM module would make of what the module registered."""
    import slicer

    class DICOMPlugin:
        def __init__(self):
            self.loadType, self.placed = "Generic DICOM", []

        def addSeriesInSubjectHierarchy(self, loadable, node):  # noqa: N802
            self.placed.append(node)

    library = types.ModuleType("DICOMLib")
    library.DICOMPlugin = DICOMPlugin
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    monkeypatch.setattr(slicer, "qSlicerDICOMLoadable", types.SimpleNamespace, raising=False)
    monkeypatch.setattr(slicer.modules, "dicomPlugins", {}, raising=False)
    import MotionQA

    MotionQA.registerDICOMPlugin()
    return slicer.modules.dicomPlugins["MotionQAShortAxisPlugin"]()


def test_a_ragged_cine_is_offered_and_read_whole(plugin, cine, tmp_path):
    import slicer

    from MotionQALib import volumes
    from MotionQAWidgets.volume_input import VolumeInput, frame_nodes

    files = write(tmp_path / "x", cine)
    files.pop(5).unlink()  # slice 1 has two of three frames
    (loadable,) = plugin.examineForImport([list(map(str, files))])
    assert loadable.confidence > 0.9 and loadable.selected
    assert "4 slices × 3 frames" in loadable.name
    assert "slice 1 has 2 of 3" in loadable.warning
    node = plugin.load(loadable)
    assert plugin.placed == [node]
    read = volumes.read(tmp_path / "x")
    given = VolumeInput.of_node(node)
    np.testing.assert_array_equal(np.stack(given.frames), read.voxels)
    assert given.spacing == pytest.approx(read.spacing)
    assert given.remarks == read.remarks
    assert len(frame_nodes(node)) == 3
    to_ras = slicer.util.arrayFromVTKMatrix(_matrix(node))
    np.testing.assert_allclose(to_ras[:3, 3], [-10, -20, 30])
    np.testing.assert_allclose(to_ras[:3, 0], [-4, -3, 0], atol=1e-6)


def test_series_for_each_slice_are_offered_as_one_stack(plugin, cine, tmp_path):
    files = write(tmp_path / "x", cine, series=lambda s: s)
    by_series = [[str(file) for file in files[3 * s : 3 * s + 3]] for s in range(4)]
    (loadable,) = plugin.examineForImport(by_series)
    assert len(loadable.files) == 12
    assert "Joined from 4 series" in loadable.tooltip


def test_what_is_no_cine_is_left_to_others(plugin, cine, tmp_path):
    files = write(tmp_path / "x", cine[:1])
    assert plugin.examineForImport([list(map(str, files))]) == []


def test_a_part_of_a_stack_offers_the_whole(host, cine, tmp_path):
    import slicer

    from MotionQAWidgets.frames_offer import FramesOffer

    files = write(tmp_path / "x", cine, series=lambda s: s)
    database = slicer.dicomDatabase
    database.openDatabase(str(tmp_path / "database" / "ctkDICOM.sql"))
    for file in files:
        database.insert(str(file))
    part = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "slice 0")
    slicer.util.updateVolumeFromArray(part, cine[0, :1])
    uids = [database.instanceForFile(str(file)) for file in files[:1]]
    part.SetAttribute("DICOM.instanceUIDs", " ".join(uids))
    loaded, said = [], []
    ui = types.SimpleNamespace(framesLabel=_Part(), framesButton=_Part())
    offer = FramesOffer(ui, loaded.append, said.append)
    offer.refresh(part)
    host.wait_until(lambda: ui.framesButton.visible, seconds=SOON)
    assert "4 slices × 3 frames in 4 series" in ui.framesLabel.text
    ui.framesButton.clicked.call()
    assert loaded == [] and not ui.framesButton.enabled
    host.wait_until(lambda: loaded or said, seconds=SOON)
    assert said == [] and len(loaded) == 1 and ui.framesButton.enabled
    assert slicer.util.arrayFromVolume(loaded[0]).shape == (4, 48, 56)
    offer.refresh(None)
    assert not ui.framesButton.visible
    offer.refresh(part)  # what is known is told at once
    assert ui.framesButton.visible
    offer.close()
    database.closeDatabase()


class _Part:
    """A label or button, as far as the offer knows it."""

    def __init__(self):
        self.visible, self.text, self.clicked = False, "", self
        self.connect = lambda call: setattr(self, "call", call)


def _matrix(node):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def test_no_file_is_opened_where_the_window_lives(host, cine, tmp_path, monkeypatch):
    """A study may lie on a share that does not answer."""
    import slicer

    from MotionQAWidgets.series_offer import SeriesOffer

    files = write(tmp_path / "x", cine, series=lambda s: s)
    database = slicer.dicomDatabase
    database.openDatabase(str(tmp_path / "database" / "ctkDICOM.sql"))
    for file in files:
        database.insert(str(file))
    part = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "slice 0")
    slicer.util.updateVolumeFromArray(part, cine[0, :1])
    part.SetAttribute("DICOM.instanceUIDs", database.instanceForFile(str(files[0])))
    opened, found = [], []
    open_path = Path.open

    def opening(path, *how, **more):
        opened.append(path)
        return open_path(path, *how, **more)

    monkeypatch.setattr(Path, "open", opening)
    offer = SeriesOffer()
    offer.found.connect(lambda node, stack: found.append((node, stack)))
    offer.look(part)
    assert offer.busy
    host.wait_until(lambda: found, seconds=SOON)
    assert found[0][0] is part and len(found[0][1].files) == 12
    assert not set(files) & set(opened)
    offer.stop()
    database.closeDatabase()


def test_grades_of_the_stack_lie_on_each_slice_that_was_loaded_alone(host, cine, tmp_path):
    import slicer

    from MotionQAWidgets.part_results import result_of_part
    from MotionQAWidgets.scene_results import SceneResults
    from MotionQAWidgets.series_volume import volume_of_files
    from MotionQAWidgets.slice_overlay import badge_for

    from .graded import assessment

    files = write(tmp_path / "x", cine, series=lambda s: s)
    whole = volume_of_files(files)
    parts = [volume_of_files(files[3 * s : 3 * s + 3]) for s in range(4)]
    results = SceneResults()
    scores = [[5, 4, 3, 1], [5, 3, 2, 1], [4, 4, 2, 2]]
    results.store(whole, assessment(scores))
    view = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    for number, part in enumerate(parts):
        result = result_of_part(results, part)
        assert (result.part, result.volume_node) == (number, part)
        slicer.util.setSliceViewerLayers(background=part, fit=True)
        view.RotateToVolumePlane(part)
        _jump_to(view, part)
        for frame in (0, 2):
            result.browser_node.SetSelectedItemNumber(frame)
            words, _grade = badge_for(view, result_of_part(results, part))
            assert words.startswith(str(scores[frame][number])), (number, frame, words)
    results.withhold([parts[0].GetID()])
    assert result_of_part(results, parts[0]) is None
    results.withhold([])
    (tmp_path / "again").mkdir()
    again = volume_of_files(write(tmp_path / "again", cine[:, 1:2] // 2))
    assert result_of_part(results, again) is None  # other voxels, acquired where slice 0 was
    results.close()


def _jump_to(view, part):
    from MotionQAWidgets.slice_geometry import slice_centre

    view.JumpSliceByOffsetting(*slice_centre(part, 0))
