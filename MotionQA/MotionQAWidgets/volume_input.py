"""A volume of the scene as what the grading process takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib.formats.axes import find_axes
from MotionQALib.formats.stored import StoredImage
from MotionQALib.volumes import VolumeError

from .relevance_map import isMap


@dataclass(frozen=True, eq=False)
class VolumeInput:
    """Voxels and what belongs to them; nothing is copied.

    Attributes
    ----------
    frames : (slices, rows, columns) arrays, views into Slicer's memory
    spacing : mm between slices, rows, columns
    slice_axis : the axis of IJK that slices count along: 0, 1 or 2
    name, source, identity : as in `MotionQALib.volumes.Volume`; None where not known
    """

    frames: list[np.ndarray]
    spacing: tuple[float, float, float]
    slice_axis: int
    name: str
    source: str | None
    identity: str | None

    @classmethod
    def of_node(cls, node) -> VolumeInput:
        """Of a scalar volume, or of all frames where a sequence browser plays it.

        Raises
        ------
        VolumeError : it holds no image that could be graded; a sentence for the user
        """
        frames = [_voxels(frame, node.GetName()) for frame in frame_nodes(node)]
        # The command line finds the axes so, too: here and there the grades are the same.
        image = StoredImage(voxels=frames[0].T, spacing=node.GetSpacing())
        slices, _none = find_axes(Path(node.GetName()), image, None, None)
        columns, rows = (axis for axis in range(3) if axis != slices)
        return cls(
            frames=[frame.T.transpose(slices, rows, columns) for frame in frames],
            spacing=tuple(node.GetSpacing()[axis] for axis in (slices, rows, columns)),
            slice_axis=slices,
            name=node.GetName(),
            source=_source(node),
            identity=_identity(node),
        )


def is_candidate(node) -> bool:
    """Whether a node is a volume that a user may want graded: no mask, no map, no colour."""
    return node is not None and node.GetClassName() == "vtkMRMLScalarVolumeNode" and not isMap(node)


def frame_nodes(node) -> list:
    """The volumes of a cine that a sequence browser plays in this node, else the node itself."""
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
        sequence = browser.GetSequenceNode(node)
        if sequence is not None and sequence.GetNumberOfDataNodes() > 1:
            return [sequence.GetNthDataNode(i) for i in range(sequence.GetNumberOfDataNodes())]
    return [node]


def _voxels(node, name: str) -> np.ndarray:
    """(k, j, i), as Slicer keeps it."""
    image = node.GetImageData()
    if image is None or image.GetPointData().GetScalars() is None:
        raise VolumeError(_("{name} holds no image; choose another volume.").format(name=name))
    if image.GetNumberOfScalarComponents() != 1:
        text = _("{name} has {count} values a voxel; choose a volume in shades of grey.")
        raise VolumeError(text.format(name=name, count=image.GetNumberOfScalarComponents()))
    return slicer.util.arrayFromVolume(node)


def _source(node) -> str | None:
    storage = node.GetStorageNode()
    return (storage.GetFileName() or None) if storage is not None else None


def _identity(node) -> str | None:
    """A DICOM series is known by its UID; the key of others would mean reading all voxels."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    uid = hierarchy.GetItemUID(item, "DICOM") if item else ""
    return f"dicom:{uid}" if uid else None
