"""A DICOM series or stack, read by the library, as a volume of the scene or a sequence of them.

node = volume_of_series(voxels, read, name)     # what another process has read
node = volume_of_files(files, name)             # read here; VolumeError says why it cannot be
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib.volume_process import VolumeRead
from MotionQALib.volumes import Volume, read_files

from . import cine_reader
from .volume_input import REMARKS


def volume_of_files(files: Sequence[str | Path], name: str = ""):
    """The one stack that files hold, read as the command line reads it."""
    with suppress(ImportError):  # it comes with Slicer, and decodes what pydicom alone cannot
        import SimpleITK  # noqa: F401
    return volume_of(read_files([Path(file) for file in files]), name)


def volume_of(volume: Volume, name: str = ""):
    """A volume of the library in the scene; of several frames, the one that they play in."""
    return volume_of_series(volume.voxels, VolumeRead.of(volume), name or volume.name)


def volume_of_series(voxels: np.ndarray, read: VolumeRead, name: str):
    """(frames, slices, rows, columns) voxels in the scene, with time, geometry and remarks."""
    scene = slicer.mrmlScene
    to_ras = slicer.util.vtkMatrixFromArray(np.reshape(read.to_ras, (4, 4)))
    name = scene.GenerateUniqueName(name)
    if len(voxels) == 1:
        kept = node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        _fill(node, voxels[0], to_ras)
        node.CreateDefaultDisplayNodes()
    else:
        kept = sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
        timed = len(read.times) == len(voxels)
        sequence.SetIndexName(_("time") if timed else _("frame"))
        sequence.SetIndexUnit("ms" if timed else "")
        for number, frame in enumerate(voxels):
            still = slicer.vtkMRMLScalarVolumeNode()
            _fill(still, frame, to_ras)
            still.SetName(f"{name}_{number:04d}")
            value = f"{read.times[number]:.6g}" if timed else str(number)
            sequence.SetDataNodeAtValue(still, value)
        node = cine_reader.play(sequence).GetProxyNode(sequence)
    if read.remarks:
        kept.SetAttribute(REMARKS, json.dumps(read.remarks))
    if read.series_uid:
        _identify(node, read.series_uid)
    return node


def _fill(node, voxels: np.ndarray, to_ras) -> None:
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(voxels))
    node.SetIJKToRASMatrix(to_ras)


def _identify(node, uid: str) -> None:
    """So that the series is known again, as where Slicer's DICOM module has loaded it."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item_id = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    if item_id > 0:
        hierarchy.SetItemUID(item_id, "DICOM", uid)
