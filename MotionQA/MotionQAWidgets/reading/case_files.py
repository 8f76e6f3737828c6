"""Cases' files as volumes in the scene, under names that say nothing of them.

Files are read without Slicer's loading dialogs, which list what they open. What comes has no file
name, no DICOM identifiers and no description left. Slices count as in the file: the scores of a
slice-by-slice study, the network's grades and the training's labels speak of the same ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib import volumes
from MotionQALib.formats.file_kinds import is_dicom
from MotionQALib.volumes import Volume, VolumeError

from .. import cine_reader

MARK = "MotionQA.Case"
"""The attribute of nodes that are the study's and go with it."""

AUTO_WINDOW_LEVEL = 8  # vtkSlicerVolumesLogic::AutoWindowLevel; Python has no name for it


def load(path: Path, name: str):
    """Open a file or a DICOM series' folder; of a cine, the volume in which its frames play.

    Raises
    ------
    VolumeError : it cannot be read; a sentence for the reader, who sees the name only
    """
    if path == Path() or not path.exists():
        raise VolumeError(
            _(
                "{name} is not where it was any more. If its file was moved, add the new folder "
                "(Import and export): the case keeps its scores."
            ).format(name=name)
        )
    try:
        if path.is_dir() or is_dicom(path):
            node = _from_library(volumes.read(path), name)
        elif cine_reader.frame_count(path) > 1:
            sequence, _browser = cine_reader.load(path, name, show=False)
            sequence.RemoveAttribute(cine_reader.SOURCE)
            sequence.SetAttribute(MARK, "1")
            node = _play(sequence, name)
        else:
            node = _from_slicer(path, name)
            if node is None:
                node = _from_library(volumes.read(path), name)
    except VolumeError:  # whose sentence names the file
        node = None
    if node is None or node.GetImageData() is None:
        raise VolumeError(_("{name} could not be read as an image.").format(name=name))
    return node


def twin(node, name: str):
    """A volume of another name that shares the voxels of one in the scene; a cine plays in it."""
    if node.GetImageData() is None:
        raise VolumeError(_("{name} holds no image any more.").format(name=name))
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    if browser is not None:
        return _play(browser.GetSequenceNode(node), name)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    other.CopyOrientation(node)
    other.SetAndObserveImageData(node.GetImageData())
    other.SetAndObserveTransformNodeID(node.GetTransformNodeID())
    other.CreateDefaultDisplayNodes()
    return other


def parts_of(node) -> list:
    """The nodes that go with a case's volume, itself among them; none once it has gone.

    A sequence that the user has loaded is not among them.
    """
    if not slicer.mrmlScene.IsNodePresent(node):
        return []
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    sequence = None if browser is None else browser.GetSequenceNode(node)
    if sequence is not None and sequence.GetAttribute(MARK) is None:
        sequence = None
    nodes = (browser, sequence, node, node.GetDisplayNode())
    return [part for part in nodes if part is not None]


def _from_slicer(path: Path, name: str):
    logic = slicer.modules.volumes.logic()
    node = logic.AddArchetypeVolume(str(path), name, AUTO_WINDOW_LEVEL)
    if node is None:
        return None
    storage = node.GetStorageNode()
    if storage is not None:
        node.SetAndObserveStorageNodeID(None)
        slicer.mrmlScene.RemoveNode(storage)
    node.SetDescription("")
    if node.GetClassName() == "vtkMRMLScalarVolumeNode":
        return node
    for part in (node.GetDisplayNode(), node):  # the frames of a 4-D file, taken for colours
        slicer.mrmlScene.RemoveNode(part)
    return None


def _from_library(volume: Volume, name: str):
    """What Slicer's reader of volumes cannot, its rows to the right and its columns down.

    That takes the frames of a DICOM cine for slices, and those of a 4-D NRRD file for colours.
    """
    frames = [np.ascontiguousarray(frame) for frame in volume.voxels]
    between, rows, columns = volume.spacing
    to_ras = np.diag([-columns, -rows, between, 1.0])
    if len(frames) == 1:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        _fill(node, frames[0], to_ras)
        node.CreateDefaultDisplayNodes()
        return node
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetAttribute(MARK, "1")
    for number, frame in enumerate(frames):
        node = slicer.vtkMRMLScalarVolumeNode()
        _fill(node, frame, to_ras)
        sequence.SetDataNodeAtValue(node, str(number))
    return _play(sequence, name)


def _fill(node, voxels: np.ndarray, to_ras: np.ndarray) -> None:
    slicer.util.updateVolumeFromArray(node, voxels)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(to_ras))


def _play(sequence, name: str):
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.SetOverwriteProxyName(sequence, False)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    node = browser.GetProxyNode(sequence)
    node.SetName(name)
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    return node
