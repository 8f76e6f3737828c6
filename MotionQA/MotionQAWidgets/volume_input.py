"""A volume of the scene as what the grading process takes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib.formats.axes import find_axes
from MotionQALib.formats.stored import StoredImage
from MotionQALib.volumes import VolumeError

from .cine_reader import SOURCE
from .relevance_map import is_map

REMARKS = "MotionQA.Remarks"
"""The attribute of a volume or sequence that keeps sentences about how it was read, as JSON."""


@dataclass(frozen=True, eq=False)
class VolumeInput:
    """Voxels and what belongs to them; nothing is copied.

    Attributes
    ----------
    frames : (slices, rows, columns) arrays, views into Slicer's memory
    spacing : mm between slices, rows, columns
    slice_axis : the axis of IJK that slices count along: 0, 1 or 2
    name, source, identity, remarks : as in `MotionQALib.volumes.Volume`; None where not known
    """

    frames: list[np.ndarray]
    spacing: tuple[float, float, float]
    slice_axis: int
    name: str
    source: str | None
    identity: str | None
    remarks: tuple[str, ...] = ()

    @classmethod
    def of_node(cls, node) -> VolumeInput:
        """Of a scalar volume, or of all frames where a sequence browser plays it.

        Raises
        ------
        VolumeError : it holds no image that could be graded; a sentence for the user
        """
        name = _name(node)
        frames = [_voxels(frame, name) for frame in frame_nodes(node)]
        # The command line finds the axes so, too: here and there the grades are the same.
        image = StoredImage(voxels=frames[0].T, spacing=node.GetSpacing())
        slices, _none = find_axes(Path(name), image, None, None)
        columns, rows = (axis for axis in range(3) if axis != slices)
        return cls(
            frames=[frame.T.transpose(slices, rows, columns) for frame in frames],
            spacing=tuple(node.GetSpacing()[axis] for axis in (slices, rows, columns)),
            slice_axis=slices,
            name=name,
            source=source_of(node),
            identity=_identity(node),
            remarks=remarks_of(node),
        )


def is_candidate(node) -> bool:
    """Whether a node is a volume that a user may want graded: no mask, no map, no colour."""
    return (
        node is not None and node.GetClassName() == "vtkMRMLScalarVolumeNode" and not is_map(node)
    )


def frame_nodes(node) -> list:
    """The volumes of a cine that a sequence browser plays in this node, else the node itself."""
    sequence = sequence_of(node)
    if sequence is None or sequence.GetNumberOfDataNodes() < 2:
        return [node]
    return [sequence.GetNthDataNode(i) for i in range(sequence.GetNumberOfDataNodes())]


def sequence_of(node):
    """The sequence that a browser plays in this node, or None."""
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
        sequence = browser.GetSequenceNode(node)
        if sequence is not None:
            return sequence
    return None


def source_of(node) -> str | None:
    """The file of a volume, or of the cine that is played in it."""
    sequence = sequence_of(node)
    if sequence is not None and sequence.GetAttribute(SOURCE):
        return sequence.GetAttribute(SOURCE)
    storage = (node if sequence is None else sequence).GetStorageNode()
    return (storage.GetFileName() or None) if storage is not None else None


def remarks_of(node) -> tuple[str, ...]:
    """What was said of a volume, or of the cine that is played in it, when its file was read."""
    sequence = sequence_of(node)
    kept = (node if sequence is None else sequence).GetAttribute(REMARKS)
    try:
        return tuple(map(str, json.loads(kept))) if kept else ()
    except ValueError:  # edited by hand
        return (str(kept),)


def _name(node) -> str:
    """A browser may write the frame into the name of the volume that it plays."""
    sequence = sequence_of(node)
    return node.GetName() if sequence is None else sequence.GetName()


def _voxels(node, name: str) -> np.ndarray:
    """(k, j, i), as Slicer keeps it."""
    if node.IsA("vtkMRMLMultiVolumeNode"):
        text = _(
            "{name} is a multi-volume; import it as a volume sequence instead (Application "
            "Settings, DICOM, Preferred multi-volume import format), and choose that."
        )
        raise VolumeError(text.format(name=name))
    image = node.GetImageData() if node.IsA("vtkMRMLVolumeNode") else None
    if image is None or image.GetPointData().GetScalars() is None:
        raise VolumeError(_("{name} holds no image; choose another volume.").format(name=name))
    if image.GetNumberOfScalarComponents() != 1:
        text = _(
            "{name} has {count} values a voxel, such as colours or directions; choose a volume in "
            "shades of grey. Frames of a cine must be a volume sequence."
        )
        raise VolumeError(text.format(name=name, count=image.GetNumberOfScalarComponents()))
    return slicer.util.arrayFromVolume(node)


def _identity(node) -> str | None:
    """A DICOM series is known by its UID; the key of others would mean reading all voxels."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item_id = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    uid = hierarchy.GetItemUID(item_id, "DICOM") if item_id > 0 else ""
    return f"dicom:{uid}" if uid else None
